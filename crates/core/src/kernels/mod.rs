//! Fused operations for training and inference on the CPU, behind Burn's extension point.
//!
//! The functions here work on any tensor: on `flex` they run the kernels of `cpu`, on every other
//! backend the same formula in Burn's own operations (`ops::plain`), and on an autodiff device they
//! record one node each. Results do not depend on the number of threads.

#[cfg(feature = "train")]
mod autodiff;
mod cpu;
#[cfg(any(feature = "wgpu", feature = "nccl"))]
mod cube;
mod flex;
pub mod inference;
mod ops;
#[cfg(all(test, feature = "train"))]
mod tests;

use burn::backend::Dispatch;
use burn::tensor::Tensor;
use burn::tensor::module::conv2d as burn_conv2d;
use burn::tensor::ops::ConvOptions;

#[cfg(feature = "train")]
pub use cpu::optimiser::AdamStep;
pub use ops::KernelOps;

use crate::collective::{Group, Share};

/// Convolution of stride 1: `y[n, o] = bias[o] + sum_i weight[o, i] * x[n, i]`, zero-padded.
///
/// The kernels cover 1x1 without and 3x3 with padding 1, all that BigGAN uses; other sizes go to Burn.
///
/// # Shapes
/// - x: `[n, i, h, w]`, weight: `[o, i, k, k]`, bias: `[o]`
/// - output: `[n, o, h + 2 padding - k + 1, w + 2 padding - k + 1]`
pub fn conv2d(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    padding: usize,
) -> Tensor<4> {
    let [_, inputs, height, width] = weight.dims();
    assert_eq!(
        x.dims()[1],
        inputs,
        "conv2d: channels of x (left) and of the weight (right) differ"
    );
    if height != width || !matches!((height, padding), (1, 0) | (3, 1)) {
        let options = ConvOptions::new([1, 1], [padding, padding], [1, 1], 1);
        return burn_conv2d(x, weight, bias, options);
    }
    let bias = bias_or_zero(&x, &weight, bias).into_dispatch();
    let y = Dispatch::same_conv2d(x.into_dispatch(), weight.into_dispatch(), bias);
    Tensor::from_dispatch(y)
}

/// `conv2d(upsample_nearest_2x(x), weight, bias, 1)` in 16/36 of the multiply-adds.
///
/// # Shapes
/// - x: `[n, i, h, w]`, weight: `[o, i, 3, 3]`, bias: `[o]`
/// - output: `[n, o, 2h, 2w]`
pub fn conv3x3_after_upsample(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
) -> Tensor<4> {
    assert_3x3(&x, &weight);
    let bias = bias_or_zero(&x, &weight, bias).into_dispatch();
    let y = Dispatch::upsample_conv2d(x.into_dispatch(), weight.into_dispatch(), bias);
    Tensor::from_dispatch(y)
}

/// `avg_pool_2x2(conv2d(x, weight, bias, 1))` in 16/36 of the multiply-adds.
///
/// # Shapes
/// - x: `[n, i, 2h, 2w]`, weight: `[o, i, 3, 3]`, bias: `[o]`
/// - output: `[n, o, h, w]`
pub fn conv3x3_then_pool(x: Tensor<4>, weight: Tensor<4>, bias: Option<Tensor<1>>) -> Tensor<4> {
    assert_3x3(&x, &weight);
    assert_even(&x);
    let bias = bias_or_zero(&x, &weight, bias).into_dispatch();
    let y = Dispatch::conv2d_pool(x.into_dispatch(), weight.into_dispatch(), bias);
    Tensor::from_dispatch(y)
}

/// Class-conditional batch normalisation with the statistics of the batch, followed by ReLU:
/// `y = relu((x - mean[c]) / sqrt(var[c] + eps) * gain[n, c] + bias[n, c])`, the ReLU only if `relu`.
///
/// `mean` and `var` (biased) are those of `x` over images and positions. The gradient of `y` flows
/// through them; as outputs, for the running statistics, they are detached.
///
/// # Shapes
/// - x: `[n, c, h, w]`, gain and bias: `[n, c]`, or `[1, c]` without classes
/// - output: `y: [n, c, h, w]`, `mean: [c]`, `var: [c]`
///
/// # Ranks
/// With a share the statistics are those of the batch of all ranks, by one sum over ranks; the gradient takes
/// another sum, since every rank's output depends on every rank's input.
pub fn batch_norm_train(
    x: Tensor<4>,
    gain: Tensor<2>,
    bias: Tensor<2>,
    eps: f64,
    relu: bool,
    share: Option<&Share>,
) -> (Tensor<4>, Tensor<1>, Tensor<1>) {
    assert_table(&x, &gain);
    assert_table(&x, &bias);
    let (gain, bias) = same_rows(gain, bias);
    let (y, mean, var) = Dispatch::batch_norm_relu(
        x.into_dispatch(),
        gain.into_dispatch(),
        bias.into_dispatch(),
        eps,
        relu,
        share.cloned(),
    );
    (
        Tensor::from_dispatch(y),
        Tensor::from_dispatch(mean),
        Tensor::from_dispatch(var),
    )
}

