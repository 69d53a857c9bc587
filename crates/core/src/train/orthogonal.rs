//! Orthogonal regularisation (BigGAN sec. 3.1): the modified one, eq. 3, and the original one, eq. 2 (Brock et al.
//! 2017).
//!
//! ```text
//! modified  R(W) = beta || W W^T * (1 - I) ||_F^2     dR/dW = 4 beta (W W^T * (1 - I)) W
//! original  R(W) = beta || W W^T - I ||_F^2           dR/dW = 4 beta (W W^T - I) W
//! ```
//!
//! with W as `[out, rest]`. The Gram matrix is over output filters of the raw weight; the modified term leaves its
//! diagonal out, so that the norms of the filters are free. BigGAN-PyTorch (`utils.py:646-655`) adds half of this
//! gradient: its factor is 2. [`orthogonal_gradient`] takes the factor, to allow both.
//!
//! The embeddings of separate layers are `[classes, channels]`: as in BigGAN-PyTorch, their Gram matrix is over
//! classes, whose rows it makes orthogonal. The paper's layout, in which the first axis of W is the input, would have
//! it over channels. The same holds for D's class embedding.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::gradients::Gradient;
use crate::kernels::orthogonal_term;
use crate::named::{FlatTensor, NamedTensors};

/// Factor of the true gradient.
pub const TRUE_FACTOR: f64 = 4.0;

/// Which of the two terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrthogonalTerm {
    /// Of pairs of filters (BigGAN eq. 3).
    #[default]
    Modified,
    /// Of pairs and of norms, which it draws to 1 (BigGAN eq. 2).
    Original,
}

impl OrthogonalTerm {
    /// Whether it is BigGAN's.
    #[allow(clippy::trivially_copy_pass_by_ref)] // serde passes a reference
    pub(super) fn is_modified(&self) -> bool {
        *self == Self::Modified
    }
}

/// `factor strength (W W^T * (1 - I)) W`, or with `W W^T - I`, flat; `None` for tensors of fewer than two dimensions.
///
/// That is `W W^T W - diag(|w_i|^2) W`, whose product is taken by the smaller side: without a matrix `[out, out]` for a tall W
/// (2.4 GB for G's first layer at width 96).
pub fn orthogonal_gradient(
    term: OrthogonalTerm,
    weight: &FlatTensor,
    strength: f64,
    factor: f64,
) -> Option<Tensor<1>> {
    let w = weight.as_matrix()?;
    let [out, rest] = w.dims();
    let transposed = w.clone().transpose();
    let product = match out > rest {
        false => w.clone().matmul(transposed).matmul(w.clone()),
        true => w.clone().matmul(transposed.matmul(w.clone())),
    };
    let modified = term == OrthogonalTerm::Modified;
    let gradient = orthogonal_term(product, w, factor * strength, modified);
    Some(gradient.reshape([out * rest]))
}

