//! The kernels as compositions of Burn's own operations: the reference, and what every backend but
//! `flex` runs.

use burn::backend::ops::ConvOptions;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata};
use burn::tensor::{IntDType, Scalar, Shape, Slice, TensorData};

#[cfg(feature = "train")]
use super::super::cpu::optimiser::AdamStep;
use super::KernelOps;
#[cfg(feature = "train")]
pub use super::plain_along::{attention_along, attention_along_grad};
pub use super::plain_attention::{attention, attention_grad};
pub use super::plain_spectral_norm::{spectral_normalise, spectral_normalise_grad};
use crate::collective::Share;

type Triple<B> = (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>);

/// Stride 1, and the padding that keeps height and width.
pub fn same_padding(kernel: usize) -> ConvOptions<2> {
    ConvOptions::new([1, 1], [kernel / 2, kernel / 2], [1, 1], 1)
}

/// `[n, i, h, w], [o, i, k, k] -> [n, o, h, w]`
pub fn same_conv2d<B: Backend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
) -> FloatTensor<B> {
    let options = same_padding(weight.shape()[2]);
    B::conv2d(x, weight, Some(bias), options)
}

/// `[o, i, k, k], dy: [n, o, h, w] -> dx: [n, i, h, w]`
pub fn same_conv2d_x_grad<B: Backend>(
    weight: FloatTensor<B>,
    dy: FloatTensor<B>,
) -> FloatTensor<B> {
    let options = same_padding(weight.shape()[2]);
    let weight = B::float_flip(B::float_swap_dims(weight, 0, 1), &[2, 3]);
    B::conv2d(dy, weight, None, options)
}

/// `x: [n, i, h, w], dy: [n, o, h, w] -> dw: [o, i, k, k]`
pub fn same_conv2d_weight_grad<B: Backend>(
    x: FloatTensor<B>,
    dy: FloatTensor<B>,
    kernel: usize,
) -> FloatTensor<B> {
    let shape = [dy.shape()[1], x.shape()[1], kernel, kernel];
    // Burn reads the shape of the weight, not its values.
    let weight = B::float_zeros(Shape::new(shape), &x.device(), x.dtype().into());
    B::conv2d_weight_backward(x, weight, dy, same_padding(kernel))
}

/// `[n, c, h, w] -> [c]`
pub fn channel_sums<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    let channels = x.shape()[1];
    let sums = B::float_sum_dims(x, &[0, 2, 3]);
    B::float_reshape(sums, Shape::new([channels]))
}

/// `[n, c, h, w] -> [n, c, 2h, 2w]`, each value four times, multiplied by `factor`.
pub fn upsample_2x<B: Backend>(x: FloatTensor<B>, factor: f32) -> FloatTensor<B> {
    let [n, c, h, w] = x.shape().dims();
    let x = if factor == 1.0 {
        x
    } else {
        B::float_mul_scalar(x, Scalar::from(factor))
    };
    let x = B::float_reshape(x, Shape::new([n, c, h, 1, w, 1]));
    let x = B::float_expand(x, Shape::new([n, c, h, 2, w, 2]));
    B::float_reshape(x, Shape::new([n, c, 2 * h, 2 * w]))
}

/// `[n, c, 2h, 2w] -> [n, c, h, w]`, the sums of 2x2 blocks multiplied by `factor`.
pub fn pool_2x2<B: Backend>(x: FloatTensor<B>, factor: f32) -> FloatTensor<B> {
    let [n, c, h, w] = x.shape().dims();
    let (h, w) = (h / 2, w / 2);
    let x = B::float_reshape(x, Shape::new([n, c, h, 2, w, 2]));
    let x = B::float_sum_dims(x, &[3, 5]);
    let x = B::float_reshape(x, Shape::new([n, c, h, w]));
    B::float_mul_scalar(x, Scalar::from(factor))
}

/// `[n, c, 2h, 2w] -> [n, c, h, w]`, the maxima of 2x2 blocks.
pub fn max_pool_2x2<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    B::max_pool2d(x, [2, 2], [2, 2], [0, 0], [1, 1], false)
}

