//! The hinge objective (Lim and Ye 2017; BigGAN sec. 3).

use burn::tensor::Tensor;
use burn::tensor::activation::relu;

/// `mean max(0, 1 - D(real)) + mean max(0, 1 + D(fake))`.
///
/// # Shapes
/// - real, fake: logits `[n, 1]`
/// - returns `[1]`
pub fn hinge_discriminator(real: Tensor<2>, fake: Tensor<2>) -> Tensor<1> {
    relu(-real + 1.0).mean() + relu(fake + 1.0).mean()
}

/// `-mean D(fake)`.
///
/// # Shapes
/// - fake: logits `[n, 1]`
/// - returns `[1]`
pub fn hinge_generator(fake: Tensor<2>) -> Tensor<1> {
    -fake.mean()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn hinge_by_hand() {
        let device = Device::flex();
        let real = Tensor::<2>::from_data([[0.5], [2.0]], &device);
        let fake = Tensor::<2>::from_data([[-3.0], [0.5]], &device);
        let value = |t: Tensor<1>| t.into_data().try_to_vec::<f32>().unwrap()[0];
        // (0.5 + 0) / 2 + (0 + 1.5) / 2
        assert!((value(hinge_discriminator(real, fake.clone())) - 1.0).abs() < 1e-6);
        assert!((value(hinge_generator(fake)) - 1.25).abs() < 1e-6);
    }
}