/// Adds the term to the gradient of every weight of two or more dimensions, except of those that are exempt.
pub(super) fn add_orthogonal(
    gradients: &mut Gradient,
    weights: &NamedTensors,
    gradient_of: impl Fn(&FlatTensor) -> Option<Tensor<1>>,
    exempt: impl Fn(&str) -> bool,
) {
    for (name, gradient) in gradients.iter_mut().filter(|(name, _)| !exempt(name)) {
        if let Some(term) = weights.get(name).and_then(&gradient_of) {
            *gradient = gradient.clone() + term;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    fn penalty(term: OrthogonalTerm, w: &[f64], [out, rest]: [usize; 2]) -> f64 {
        let mut sum = 0.0;
        for a in 0..out {
            for b in 0..out {
                let dot: f64 = (0..rest).map(|k| w[a * rest + k] * w[b * rest + k]).sum();
                sum += match (a == b, term) {
                    (false, _) => dot * dot,
                    (true, OrthogonalTerm::Modified) => 0.0,
                    (true, OrthogonalTerm::Original) => (dot - 1.0).powi(2),
                };
            }
        }
        sum
    }

    fn flat(w: &[f64], shape: [usize; 2]) -> FlatTensor {
        let values: Vec<f32> = w.iter().map(|&v| v as f32).collect();
        FlatTensor {
            values: Tensor::from_data(TensorData::new(values, [w.len()]), &Device::flex()),
            shape: shape.to_vec(),
            trainable: true,
        }
    }

    #[test]
    fn gradient_agrees_with_finite_differences() {
        use OrthogonalTerm::{Modified, Original};
        for (term, shape) in [
            (Modified, [3, 4]),
            (Modified, [4, 3]),
            (Original, [3, 4]),
            (Original, [4, 3]),
        ] {
            let w: Vec<f64> = (0..12).map(|i| f64::from(i * 7 % 11) / 5.0 - 1.0).collect();
            let strength = 0.01;
            let gradient = orthogonal_gradient(term, &flat(&w, shape), strength, TRUE_FACTOR);
            let gradient: Vec<f32> = gradient.unwrap().into_data().try_to_vec().unwrap();
            for i in 0..12 {
                let h = 1e-5;
                let mut moved = w.clone();
                moved[i] += h;
                let up = penalty(term, &moved, shape);
                moved[i] -= 2.0 * h;
                let expected = strength * (up - penalty(term, &moved, shape)) / (2.0 * h);
                let apart = (f64::from(gradient[i]) - expected).abs();
                assert!(apart < 1e-5, "{term:?} {shape:?} {i}");
            }
        }
    }

    #[test]
    fn orthonormal_rows_have_no_gradient() {
        let w = [0.6, 0.8, 0.0, -0.8, 0.6, 0.0];
        for term in [OrthogonalTerm::Modified, OrthogonalTerm::Original] {
            let gradient = orthogonal_gradient(term, &flat(&w, [2, 3]), 1.0, 4.0).unwrap();
            let gradient: Vec<f32> = gradient.into_data().try_to_vec().unwrap();
            assert!(gradient.iter().all(|v| v.abs() < 1e-6), "{term:?}");
        }
    }

    /// G's first layer at width 96: 24576 filters of 20 values, whose Gram matrix would take 2.4 GB.
    #[test]
    fn a_tall_weight_takes_memory_by_its_smaller_side() {
        let [out, rest] = [24_576usize, 20];
        // rows of 20 kinds, so that W W^T has a closed form: W W^T W sums over the kinds
        let entry = |row: usize, k: usize| ((row % 20 * 7 + k * 3) % 11) as f64 / 11.0 - 0.5;
        let w: Vec<f64> = (0..out * rest).map(|i| entry(i / rest, i % rest)).collect();
        let before = peak_bytes();
        let gradient =
            orthogonal_gradient(OrthogonalTerm::Modified, &flat(&w, [out, rest]), 1.0, 1.0);
        let gradient: Vec<f32> = gradient.unwrap().into_data().try_to_vec().unwrap();
        let grown = peak_bytes() - before;
        assert!(grown < 200 << 20, "{grown} bytes");
        let rows_of = |kind: usize| (out / 20 + usize::from(kind < out % 20)) as f64;
        for row in [0, 7, out - 1] {
            let dot =
                |kind: usize| -> f64 { (0..rest).map(|k| entry(row, k) * entry(kind, k)).sum() };
            for k in 0..rest {
                let all: f64 = (0..20)
                    .map(|kind| rows_of(kind) * dot(kind) * entry(kind, k))
                    .sum();
                let expected = all - dot(row) * entry(row, k);
                let found = f64::from(gradient[row * rest + k]);
                assert!(
                    (found - expected).abs() < 1e-4 * (1.0 + expected.abs()),
                    "{row} {k}"
                );
            }
        }
    }

    /// Most memory that the process had; 0 where `/proc` is missing.
    fn peak_bytes() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        1024 * kib.unwrap_or(0)
    }
}
