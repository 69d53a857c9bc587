//! Spectral normalisation (Miyato et al. 2018, "Spectral Normalization for GANs", Alg. 1).

use burn::module::Param;
use burn::tensor::Tensor;

use super::PowerStep;

/// Divides a weight by an estimate of its largest singular value.
///
/// With `W` the weight as a matrix `[out, rest]` and `u` the stored left vector, one power step:
///
/// ```text
/// v  = W^T u / max(|W^T u|, eps)
/// u' = W v   / max(|W v|, eps)
/// sigma = u' . (W v)
/// ```
///
/// `u'` and `v` are constants for the gradient, which flows through `W` in `sigma`
/// (ajbrock/BigGAN-PyTorch `layers.py:28-50,87-99`).
///
/// # Shapes
/// - weight: `[out, ...]`, returned with the same shape
/// - u: `[out]`
///
/// # State
/// `u` becomes `u'` with [`PowerStep::Keep`].
pub fn spectral_normalise<const D: usize>(
    weight: Tensor<D>,
    u: &mut Param<Tensor<1>>,
    eps: f64,
    step: PowerStep,
) -> Tensor<D> {
    let dims = weight.dims();
    let [out, rest] = [dims[0], dims[1..].iter().product()];
    let matrix = weight.clone().reshape([out, rest]); // [out, rest]

    let constant = matrix.clone().detach();
    let v = unit(u.val().reshape([1, out]).matmul(constant.clone()), eps); // [1, rest]
    let u_next = unit(v.clone().matmul(constant.transpose()), eps); // [1, out]

    let sigma = (matrix.matmul(v.transpose()) * u_next.clone().transpose()).sum(); // [1]
    if step == PowerStep::Keep {
        *u = Param::initialized(u.id, u_next.reshape([out]));
    }
    weight / sigma.reshape([1; D])
}

/// `x / max(|x|, eps)`.
pub(crate) fn unit(x: Tensor<2>, eps: f64) -> Tensor<2> {
    let norm = x.clone().square().sum().sqrt().clamp_min(eps);
    x / norm.reshape([1, 1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    fn param(values: Vec<f32>, device: &Device) -> Param<Tensor<1>> {
        Param::from_tensor(Tensor::from_data(
            TensorData::from(values.as_slice()),
            device,
        ))
        .set_require_grad(false)
    }

    #[test]
    fn one_step_by_hand() {
        let device = Device::flex();
        // W = diag(3, 1), u = (1, 0): v = (1, 0), u' = (1, 0), sigma = 3
        let w = Tensor::<2>::from_data([[3.0, 0.0], [0.0, 1.0]], &device);
        let mut u = param(vec![1.0, 0.0], &device);
        let normalised = spectral_normalise(w, &mut u, 1e-6, PowerStep::Keep);
        let values = normalised.into_data().try_to_vec::<f32>().unwrap();
        for (value, expected) in values.iter().zip([1.0, 0.0, 0.0, 1.0 / 3.0]) {
            assert!((value - expected).abs() < 1e-6);
        }
    }

    #[test]
    fn steps_converge_to_the_largest_singular_value() {
        let device = Device::flex();
        // singular values of [[2, 1], [0, 1]]: sqrt(3 +- sqrt 5)
        let w = Tensor::<2>::from_data([[2.0, 1.0], [0.0, 1.0]], &device);
        let mut u = param(vec![0.6, 0.8], &device);
        let mut normalised = w.clone();
        for _ in 0..50 {
            normalised = spectral_normalise(w.clone(), &mut u, 1e-12, PowerStep::Keep);
        }
        let sigma = 2.0 / normalised.into_data().try_to_vec::<f32>().unwrap()[0];
        assert!((f64::from(sigma) - (3.0 + 5.0_f64.sqrt()).sqrt()).abs() < 1e-5);
    }

    #[test]
    fn discarding_leaves_the_vector() {
        let device = Device::flex();
        let w = Tensor::<2>::from_data([[2.0, 1.0], [0.0, 1.0]], &device);
        let mut u = param(vec![0.6, 0.8], &device);
        let _ = spectral_normalise(w, &mut u, 1e-12, PowerStep::Discard);
        assert_eq!(
            u.val().into_data().try_to_vec::<f32>().unwrap(),
            vec![0.6, 0.8]
        );
    }
}
