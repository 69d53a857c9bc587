//! Self-attention (Zhang et al. 2019, "Self-Attention GANs", sec. 3, with the pooled keys and values
//! of the BigGAN code: BigGAN-PyTorch `layers.py:144-169`).

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use super::init::Initialiser;
use super::{Conv2d, Updates};
use crate::kernels::{attention, max_pool_2x2};

/// `x + gamma o(g(x) softmax(theta(x)^T phi(x))^T)`, gamma starts at 0.
#[derive(Module, Debug)]
pub struct SelfAttention {
    /// Queries, `c -> c/8`.
    pub theta: Conv2d,
    /// Keys, `c -> c/8`, pooled 2x2.
    pub phi: Conv2d,
    /// Values, `c -> c/2`, pooled 2x2.
    pub g: Conv2d,
    /// Output, `c/2 -> c`.
    pub o: Conv2d,
    /// `[1]`
    pub gamma: Param<Tensor<1>>,
}

impl SelfAttention {
    /// Attention over `channels` feature maps; no layer has a bias.
    pub fn new(init: &mut Initialiser<'_>, channels: usize, sn_eps: Option<f64>) -> Self {
        let (eighth, half) = ((channels / 8).max(1), (channels / 2).max(1));
        let mut conv = |io| Conv2d::new(init, io, 1, false, sn_eps);
        Self {
            theta: conv([channels, eighth]),
            phi: conv([channels, eighth]),
            g: conv([channels, half]),
            o: conv([half, channels]),
            gamma: init.constant([1], 0.0),
        }
    }

    /// # Shapes
    /// - x: `[n, c, h, w]` with even h and w, returned with the same shape
    pub fn forward(&self, x: Tensor<4>, updates: &mut Updates) -> Tensor<4> {
        let [n, _, h, w] = x.dims();
        let (pixels, pooled) = (h * w, h * w / 4);
        let flat = |t: Tensor<4>, len| {
            let c = t.dims()[1];
            t.reshape([n, c, len])
        };
        let theta = flat(self.theta.forward(x.clone(), updates), pixels); // [n, c/8, hw]
        let phi = flat(max_pool_2x2(self.phi.forward(x.clone(), updates)), pooled); // [n, c/8, hw/4]
        let g = flat(max_pool_2x2(self.g.forward(x.clone(), updates)), pooled); // [n, c/2, hw/4]

        let attended = attention(theta, phi, g); // [n, c/2, hw]
        let half = attended.dims()[1];
        let o = self.o.forward(attended.reshape([n, half, h, w]), updates); // [n, c, h, w]
        x + o * self.gamma.val().reshape([1, 1, 1, 1])
    }

    /// Folds the spectral norm into the weights, for inference.
    pub fn fold(&mut self) {
        for conv in [&mut self.theta, &mut self.phi, &mut self.g, &mut self.o] {
            conv.fold();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    fn waves<const D: usize>(shape: [usize; D], rate: f32) -> Tensor<D> {
        let values: Vec<f32> = (0..shape.iter().product::<usize>())
            .map(|i| libm::sinf(i as f32 * rate))
            .collect();
        Tensor::from_data(TensorData::new(values, shape), &Device::flex())
    }

    #[test]
    fn zero_gamma_is_the_identity() {
        let device = Device::flex();
        let init = &mut Initialiser::new(1, 0, &device);
        let attention = SelfAttention::new(init, 8, Some(1e-6));
        let x = waves([1, 8, 4, 4], 0.9);
        let y = attention.forward(x.clone(), &mut Updates::default());
        assert_eq!(
            x.into_data().try_to_vec::<f32>().unwrap(),
            y.into_data().try_to_vec::<f32>().unwrap()
        );
    }
}
