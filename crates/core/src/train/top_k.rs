//! Top-k training of G: only the fakes that D scores highest move G (Sinha et al. 2020, "Top-k Training
//! of GANs", sec. 3).
//!
//! k starts at the batch and shrinks by a factor with every epoch-like interval, down to a floor.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// How k shrinks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopKConfig {
    /// Factor per interval (0.99 in the paper).
    pub gamma: f64,
    /// Smallest share of the batch (0.5 in the paper).
    pub floor: f64,
    /// Generator steps per interval (the paper's epoch).
    pub interval_steps: u64,
}

impl TopKConfig {
    /// Refuses shares outside 0 to 1, and an interval of 0.
    ///
    /// # Errors
    /// In these cases; the message names the key, its value and the range.
    pub fn validate(&self) -> Result<()> {
        for (key, value) in [("gamma", self.gamma), ("floor", self.floor)] {
            if !(value > 0.0 && value <= 1.0) {
                return Err(Error::config(format_args!("top_k.{key}"))
                    .found(value)
                    .expected("above 0 and at most 1"));
            }
        }
        if self.interval_steps == 0 {
            return Err(Error::config("top_k.interval_steps")
                .found(0)
                .expected("1 or more"));
        }
        Ok(())
    }

    /// k at a generator step for a batch of `n`.
    pub fn k(&self, g_step: u64, n: usize) -> usize {
        let share = libm::pow(self.gamma, (g_step / self.interval_steps) as f64);
        ((n as f64 * share.max(self.floor)).ceil() as usize).clamp(1, n)
    }
}

/// n/k for the k largest logits, 0 for the others: the weights of a mean over the best k.
///
/// A logit's rank is the number of logits above it, plus equal ones before it, counted without
/// a sort, whose result a browser's GPU could not return in time.
///
/// # Shapes
/// - logits: `[n, 1]`, without gradient
/// - returns `[n, 1]`
pub fn top_k_weights(logits: Tensor<2>, k: usize) -> Tensor<2> {
    let [n, _] = logits.dims();
    let device = logits.device();
    let column = logits.clone().expand([n, n]); // [i, j] = l_i
    let row = logits.transpose().expand([n, n]); // [i, j] = l_j
    let above = row.clone().greater(column.clone()).float();
    let earlier = Tensor::<2>::ones([n, n], &device).tril(-1); // j < i
    let ties = row.equal(column).float() * earlier;
    let rank = (above + ties).sum_dim(1); // [n, 1]
    rank.lower_elem(k as f64).float() * (n as f64 / k as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn the_best_k_share_the_weight() {
        let logits = Tensor::<2>::from_data([[0.5], [-1.0], [2.0], [0.5]], &Device::flex());
        for (k, expected) in [
            (1, [0.0, 0.0, 4.0, 0.0]),
            (2, [2.0, 0.0, 2.0, 0.0]), // the earlier of two equal logits
            (4, [1.0; 4]),
        ] {
            let weights = top_k_weights(logits.clone(), k).into_data();
            assert_eq!(weights.try_to_vec::<f32>().unwrap(), expected, "k = {k}");
        }
    }

    #[test]
    fn k_shrinks_to_the_floor() {
        let config = TopKConfig {
            gamma: 0.9,
            floor: 0.5,
            interval_steps: 100,
        };
        assert_eq!(config.k(0, 64), 64);
        assert_eq!(config.k(100, 64), 58); // 57.6
        assert_eq!(config.k(100_000, 64), 32);
        assert_eq!(config.k(100_000, 1), 1);
    }
}
