//! The backend extension: the operations for which a backend may have its own kernels.
//!
//! Every default body uses Burn's own operations ([`plain`]). The first group of operations is
//! differentiable ([`super::autodiff`]); the second holds their gradients.

#[cfg(feature = "nccl")]
pub(super) mod cuda_sum;
pub mod plain;
#[cfg(feature = "train")]
mod plain_along;
mod plain_attention;
mod plain_spectral_norm;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata, backend_extension};
use burn::tensor::{TensorData, read_sync};

#[cfg(feature = "train")]
use super::cpu::optimiser::AdamStep;
use crate::collective::{Group, Share};

/// Fused operations of the networks. Shapes and formulas are documented at the functions of [`super`] with the
/// same names (that of `self_attention` is `attention`, which Burn has, too); `weight` is `[o, i, k, k]`, `bias` `[o]`, tables are `[n or 1, c]`. (The macro has no
/// optional inputs: a missing bias is zero.)
#[backend_extension(Autodiff: cfg(feature = "train"), Flex, Cube: cfg(any(feature = "wgpu", feature = "nccl")))]
pub trait KernelOps: Backend {
    /// "Same" convolution of stride 1.
    fn same_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        plain::same_conv2d::<Self>(x, weight, bias)
    }

    /// 3x3 convolution of the upsampled `x`.
    fn upsample_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        plain::upsample_conv2d::<Self>(x, weight, bias)
    }

    /// 2x2 average of the 3x3 convolution.
    fn conv2d_pool(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        plain::conv2d_pool::<Self>(x, weight, bias)
    }

    /// `(y, mean, var)`; no gradient flows through the latter two outputs.
    fn batch_norm_relu(
        x: FloatTensor<Self>,
        gain: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        eps: f64,
        relu: bool,
        share: Option<Share>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        plain::batch_norm::<Self>(x, gain, bias, eps, relu, share)
    }

    /// `relu(x * scale + shift)`
    fn scale_shift_relu(
        x: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        relu: bool,
    ) -> FloatTensor<Self> {
        plain::scale_shift_relu::<Self>(x, scale, shift, relu)
    }

    /// Each value four times, multiplied by `factor`; the adjoint of `pool_2x2`.
    fn upsample_2x(x: FloatTensor<Self>, factor: f32) -> FloatTensor<Self> {
        plain::upsample_2x::<Self>(x, factor)
    }

    /// The sums of 2x2 blocks, multiplied by `factor`; the adjoint of `upsample_2x`.
    fn pool_2x2(x: FloatTensor<Self>, factor: f32) -> FloatTensor<Self> {
        plain::pool_2x2::<Self>(x, factor)
    }

    /// The maxima of 2x2 blocks.
    fn max_pool_2x2(x: FloatTensor<Self>) -> FloatTensor<Self> {
        plain::max_pool_2x2::<Self>(x)
    }

    /// `(y, log_sums)`: the attention of each query, and the logarithm, `[n, queries]`, of the sum of its
    /// exponentials, as the backend's gradient expects it. No gradient flows through the latter.
    fn self_attention(
        theta: FloatTensor<Self>,
        phi: FloatTensor<Self>,
        g: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        plain::attention::<Self>(theta, phi, g)
    }

    /// `(y, kept)`: attention along a direction, and what the backend's gradient expects of the pass. No gradient flows
    /// through the latter.
    #[cfg(feature = "train")]
    fn attention_along(
        theta: FloatTensor<Self>,
        phi: FloatTensor<Self>,
        g: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        plain::attention_along::<Self>(theta, phi, g)
    }

    /// `(W / sigma, u', v, sigma)` of `W: [out, rest]` and `u: [out]`. No gradient flows through the latter three.
    fn spectral_normalise(
        weight: FloatTensor<Self>,
        u: FloatTensor<Self>,
        eps: f64,
    ) -> (
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
    ) {
        plain::spectral_normalise::<Self>(weight, u, eps)
    }

    /// Gradient of `spectral_normalise`, whose outputs are `y`, `u`, `v` and `sigma`, with respect to the weight.
    fn spectral_normalise_grad(
        y: FloatTensor<Self>,
        u: FloatTensor<Self>,
        v: FloatTensor<Self>,
        sigma: FloatTensor<Self>,
        dy: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        plain::spectral_normalise_grad::<Self>(y, u, v, sigma, dy)
    }

    /// The sums over all ranks of a group.
    fn all_reduce_sum(x: FloatTensor<Self>, group: Group) -> FloatTensor<Self> {
        through_host::<Self>(x, &group)
    }

    /// Gradients of `attention_along` by theta, phi and g, each with its part along the direction.
    #[cfg(feature = "train")]
    fn attention_along_grad(
        theta: FloatTensor<Self>,
        phi: FloatTensor<Self>,
        g: FloatTensor<Self>,
        y: FloatTensor<Self>,
        kept: FloatTensor<Self>,
        dy: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let _ = kept;
        plain::attention_along_grad::<Self>(theta, phi, g, y, dy)
    }

    /// `(value, first moment, second moment)` after a step of Adam.
    #[cfg(feature = "train")]
    fn adam_step(
        value: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        first: FloatTensor<Self>,
        second: FloatTensor<Self>,
        step: AdamStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        plain::adam_step::<Self>(value, gradient, first, second, step)
    }

    /// `a x + b y`
    fn weighted_sum(
        x: FloatTensor<Self>,
        a: f64,
        y: FloatTensor<Self>,
        b: f64,
    ) -> FloatTensor<Self> {
        plain::weighted_sum::<Self>(x, a, y, b)
    }

    /// `factor (product - |w_i|^2 w_i)` of each row `w_i` of `w: [out, rest]` if `modified`, else
    /// `factor (product - w)`.
    #[cfg(feature = "train")]
    fn orthogonal_term(
        product: FloatTensor<Self>,
        w: FloatTensor<Self>,
        factor: f64,
        modified: bool,
    ) -> FloatTensor<Self> {
        plain::orthogonal_term::<Self>(product, w, factor, modified)
    }

    /// `max(x, 0)`
    fn relu_of(x: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::relu(x)
    }

    /// Gradient of a ReLU, by its input or its output.
    fn relu_grad(x: FloatTensor<Self>, dy: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::relu_backward(x, dy)
    }

    /// Gradient of `same_conv2d` with respect to `x`.
    fn same_conv2d_x_grad(weight: FloatTensor<Self>, dy: FloatTensor<Self>) -> FloatTensor<Self> {
        plain::same_conv2d_x_grad::<Self>(weight, dy)
    }

    /// Gradient of `same_conv2d` with respect to the weight.
    fn same_conv2d_weight_grad(
        x: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        kernel: usize,
    ) -> FloatTensor<Self> {
        plain::same_conv2d_weight_grad::<Self>(x, dy, kernel)
    }

    /// Gradient of `upsample_conv2d` with respect to `x`.
    fn upsample_conv2d_x_grad(
        weight: FloatTensor<Self>,
        dy: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        plain::upsample_conv2d_x_grad::<Self>(weight, dy)
    }

    /// Gradient of `upsample_conv2d` with respect to the weight.
    fn upsample_conv2d_weight_grad(
        x: FloatTensor<Self>,
        dy: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        plain::upsample_conv2d_weight_grad::<Self>(x, dy)
    }

    /// Gradient of `conv2d_pool` with respect to `x`.
    fn conv2d_pool_x_grad(weight: FloatTensor<Self>, dy: FloatTensor<Self>) -> FloatTensor<Self> {
        plain::conv2d_pool_x_grad::<Self>(weight, dy)
    }

    /// Gradient of `conv2d_pool` with respect to the weight.
    fn conv2d_pool_weight_grad(x: FloatTensor<Self>, dy: FloatTensor<Self>) -> FloatTensor<Self> {
        plain::conv2d_pool_weight_grad::<Self>(x, dy)
    }

    /// `[n, c, h, w] -> [c]`: the gradient of a convolution's bias.
    fn channel_sums(x: FloatTensor<Self>) -> FloatTensor<Self> {
        plain::channel_sums::<Self>(x)
    }

    /// `(dx, dgain, dbias)` of `batch_norm_relu`.
    #[allow(clippy::too_many_arguments)]
    fn batch_norm_relu_grad(
        x: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        var: FloatTensor<Self>,
        gain: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        eps: f64,
        relu: bool,
        share: Option<Share>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        plain::batch_norm_grad::<Self>(x, mean, var, gain, bias, dy, eps, relu, share)
    }

    /// `(dx, dscale, dshift)` of `scale_shift_relu`.
    fn scale_shift_relu_grad(
        x: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        relu: bool,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        plain::scale_shift_relu_grad::<Self>(x, scale, shift, dy, relu)
    }

    /// Gradient of `max_pool_2x2`: of equal maxima the first one has it.
    fn max_pool_2x2_grad(x: FloatTensor<Self>, dy: FloatTensor<Self>) -> FloatTensor<Self> {
        plain::max_pool_2x2_grad::<Self>(x, dy)
    }

    /// `(dtheta, dphi, dg)` of `self_attention`, whose outputs are `y` and `log_sums`.
    fn self_attention_grad(
        theta: FloatTensor<Self>,
        phi: FloatTensor<Self>,
        g: FloatTensor<Self>,
        y: FloatTensor<Self>,
        _log_sums: FloatTensor<Self>,
        dy: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        plain::attention_grad::<Self>(theta, phi, g, y, dy)
    }
}

/// Sums over ranks through the host's memory.
pub(super) fn through_host<B: Backend>(x: FloatTensor<B>, group: &Group) -> FloatTensor<B> {
    if group.is_single() {
        return x;
    }
    let (device, dtype) = (x.device(), x.dtype());
    let data = read_sync(B::float_into_data(x)).expect("a sum over ranks reads its tensor");
    let shape = data.shape().clone();
    let values = data.convert::<f32>().try_into_vec::<f32>();
    let mut values = values.expect("converted to f32");
    group.all_reduce_sum(&mut values);
    let sums = TensorData::new(values, shape).convert_dtype(dtype);
    B::float_from_data(sums, &device)
}