/// `y = relu(x * scale[n, c] + shift[n, c])`, the ReLU only if `relu`: batch normalisation with fixed
/// statistics, folded.
///
/// # Shapes
/// - x: `[n, c, h, w]`, scale and shift: `[n, c]` or `[1, c]`
/// - output: `[n, c, h, w]`
pub fn scale_shift_relu(x: Tensor<4>, scale: Tensor<2>, shift: Tensor<2>, relu: bool) -> Tensor<4> {
    assert_table(&x, &scale);
    assert_table(&x, &shift);
    Tensor::from_dispatch(Dispatch::scale_shift_relu(
        x.into_dispatch(),
        scale.into_dispatch(),
        shift.into_dispatch(),
        relu,
    ))
}

/// A weight divided by an estimate of its largest singular value, by one power step from the left vector `u`:
///
/// ```text
/// v  = W^T u / max(|W^T u|, eps)
/// u' = W v   / max(|W v|, eps)
/// sigma = u' . (W v)                 Y = W / sigma
/// ```
///
/// `u'` and `v` are constants for the gradient, which flows through `W` in `sigma` too:
/// `dW = (dY - <dY, Y> u' v^T) / sigma` (Miyato et al. 2018, "Spectral Normalization for GANs", Alg. 1 and eq. 12).
///
/// # Shapes
/// - weight: `[out, rest]`, u: `[out]`
/// - output: `Y: [out, rest]`, `u': [out]`
pub fn spectral_normalise(weight: Tensor<2>, u: Tensor<1>, eps: f64) -> (Tensor<2>, Tensor<1>) {
    let (y, next, _, _) =
        Dispatch::spectral_normalise(weight.into_dispatch(), u.into_dispatch(), eps);
    (Tensor::from_dispatch(y), Tensor::from_dispatch(next))
}

/// `max(x, 0)`.
///
/// # Shapes
/// - x: `[n, c, h, w]`, returned with the same shape
pub fn relu(x: Tensor<4>) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::relu_of(x.into_dispatch()))
}

/// Each value four times: `[n, c, h, w] -> [n, c, 2h, 2w]`.
pub fn upsample_nearest_2x(x: Tensor<4>) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::upsample_2x(x.into_dispatch(), 1.0))
}

/// The means of 2x2 blocks: `[n, c, 2h, 2w] -> [n, c, h, w]`.
pub fn avg_pool_2x2(x: Tensor<4>) -> Tensor<4> {
    assert_even(&x);
    Tensor::from_dispatch(Dispatch::pool_2x2(x.into_dispatch(), 0.25))
}

/// The maxima of 2x2 blocks, `[n, c, 2h, 2w] -> [n, c, h, w]`; of equal ones the first has the gradient.
pub fn max_pool_2x2(x: Tensor<4>) -> Tensor<4> {
    assert_even(&x);
    Tensor::from_dispatch(Dispatch::max_pool_2x2(x.into_dispatch()))
}

/// Self-attention (Zhang et al. 2019, "Self-Attention GANs", eq. 1-2, whose f and g are theta and phi, and whose h
/// is g): `y[n, :, q] = sum_j beta[q, j] g[n, :, j]`, `beta[q, :] = softmax_j(theta[n, :, q] . phi[n, :, j])`; that
/// is `g softmax(theta^T phi)^T`.
///
/// On the CPU the table beta is never whole: it is computed in blocks with a running maximum (Milakov & Gimelshein
/// 2018; Dao et al. 2022, "FlashAttention"), and again for the gradient.
///
/// # Shapes
/// - theta: `[n, k, queries]`, phi: `[n, k, keys]`, g: `[n, c, keys]`
/// - output: `[n, c, queries]`
pub fn attention(theta: Tensor<3>, phi: Tensor<3>, g: Tensor<3>) -> Tensor<3> {
    let ([n, k, _], [_, _, keys], [_, c, _]) = (theta.dims(), phi.dims(), g.dims());
    assert!(
        phi.dims() == [n, k, keys] && g.dims() == [n, c, keys],
        "attention: queries {:?}, keys {:?} and values {:?} do not fit",
        theta.dims(),
        phi.dims(),
        g.dims()
    );
    let (y, _) = Dispatch::self_attention(
        theta.into_dispatch(),
        phi.into_dispatch(),
        g.into_dispatch(),
    );
    Tensor::from_dispatch(y)
}

