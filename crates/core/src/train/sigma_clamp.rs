//! Clamping the largest singular value of G's weights (BigGAN sec. 4.1).
//!
//! ```text
//! W <- W - max(0, sigma0 - sigma_clamp) u0 v0^T
//! ```
//!
//! with u0 and v0 the first left and right singular vectors of W as `[out, rest]`, and `sigma_clamp`
//! either a fixed value or `r sg(sigma1)`. The paper finds that it improves conditioning and does
//! not by itself prevent collapse.
//!
//! A clamped matrix has a sigma0 near sigma1, and a vector between the two would leave sigma0 above its limit. So the
//! triple comes from a high power of the Gram matrix of the smaller side, which is a singular triple wherever the
//! values are 1 % apart.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::eigen::{leading, orthonormal, without};
use crate::error::{Error, Result};
use crate::model::Generator;
use crate::named::{FlatTensor, is_shared_embedding, map_tensors};

/// The Gram matrix to the power 2^9: the powers of singular values 1 % apart differ by a factor of 26,000.
const SQUARINGS: usize = 9;
/// Below this a length is taken for zero.
const TINY: f64 = 1e-20;

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
        // the smaller side first
        let (w, is_tall) = match out > rest {
            true => (matrix.transpose(), true),
            false => (matrix, false),
        };
        let gram = w.clone().matmul(w.clone().transpose());
        let u = leading(gram.clone(), SQUARINGS); // [smaller, 1]
        let (sigma0, scaled) = image(&w, &u);
        let limit = match self {
            Self::Fixed { sigma } => sigma0.zeros_like() + sigma,
            // a matrix of one row or column has no second value: nothing to compare with
            Self::Ratio { .. } if out.min(rest) < 2 => return weight.values,
            Self::Ratio { ratio } => {
                let second = leading(without(gram, &u), SQUARINGS);
                // rounding may leave some of the first, and all of it where the rank is 1
                let both = orthonormal(Tensor::cat(vec![u.clone(), second], 1));
                image(&w, &both.narrow(1, 1, 1)).0 * ratio
            }
        };
        // (sigma0 - limit) u0 v0^T with v0 = W^T u0 / sigma0
        let share = (sigma0.clone() - limit).clamp_min(0.0) / sigma0.clamp_min(TINY);
        let clamped = w - u.matmul(scaled) * share;
        match is_tall {
            true => clamped.transpose(),
            false => clamped,
        }
        .reshape([out * rest])
    }
}

/// `|u^T W|`, `[1, 1]`, and `u^T W`, `[1, rest]`.
fn image(w: &Tensor<2>, u: &Tensor<2>) -> (Tensor<2>, Tensor<2>) {
    let image = u.clone().transpose().matmul(w.clone());
    (image.clone().square().sum_dim(1).sqrt(), image)
}

#[cfg(test)]
mod tests {
    #[cfg(feature = "metrics")]
    use super::super::spectrum::tests::with_singular_values;
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

    /// The two largest singular values of `A diag(s) B^T` after the clamp, by a decomposition in f64.
    #[cfg(feature = "metrics")]
    fn after(clamp: SigmaClamp, s: &[f64], [out, rest]: [usize; 2]) -> [f64; 2] {
        let weight = FlatTensor {
            values: with_singular_values(s, out, rest, &Device::flex()).reshape([out * rest]),
            shape: vec![out, rest],
            trainable: true,
        };
        let w: Vec<f32> = clamp.clamp(weight).into_data().try_to_vec().unwrap();
        let w = nalgebra::DMatrix::from_row_iterator(out, rest, w.into_iter().map(f64::from));
        let mut sigma = w.singular_values().as_slice().to_vec();
        sigma.sort_by(|a, b| b.total_cmp(a));
        [sigma[0], sigma[1]]
    }

    #[cfg(feature = "metrics")]
    /// Singular values from `from` down in steps of 0.01, after the first ones.
    fn spectrum(first: &[f64], from: f64, count: usize) -> Vec<f64> {
        let others = (0..count).map(|i| (from - 0.01 * i as f64).max(0.01));
        first.iter().copied().chain(others).collect()
    }

    #[cfg(feature = "metrics")]
    #[test]
    fn the_clamp_holds_its_value_where_the_gap_is_small() {
        let ratio = SigmaClamp::Ratio { ratio: 1.05 };
        let near = spectrum(&[1.12], 1.0, 127); // 1.12, 1.00, 0.99, ..
        let [sigma0, sigma1] = after(ratio, &near, [128, 1152]);
        assert!((sigma0 / 1.05 - 1.0).abs() < 0.01, "{sigma0}");
        assert!((sigma1 - 1.0).abs() < 0.01, "{sigma1}");
        let far: Vec<f64> = (0..15).map(|i| 1.0 - 0.05 * f64::from(i)).collect();
        let far = [&[1.534][..], &far].concat(); // 1.534, 1, 0.95, ..
        let [sigma0, _] = after(ratio, &far, [512, 16]);
        assert!((sigma0 / 1.05 - 1.0).abs() < 0.01, "{sigma0}");
        let fixed = SigmaClamp::Fixed { sigma: 1.06 };
        let [sigma0, _] = after(fixed, &near, [128, 1152]);
        assert!((sigma0 / 1.06 - 1.0).abs() < 0.01, "{sigma0}");
        // a clamped matrix stays as it is
        let [sigma0, _] = after(ratio, &spectrum(&[1.05], 1.0, 127), [128, 1152]);
        assert!((sigma0 / 1.05 - 1.0).abs() < 0.01, "{sigma0}");
    }

    #[test]
    fn a_clamp_below_zero_is_refused() {
        let error = SigmaClamp::Fixed { sigma: -1.0 }.validate().unwrap_err();
        assert!(error.to_string().contains("-1"), "{error}");
    }
}
