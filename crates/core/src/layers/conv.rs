//! Two-dimensional convolution with optional spectral norm.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use super::init::Initialiser;
use super::{Updates, spectral_norm};
use crate::kernels;

/// Stride-1 convolution that keeps the resolution (kernel 1 or 3).
#[derive(Module, Debug)]
pub struct Conv2d {
    /// `[out, in, k, k]`, not normalised.
    pub weight: Param<Tensor<4>>,
    /// `[out]`
    pub bias: Option<Param<Tensor<1>>>,
    /// Left singular vector `[out]`; `None` if the weight is not normalised.
    pub u: Option<Param<Tensor<1>>>,
    #[module(skip)]
    sn_eps: f64,
}

impl Conv2d {
    /// A convolution with orthogonal weight and zero bias.
    pub fn new(
        init: &mut Initialiser<'_>,
        [channels_in, channels_out]: [usize; 2],
        kernel: usize,
        bias: bool,
        sn_eps: Option<f64>,
    ) -> Self {
        Self {
            weight: init.orthogonal([channels_out, channels_in, kernel, kernel]),
            bias: bias.then(|| init.constant([channels_out], 0.0)),
            u: sn_eps.map(|_| init.unit_vector(channels_out)),
            sn_eps: sn_eps.unwrap_or_default(),
        }
    }

    /// # Shapes
    /// - x: `[n, in, h, w]`
    /// - returns `[n, out, h, w]`
    pub fn forward(&self, x: Tensor<4>, updates: &mut Updates) -> Tensor<4> {
        let weight = self.effective_weight(updates);
        let padding = weight.dims()[2] / 2;
        kernels::conv2d(x, weight, self.bias.as_ref().map(Param::val), padding)
    }

    /// `forward(upsample_nearest_2x(x))` of a 3x3 in 4/9 of the multiply-adds.
    ///
    /// # Shapes
    /// - x: `[n, in, h, w]`
    /// - returns `[n, out, 2 h, 2 w]`
    pub fn forward_after_upsample(&self, x: Tensor<4>, updates: &mut Updates) -> Tensor<4> {
        let weight = self.effective_weight(updates);
        kernels::conv3x3_after_upsample(x, weight, self.bias.as_ref().map(Param::val))
    }

    /// `avg_pool_2x2(forward(x))` of a 3x3 in 4/9 of the multiply-adds.
    ///
    /// # Shapes
    /// - x: `[n, in, h, w]` with even h and w
    /// - returns `[n, out, h / 2, w / 2]`
    pub fn forward_then_pool(&self, x: Tensor<4>, updates: &mut Updates) -> Tensor<4> {
        let weight = self.effective_weight(updates);
        kernels::conv3x3_then_pool(x, weight, self.bias.as_ref().map(Param::val))
    }

    /// The weight as used: divided by its spectral norm where there is one.
    pub fn effective_weight(&self, updates: &mut Updates) -> Tensor<4> {
        spectral_norm::effective_weight(&self.weight, self.u.as_ref(), self.sn_eps, updates)
    }

    /// Folds the spectral norm into the weight, for inference.
    pub fn fold(&mut self) {
        let folded = self.effective_weight(&mut Updates::default());
        self.weight = Param::from_tensor(folded);
        self.u = None;
    }
}
