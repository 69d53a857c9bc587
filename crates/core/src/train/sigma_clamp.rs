//! Clamping the largest singular value of G's weights (BigGAN sec. 4.1).
//!
//! ```text
//! W <- W - max(0, sigma0 - sigma_clamp) u0 v0^T
//! ```
//!
//! with u0 and v0 the first left and right singular vectors of W as `[out, rest]`, and `sigma_clamp`
//! either a fixed value or `r sg(sigma1)`. The paper finds that it improves conditioning and does
//! not by itself prevent collapse.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::spectrum::top_singular;
use crate::error::{Error, Result};
use crate::model::Generator;
use crate::named::{FlatTensor, is_shared_embedding, map_tensors};

/// Iterations per step: weights move little between steps, and with the gap that matters (sigma0 far above
/// the rest) a few suffice.
const ITERATIONS: usize = 8;

/// Where the largest singular value is held.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum SigmaClamp {
    /// At a fixed value, the paper's sigma_reg.
    Fixed {
        /// The value.
        sigma: f64,
    },
    /// At a multiple of the second, the paper's `r sg(sigma1)`.
    Ratio {
        /// The multiple.
        ratio: f64,
    },
}

impl SigmaClamp {
    /// Refuses a clamp that is not above 0.
    ///
    /// # Errors
    /// If it is not; the message names the key, its value and the range.
    pub fn validate(&self) -> Result<()> {
        let (key, value) = match *self {
            Self::Fixed { sigma } => ("sigma", sigma),
            Self::Ratio { ratio } => ("ratio", ratio),
        };
        if value > 0.0 && value.is_finite() {
            return Ok(());
        }
        Err(Error::config(format_args!("sigma_clamp.{key}"))
            .found(value)
            .expected("above 0"))
    }

    /// G with every weight of two or more dimensions clamped, except the shared embedding.
    ///
    /// # Errors
    /// As [`map_tensors`].
    pub fn apply(self, generator: Generator) -> Result<Generator> {
        map_tensors(generator, |name, weight| {
            Ok(if is_shared_embedding(name) {
                weight.values
            } else {
                self.clamp(weight)
            })
        })
    }

    fn clamp(self, weight: FlatTensor) -> Tensor<1> {
        let Some(matrix) = weight.as_matrix() else {
            return weight.values;
        };
        let [out, rest] = matrix.dims();
        let top = top_singular(matrix.clone(), 2, ITERATIONS);
        let sigma0 = top.sigma.clone().narrow(0, 0, 1);
        let limit = match self {
            Self::Fixed { sigma } => Tensor::zeros([1], &matrix.device()) + sigma,
            // a matrix of one row or column has no second value: nothing to compare with
            Self::Ratio { .. } if top.sigma.dims()[0] < 2 => return weight.values,
            Self::Ratio { ratio } => top.sigma.narrow(0, 1, 1) * ratio,
        };
        let excess = (sigma0 - limit).clamp_min(0.0).reshape([1, 1]);
        let left = top.left.slice([0..out, 0..1]); // [out, 1]
        let right = top.right.slice([0..rest, 0..1]).transpose(); // [1, rest]
        (matrix - left.matmul(right) * excess).reshape([out * rest])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    /// `diag(4, 2, 1)` after the clamp: its diagonal.
    fn clamped(clamp: SigmaClamp) -> Vec<f32> {
        let w = vec![4.0f32, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 1.0];
        let weight = FlatTensor {
            values: Tensor::from_data(TensorData::new(w, [9]), &Device::flex()),
            shape: vec![3, 3],
            trainable: true,
        };
        let all: Vec<f32> = clamp.clamp(weight).into_data().try_to_vec().unwrap();
        vec![all[0], all[4], all[8]]
    }

    #[test]
    fn only_what_is_above_moves() {
        for (clamp, expected) in [
            (SigmaClamp::Fixed { sigma: 3.0 }, [3.0, 2.0, 1.0]),
            (SigmaClamp::Fixed { sigma: 5.0 }, [4.0, 2.0, 1.0]),
            (SigmaClamp::Ratio { ratio: 1.5 }, [3.0, 2.0, 1.0]),
            (SigmaClamp::Ratio { ratio: 3.0 }, [4.0, 2.0, 1.0]),
        ] {
            for (found, expected) in clamped(clamp).iter().zip(expected) {
                assert!((found - expected).abs() < 1e-3, "{clamp:?}: {found}");
            }
        }
    }

    #[test]
    fn a_clamp_below_zero_is_refused() {
        let error = SigmaClamp::Fixed { sigma: -1.0 }.validate().unwrap_err();
        assert!(error.to_string().contains("-1"), "{error}");
    }
}