/// Attention along a direction: with each input's own part first and its derivative after it, along the images,
/// `y = h beta^T + g dbeta^T`, where `beta` is as in [`attention`], `dbeta` its derivative, and h what g's second half
/// holds. (With h the derivative of g, y is that of the attention.)
///
/// # Shapes
/// - theta: `[2 n, k, queries]`, phi: `[2 n, k, keys]`, g: `[2 n, c, keys]`
/// - output: `[n, c, queries]`
#[cfg(feature = "train")]
pub fn attention_along(theta: Tensor<3>, phi: Tensor<3>, g: Tensor<3>) -> Tensor<3> {
    let (y, _) = Dispatch::attention_along(
        theta.into_dispatch(),
        phi.into_dispatch(),
        g.into_dispatch(),
    );
    Tensor::from_dispatch(y)
}

/// The sums over all ranks of a group; the gradient is summed in the same way.
///
/// # Shapes
/// - x: any, returned with the same shape
pub fn all_reduce_sum<const D: usize>(x: Tensor<D>, group: &Group) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::all_reduce_sum(x.into_dispatch(), group.clone()))
}

/// A step of Adam: the new value of a parameter and of both moments of its gradient.
///
/// # Shapes
/// - all tensors: `[len]`
#[cfg(feature = "train")]
pub fn adam_step(
    value: Tensor<1>,
    gradient: Tensor<1>,
    [first, second]: [Tensor<1>; 2],
    step: AdamStep,
) -> (Tensor<1>, [Tensor<1>; 2]) {
    let (value, first, second) = Dispatch::adam_step(
        value.into_dispatch(),
        gradient.into_dispatch(),
        first.into_dispatch(),
        second.into_dispatch(),
        step,
    );
    let moments = [first, second].map(Tensor::from_dispatch);
    (Tensor::from_dispatch(value), moments)
}

/// `a x + b y`, in one pass over the tensors.
///
/// # Shapes
/// - all tensors: the same
pub fn weighted_sum<const D: usize>(x: Tensor<D>, a: f64, y: Tensor<D>, b: f64) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::weighted_sum(
        x.into_dispatch(),
        a,
        y.into_dispatch(),
        b,
    ))
}

/// `factor (P - |w_i|^2 w_i)` for each row `w_i` of W if `modified`, else `factor (P - W)`: with `P = W W^T W` what is
/// left of orthogonal regularisation's gradient (`train::orthogonal_gradient`).
///
/// # Shapes
/// - product, w: `[out, rest]`, returned with the same shape
#[cfg(feature = "train")]
pub fn orthogonal_term(product: Tensor<2>, w: Tensor<2>, factor: f64, modified: bool) -> Tensor<2> {
    let (product, w) = (product.into_dispatch(), w.into_dispatch());
    Tensor::from_dispatch(Dispatch::orthogonal_term(product, w, factor, modified))
}

/// The extension macro has no optional tensors: a missing bias is passed as an untracked zero.
fn bias_or_zero(x: &Tensor<4>, weight: &Tensor<4>, bias: Option<Tensor<1>>) -> Tensor<1> {
    bias.unwrap_or_else(|| Tensor::zeros([weight.dims()[0]], (&x.device(), x.dtype())))
}

/// Repeat the table with one row if the other has more: the gradient formula pairs them.
fn same_rows(a: Tensor<2>, b: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
    let [rows, channels] = [a.dims()[0].max(b.dims()[0]), a.dims()[1]];
    if a.dims()[0] == b.dims()[0] {
        return (a, b);
    }
    (a.expand([rows, channels]), b.expand([rows, channels]))
}

fn assert_3x3(x: &Tensor<4>, weight: &Tensor<4>) {
    let [outputs, _, _, _] = weight.dims();
    let expected = [outputs, x.dims()[1], 3, 3];
    assert_eq!(
        weight.dims(),
        expected,
        "weight (left) does not fit x (right)"
    );
}

fn assert_even(x: &Tensor<4>) {
    let [_, _, height, width] = x.dims();
    assert!(
        height % 2 == 0 && width % 2 == 0,
        "pooling 2x2 needs an even height and width, not {height}x{width}"
    );
}

fn assert_table(x: &Tensor<4>, table: &Tensor<2>) {
    let ([images, channels, _, _], [rows, columns]) = (x.dims(), table.dims());
    assert!(
        columns == channels && (rows == images || rows == 1),
        "a table for x [{images}, {channels}, ..] has the wrong shape [{rows}, {columns}]"
    );
}