/// Gradient of [`max_pool_2x2`].
pub fn max_pool_2x2_grad<B: Backend>(x: FloatTensor<B>, dy: FloatTensor<B>) -> FloatTensor<B> {
    let (two, zero, one) = ([2, 2], [0, 0], [1, 1]);
    let places =
        B::max_pool2d_with_indices(x.clone(), two, two, zero, one, false, IntDType::I32).indices;
    B::max_pool2d_with_indices_backward(x, two, two, zero, one, false, dy, places).x_grad
}

/// 3x3 convolution of the upsampled `x`.
pub fn upsample_conv2d<B: KernelOps>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
) -> FloatTensor<B> {
    B::same_conv2d(B::upsample_2x(x, 1.0), weight, bias)
}

/// 2x2 average of the 3x3 convolution.
pub fn conv2d_pool<B: KernelOps>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
) -> FloatTensor<B> {
    B::pool_2x2(B::same_conv2d(x, weight, bias), 0.25)
}

/// Gradient of [`upsample_conv2d`] with respect to `x`.
pub fn upsample_conv2d_x_grad<B: KernelOps>(
    weight: FloatTensor<B>,
    dy: FloatTensor<B>,
) -> FloatTensor<B> {
    B::pool_2x2(B::same_conv2d_x_grad(weight, dy), 1.0)
}

/// Gradient of [`upsample_conv2d`] with respect to the weight.
pub fn upsample_conv2d_weight_grad<B: KernelOps>(
    x: FloatTensor<B>,
    dy: FloatTensor<B>,
) -> FloatTensor<B> {
    B::same_conv2d_weight_grad(B::upsample_2x(x, 1.0), dy, 3)
}

/// Gradient of [`conv2d_pool`] with respect to `x`.
pub fn conv2d_pool_x_grad<B: KernelOps>(
    weight: FloatTensor<B>,
    dy: FloatTensor<B>,
) -> FloatTensor<B> {
    B::same_conv2d_x_grad(weight, B::upsample_2x(dy, 0.25))
}

/// Gradient of [`conv2d_pool`] with respect to the weight.
pub fn conv2d_pool_weight_grad<B: KernelOps>(
    x: FloatTensor<B>,
    dy: FloatTensor<B>,
) -> FloatTensor<B> {
    B::same_conv2d_weight_grad(x, B::upsample_2x(dy, 0.25), 3)
}

/// A table `[n or 1, c]` as `[n or 1, c, 1, 1]`.
fn over_positions<B: Backend>(table: FloatTensor<B>) -> FloatTensor<B> {
    let [n, c] = table.shape().dims();
    B::float_reshape(table, Shape::new([n, c, 1, 1]))
}

/// Sums `[n, c, h, w]` to a table `[rows, c]`, `rows` being `n` or 1.
fn to_table<B: Backend>(x: FloatTensor<B>, rows: usize) -> FloatTensor<B> {
    let channels = x.shape()[1];
    let dims: &[usize] = if rows == x.shape()[0] {
        &[2, 3]
    } else {
        &[0, 2, 3]
    };
    B::float_reshape(B::float_sum_dims(x, dims), Shape::new([rows, channels]))
}

/// `relu(x * scale + shift)`, the ReLU only if `relu`.
pub fn scale_shift_relu<B: Backend>(
    x: FloatTensor<B>,
    scale: FloatTensor<B>,
    shift: FloatTensor<B>,
    relu: bool,
) -> FloatTensor<B> {
    let y = B::float_mul(x, over_positions::<B>(scale));
    let y = B::float_add(y, over_positions::<B>(shift));
    if relu { B::relu(y) } else { y }
}

/// `(dx, dscale, dshift)` of [`scale_shift_relu`].
pub fn scale_shift_relu_grad<B: Backend>(
    x: FloatTensor<B>,
    scale: FloatTensor<B>,
    shift: FloatTensor<B>,
    dy: FloatTensor<B>,
    relu: bool,
) -> Triple<B> {
    let (rows, shift_rows) = (scale.shape()[0], shift.shape()[0]);
    let dy = if relu {
        let y = scale_shift_relu::<B>(x.clone(), scale.clone(), shift, true);
        B::relu_backward(y, dy)
    } else {
        dy
    };
    let dx = B::float_mul(dy.clone(), over_positions::<B>(scale));
    let dscale = to_table::<B>(B::float_mul(dy.clone(), x), rows);
    (dx, dscale, to_table::<B>(dy, shift_rows))
}

