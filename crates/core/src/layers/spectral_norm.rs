//! Spectral normalisation (Miyato et al. 2018, "Spectral Normalization for GANs", Alg. 1).

use burn::module::Param;
use burn::tensor::Tensor;

use super::Updates;
use crate::kernels;

/// Divides a weight by an estimate of its largest singular value ([`kernels::spectral_normalise`];
/// ajbrock/BigGAN-PyTorch `layers.py:28-50,87-99`).
///
/// # Shapes
/// - weight: `[out, ...]`, returned with the same shape
/// - u, u': `[out]`
/// - returns the normalised weight and u'
pub fn spectral_normalise<const D: usize>(
    weight: Tensor<D>,
    u: Tensor<1>,
    eps: f64,
) -> (Tensor<D>, Tensor<1>) {
    let dims = weight.dims();
    let matrix = weight.reshape([dims[0] as i32, -1]); // [out, rest]
    let (normalised, u_next) = kernels::spectral_normalise(matrix, u, eps);
    (normalised.reshape(dims), u_next)
}

/// The weight as a layer uses it: normalised where it has a vector `u`, which the step replaces.
pub(super) fn effective_weight<const D: usize>(
    weight: &Param<Tensor<D>>,
    u: Option<&Param<Tensor<1>>>,
    eps: f64,
    updates: &mut Updates,
) -> Tensor<D> {
    let Some(u) = u else { return weight.val() };
    let (weight, next) = spectral_normalise(weight.val(), u.val(), eps);
    updates.replace(u, next);
    weight
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn one_step_by_hand() {
        let device = Device::flex();
        // W = diag(3, 1), u = (1, 0): v = (1, 0), u' = (1, 0), sigma = 3
        let w = Tensor::<2>::from_data([[3.0, 0.0], [0.0, 1.0]], &device);
        let u = Tensor::from_data([1.0, 0.0], &device);
        let (normalised, _) = spectral_normalise(w, u, 1e-6);
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
        let u = Tensor::from_data([0.6, 0.8], &device);
        let mut state = (w.clone(), u);
        for _ in 0..50 {
            state = spectral_normalise(w.clone(), state.1, 1e-12);
        }
        let normalised = state.0;
        let sigma = 2.0 / normalised.into_data().try_to_vec::<f32>().unwrap()[0];
        assert!((f64::from(sigma) - (3.0 + 5.0_f64.sqrt()).sqrt()).abs() < 1e-5);
    }
}
