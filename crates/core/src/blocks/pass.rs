//! What a pass through the discriminator does at each of its operations.
//!
//! The network says once in which order its layers follow. An ordinary pass computes features; the passes of a
//! gradient penalty (`train::tangent`) go the same way with other arithmetic.

use burn::tensor::Tensor;

use crate::kernels::{avg_pool_2x2, relu};
use crate::layers::{Conv2d, Embedding, Linear, SelfAttention, Updates};

/// The operations of the discriminator on maps `[n, c, h, w]`.
pub trait Pass {
    /// `max(x, 0)`.
    fn relu(&mut self, x: Tensor<4>) -> Tensor<4>;
    /// A convolution.
    fn conv(&mut self, layer: &Conv2d, x: Tensor<4>) -> Tensor<4>;
    /// A 3x3 convolution and the means of 2x2 pixels.
    fn conv_then_pool(&mut self, layer: &Conv2d, x: Tensor<4>) -> Tensor<4>;
    /// Self-attention, the last operation of a block.
    fn attention(&mut self, layer: &SelfAttention, x: Tensor<4>) -> Tensor<4>;
    /// A linear layer on features `[n, c]`.
    fn linear(&mut self, layer: &Linear, x: Tensor<2>) -> Tensor<2>;
    /// The classes' vectors `[n, c]`, which do not depend on the image.
    fn embed(&mut self, layer: &Embedding, class_weights: Tensor<2>) -> Tensor<2>;
    /// The means of 2x2 pixels. They are linear: no pass differs.
    fn pool(&mut self, x: Tensor<4>) -> Tensor<4> {
        avg_pool_2x2(x)
    }
}

/// The layers' own functions; the next singular vectors go to the updates.
impl Pass for Updates {
    fn relu(&mut self, x: Tensor<4>) -> Tensor<4> {
        relu(x)
    }
    fn conv(&mut self, layer: &Conv2d, x: Tensor<4>) -> Tensor<4> {
        layer.forward(x, self)
    }
    fn conv_then_pool(&mut self, layer: &Conv2d, x: Tensor<4>) -> Tensor<4> {
        layer.forward_then_pool(x, self)
    }
    fn attention(&mut self, layer: &SelfAttention, x: Tensor<4>) -> Tensor<4> {
        layer.forward(x, self)
    }
    fn linear(&mut self, layer: &Linear, x: Tensor<2>) -> Tensor<2> {
        layer.forward(x, self)
    }
    fn embed(&mut self, layer: &Embedding, class_weights: Tensor<2>) -> Tensor<2> {
        layer.forward(class_weights, self)
    }
}
