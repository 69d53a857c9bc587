//! Modified orthogonal regularisation (BigGAN sec. 3.1, eq. 3).
//!
//! ```text
//! R(W) = beta || W W^T * (1 - I) ||_F^2,      W as [out, rest]
//! dR/dW = 4 beta (W W^T * (1 - I)) W
//! ```
//!
//! The Gram matrix is over output filters of the raw weight; its diagonal is left out, so that the norms
//! of the filters are free. BigGAN-PyTorch (`utils.py:646-655`) adds half of this gradient:
//! its factor is 2. [`orthogonal_gradient`] takes the factor, to allow both.

use burn::tensor::Tensor;

use crate::named::FlatTensor;

/// Factor of the true gradient.
pub const TRUE_FACTOR: f64 = 4.0;

/// `factor strength (W W^T * (1 - I)) W`, flat; `None` for tensors of fewer than two dimensions.
pub fn orthogonal_gradient(weight: &FlatTensor, strength: f64, factor: f64) -> Option<Tensor<1>> {
    let w = weight.as_matrix()?;
    let [out, rest] = w.dims();
    let gram = w.clone().matmul(w.clone().transpose()); // [out, out]
    let off_diagonal =
        gram * (Tensor::ones([out, out], &w.device()) - Tensor::eye(out, &w.device()));
    Some(off_diagonal.matmul(w).reshape([out * rest]) * (factor * strength))
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    fn penalty(w: &[f64], [out, rest]: [usize; 2]) -> f64 {
        let mut sum = 0.0;
        for a in 0..out {
            for b in (0..out).filter(|&b| b != a) {
                let dot: f64 = (0..rest).map(|k| w[a * rest + k] * w[b * rest + k]).sum();
                sum += dot * dot;
            }
        }
        sum
    }

    #[test]
    fn gradient_agrees_with_finite_differences() {
        let shape = [3, 4];
        let w: Vec<f64> = (0..12).map(|i| f64::from(i * 7 % 11) / 5.0 - 1.0).collect();
        let flat = FlatTensor {
            values: Tensor::from_data(
                TensorData::new(w.iter().map(|&v| v as f32).collect::<Vec<_>>(), [12]),
                &Device::flex(),
            ),
            shape: shape.to_vec(),
            trainable: true,
        };
        let strength = 0.01;
        let gradient = orthogonal_gradient(&flat, strength, TRUE_FACTOR).unwrap();
        let gradient: Vec<f32> = gradient.into_data().try_to_vec().unwrap();
        for i in 0..12 {
            let h = 1e-5;
            let mut moved = w.clone();
            moved[i] += h;
            let up = penalty(&moved, shape);
            moved[i] -= 2.0 * h;
            let expected = strength * (up - penalty(&moved, shape)) / (2.0 * h);
            assert!((f64::from(gradient[i]) - expected).abs() < 1e-5, "{i}");
        }
    }
}