/// Mean and biased variance `[c]` of `[n, c, h, w]`.
pub fn moments<B: Backend>(x: FloatTensor<B>) -> (FloatTensor<B>, FloatTensor<B>) {
    let [n, c, h, w] = x.shape().dims();
    let average = |sum| B::float_mul_scalar(sum, Scalar::from(1.0 / (n * h * w) as f64));
    let mean = average(channel_sums::<B>(x.clone()));
    let wide = B::float_reshape(mean.clone(), Shape::new([1, c, 1, 1]));
    let centred = B::float_sub(x, wide);
    let var = average(channel_sums::<B>(B::float_mul(centred.clone(), centred)));
    (mean, var)
}

/// `(x - mean) / sqrt(var + eps)` and `1 / sqrt(var + eps)` as `[1, c, 1, 1]`.
fn normalise<B: Backend>(
    x: FloatTensor<B>,
    mean: FloatTensor<B>,
    var: FloatTensor<B>,
    eps: f64,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let wide = Shape::new([1, x.shape()[1], 1, 1]);
    let std = B::float_sqrt(B::float_add_scalar(var, Scalar::from(eps)));
    let reciprocal = B::float_reshape(B::float_recip(std), wide.clone());
    let centred = B::float_sub(x, B::float_reshape(mean, wide));
    (B::float_mul(centred, reciprocal.clone()), reciprocal)
}

/// Mean and biased variance `[c]` of the batch of all ranks; the formula is [`Share::merge`]'s.
pub fn merge<B: KernelOps>(
    mean: FloatTensor<B>,
    var: FloatTensor<B>,
    share: &Share,
) -> [FloatTensor<B>; 2] {
    let (device, dtype) = (mean.device(), mean.dtype());
    let [channels] = mean.shape().dims();
    let ranks = share.group().world();
    let column = |values: Vec<f32>| {
        let data = TensorData::new(values, [ranks, 1]).convert_dtype(dtype);
        B::float_from_data(data, &device)
    };
    let own = (0..ranks).map(|rank| f32::from(u8::from(rank == share.group().rank())));
    let own = column(own.collect());
    let row = B::float_cat(vec![mean, var], 0);
    let row = B::float_reshape(row, Shape::new([1, 2 * channels]));
    let table = B::all_reduce_sum(B::float_mul(own, row), share.group().clone());
    let weights = column(share.weights().map(|w| w as f32).collect());
    let half = |from: usize| {
        let slices = [Slice::from(0..ranks), Slice::from(from..from + channels)];
        B::float_slice(table.clone(), &slices)
    };
    let average = |values| B::float_sum_dim(B::float_mul(values, weights.clone()), 0); // [1, c]
    let [means, vars] = [half(0), half(channels)];
    let mean = average(means.clone());
    let apart = B::float_sub(means, mean.clone());
    let var = average(B::float_add(vars, B::float_mul(apart.clone(), apart)));
    [mean, var].map(|row| B::float_reshape(row, Shape::new([channels])))
}

/// `(y, mean, var)`; see [`crate::kernels::batch_norm_train`].
pub fn batch_norm<B: KernelOps>(
    x: FloatTensor<B>,
    gain: FloatTensor<B>,
    bias: FloatTensor<B>,
    eps: f64,
    relu: bool,
    share: Option<Share>,
) -> Triple<B> {
    let (mut mean, mut var) = moments::<B>(x.clone());
    if let Some(share) = share {
        [mean, var] = merge::<B>(mean, var, &share);
    }
    let (normalised, _) = normalise::<B>(x, mean.clone(), var.clone(), eps);
    (
        scale_shift_relu::<B>(normalised, gain, bias, relu),
        mean,
        var,
    )
}

/// A rank's sums as those of the batch of all ranks; `None` if its images had no part in the statistics, and so no gradient
/// through them. It has a part in the sum over ranks all the same.
pub fn of_the_batch<B: KernelOps>(
    mut sums: FloatTensor<B>,
    share: Option<&Share>,
) -> Option<FloatTensor<B>> {
    let counts = share.is_none_or(Share::counts);
    if let Some(share) = share {
        if !counts {
            sums = B::float_mul_scalar(sums, Scalar::from(0.0));
        }
        sums = B::all_reduce_sum(sums, share.group().clone());
    }
    counts.then_some(sums)
}

/// `(dx, dgain, dbias)` of [`batch_norm`]; the formula is in `kernels::cpu::batch_norm`.
#[allow(clippy::too_many_arguments)]
pub fn batch_norm_grad<B: KernelOps>(
    x: FloatTensor<B>,
    mean: FloatTensor<B>,
    var: FloatTensor<B>,
    gain: FloatTensor<B>,
    bias: FloatTensor<B>,
    dy: FloatTensor<B>,
    eps: f64,
    relu: bool,
    share: Option<Share>,
) -> Triple<B> {
    let [n, c, h, w] = x.shape().dims();
    let (normalised, reciprocal) = normalise::<B>(x, mean, var, eps);
    let (g, dgain, dbias) = scale_shift_relu_grad::<B>(normalised.clone(), gain, bias, dy, relu);
    let images = share.as_ref().map_or(n, Share::images);
    let sums = [g.clone(), B::float_mul(g.clone(), normalised.clone())].map(channel_sums::<B>);
    let sums = B::float_cat(sums.to_vec(), 0); // [2 c]
    let Some(sums) = of_the_batch::<B>(sums, share.as_ref()) else {
        let dx = B::float_mul(g, reciprocal);
        return (dx, dgain, dbias);
    };
    let average = |from: usize| {
        let half = B::float_slice(sums.clone(), &[Slice::from(from..from + c)]);
        let half = B::float_reshape(half, Shape::new([1, c, 1, 1]));
        B::float_mul_scalar(half, Scalar::from(1.0 / (images * h * w) as f64))
    };
    let dx = B::float_sub(g, average(0));
    let dx = B::float_sub(dx, B::float_mul(normalised, average(c)));
    (B::float_mul(dx, reciprocal), dgain, dbias)
}

/// `(value, first moment, second moment)`; the formula is in `kernels::cpu::optimiser`.
#[cfg(feature = "train")]
pub fn adam_step<B: Backend>(
    value: FloatTensor<B>,
    gradient: FloatTensor<B>,
    first: FloatTensor<B>,
    second: FloatTensor<B>,
    step: AdamStep,
) -> Triple<B> {
    let times = |x, factor: f32| B::float_mul_scalar(x, Scalar::from(factor));
    let square = B::float_mul(gradient.clone(), gradient.clone());
    let first = B::float_add(times(first, step.beta1), times(gradient, 1.0 - step.beta1));
    let second = B::float_add(times(second, step.beta2), times(square, 1.0 - step.beta2));
    let root = B::float_add_scalar(B::float_sqrt(second.clone()), Scalar::from(step.eps));
    let change = B::float_div(times(first.clone(), step.correction), root);
    (B::float_sub(value, times(change, step.lr)), first, second)
}

/// `a x + b y`
pub fn weighted_sum<B: Backend>(
    x: FloatTensor<B>,
    a: f64,
    y: FloatTensor<B>,
    b: f64,
) -> FloatTensor<B> {
    let times = |x, factor: f64| B::float_mul_scalar(x, Scalar::from(factor));
    B::float_add(times(x, a), times(y, b))
}

/// `factor (product - |w_i|^2 w_i)` of each row, or `factor (product - w)`.
#[cfg(feature = "train")]
pub fn orthogonal_term<B: Backend>(
    product: FloatTensor<B>,
    w: FloatTensor<B>,
    factor: f64,
    modified: bool,
) -> FloatTensor<B> {
    let own = match modified {
        true => {
            let norms = B::float_sum_dim(B::float_mul(w.clone(), w.clone()), 1); // [out, 1]
            B::float_mul(w, norms)
        }
        false => w,
    };
    B::float_mul_scalar(B::float_sub(product, own), Scalar::from(factor))
}
