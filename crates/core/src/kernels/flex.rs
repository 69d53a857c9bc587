//! The kernels on Burn's CPU backend: tensors to slices and back.
//!
//! Other element types than f32 take the plain path.

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};
use burn::tensor::{DType, TensorData};

use super::cpu::attention::{self, AttentionShape};
use super::cpu::conv;
use super::cpu::conv_shape::ConvShape;
use super::cpu::optimiser;
#[cfg(feature = "train")]
use super::cpu::optimiser::AdamStep;
use super::cpu::planes::{self, PlaneShape};
#[cfg(feature = "train")]
use super::cpu::{attention_along, attention_along_grad};
use super::cpu::{attention_grad, batch_norm};
use super::cpu::{conv_up, resample};
use super::ops::KernelOps;
use super::ops::plain;
use crate::collective::Share;

type Triple = (FlexTensor, FlexTensor, FlexTensor);

/// A contiguous f32 tensor.
struct Values(FlexTensor);

impl Values {
    fn new(tensor: FlexTensor) -> Self {
        Self(tensor.to_contiguous())
    }

    fn get(&self) -> &[f32] {
        self.0
            .as_slice()
            .expect("a contiguous f32 tensor is a slice")
    }

    fn dims<const D: usize>(&self) -> [usize; D] {
        self.0.shape().dims()
    }

    fn planes(&self) -> PlaneShape {
        let [images, channels, h, w] = self.dims();
        PlaneShape {
            images,
            channels,
            area: h * w,
        }
    }
}

fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape))
}

/// The tensor with memory of its own length.
#[cfg(feature = "train")]
fn whole(values: FlexTensor) -> FlexTensor {
    let values = values.to_contiguous();
    if values.storage::<f32>().len() == values.shape().num_elements() {
        return values;
    }
    let values = Values::new(values);
    tensor(values.get().to_vec(), values.dims::<1>())
}

fn is_f32(tensors: &[&FlexTensor]) -> bool {
    tensors.iter().all(|tensor| tensor.dtype() == DType::F32)
}

/// The shape of a convolution of an input `[n, i, h, w]`, or of the small image where one side is halved.
fn conv_shape([images, _, height, width]: [usize; 4], weight: [usize; 4]) -> ConvShape {
    let [outputs, inputs, kernel, _] = weight;
    ConvShape {
        images,
        inputs,
        outputs,
        height,
        width,
        kernel,
    }
}

fn halved([n, c, h, w]: [usize; 4]) -> [usize; 4] {
    [n, c, h / 2, w / 2]
}

fn attention_shape(theta: &Values, phi: &Values, g: &Values) -> AttentionShape {
    let [images, inner, queries] = theta.dims();
    AttentionShape {
        images,
        inner,
        channels: g.dims::<3>()[1],
        queries,
        keys: phi.dims::<3>()[2],
    }
}

/// Of pairs along the images.
#[cfg(feature = "train")]
fn along_shape(theta: &Values, phi: &Values, g: &Values) -> AttentionShape {
    let both = attention_shape(theta, phi, g);
    AttentionShape {
        images: both.images / 2,
        ..both
    }
}

/// The weight whose upsampling convolution is the adjoint of the pooled convolution of `weight`:
/// transposed, flipped and times 1/4, the factor of the average.
fn pool_weight(weight: &Values) -> Vec<f32> {
    let [outputs, inputs, kernel, _] = weight.dims();
    let mut flipped = conv::transpose_flip(weight.get(), outputs, inputs, kernel);
    flipped.iter_mut().for_each(|value| *value *= 0.25);
    flipped
}

impl KernelOps for Flex {
    fn same_conv2d(x: FlexTensor, weight: FlexTensor, bias: FlexTensor) -> FlexTensor {
        if !is_f32(&[&x, &weight, &bias]) {
            return plain::same_conv2d::<Self>(x, weight, bias);
        }
        let [x, weight, bias] = [x, weight, bias].map(Values::new);
        let shape = conv_shape(x.dims(), weight.dims());
        let y = conv::conv2d(shape, x.get(), weight.get(), Some(bias.get()));
        tensor(y, [shape.images, shape.outputs, shape.height, shape.width])
    }

    fn same_conv2d_x_grad(weight: FlexTensor, dy: FlexTensor) -> FlexTensor {
        if !is_f32(&[&weight, &dy]) {
            return plain::same_conv2d_x_grad::<Self>(weight, dy);
        }
        let (weight, dy) = (Values::new(weight), Values::new(dy));
        let shape = conv_shape(dy.dims(), weight.dims());
        let dx = conv::conv2d_x_grad(shape, dy.get(), weight.get());
        tensor(dx, [shape.images, shape.inputs, shape.height, shape.width])
    }

    fn same_conv2d_weight_grad(x: FlexTensor, dy: FlexTensor, kernel: usize) -> FlexTensor {
        if !is_f32(&[&x, &dy]) {
            return plain::same_conv2d_weight_grad::<Self>(x, dy, kernel);
        }
        let (x, dy) = (Values::new(x), Values::new(dy));
        let weight = [dy.dims::<4>()[1], x.dims::<4>()[1], kernel, kernel];
        let shape = conv_shape(x.dims(), weight);
        tensor(conv::conv2d_weight_grad(shape, x.get(), dy.get()), weight)
    }

    fn upsample_conv2d(x: FlexTensor, weight: FlexTensor, bias: FlexTensor) -> FlexTensor {
        if !is_f32(&[&x, &weight, &bias]) {
            return plain::upsample_conv2d::<Self>(x, weight, bias);
        }
        let [x, weight, bias] = [x, weight, bias].map(Values::new);
        let shape = conv_shape(x.dims(), weight.dims());
        let y = conv_up::upsample_conv2d(shape, x.get(), weight.get(), Some(bias.get()));
        tensor(
            y,
            [
                shape.images,
                shape.outputs,
                2 * shape.height,
                2 * shape.width,
            ],
        )
    }

    fn upsample_conv2d_x_grad(weight: FlexTensor, dy: FlexTensor) -> FlexTensor {
        if !is_f32(&[&weight, &dy]) {
            return plain::upsample_conv2d_x_grad::<Self>(weight, dy);
        }
        let (weight, dy) = (Values::new(weight), Values::new(dy));
        let shape = conv_shape(halved(dy.dims()), weight.dims());
        let dx = conv_up::upsample_conv2d_x_grad(shape, dy.get(), weight.get(), None);
        tensor(dx, [shape.images, shape.inputs, shape.height, shape.width])
    }

    fn upsample_conv2d_weight_grad(x: FlexTensor, dy: FlexTensor) -> FlexTensor {
        if !is_f32(&[&x, &dy]) {
            return plain::upsample_conv2d_weight_grad::<Self>(x, dy);
        }
        let (x, dy) = (Values::new(x), Values::new(dy));
        let weight = [dy.dims::<4>()[1], x.dims::<4>()[1], 3, 3];
        let shape = conv_shape(x.dims(), weight);
        let dw = conv_up::upsample_conv2d_weight_grad(shape, x.get(), dy.get());
        tensor(dw, weight)
    }

    fn conv2d_pool(x: FlexTensor, weight: FlexTensor, bias: FlexTensor) -> FlexTensor {
        if !is_f32(&[&x, &weight, &bias]) {
            return plain::conv2d_pool::<Self>(x, weight, bias);
        }
        let [x, weight, bias] = [x, weight, bias].map(Values::new);
        let shape = conv_shape(halved(x.dims()), weight.dims());
        let adjoint = shape.transposed();
        let y = conv_up::upsample_conv2d_x_grad(
            adjoint,
            x.get(),
            &pool_weight(&weight),
            Some(bias.get()),
        );
        tensor(y, [shape.images, shape.outputs, shape.height, shape.width])
    }

    fn conv2d_pool_x_grad(weight: FlexTensor, dy: FlexTensor) -> FlexTensor {
        if !is_f32(&[&weight, &dy]) {
            return plain::conv2d_pool_x_grad::<Self>(weight, dy);
        }
        let (weight, dy) = (Values::new(weight), Values::new(dy));
        let shape = conv_shape(dy.dims(), weight.dims());
        let adjoint = shape.transposed();
        let dx = conv_up::upsample_conv2d(adjoint, dy.get(), &pool_weight(&weight), None);
        tensor(
            dx,
            [
                shape.images,
                shape.inputs,
                2 * shape.height,
                2 * shape.width,
            ],
        )
    }

    fn conv2d_pool_weight_grad(x: FlexTensor, dy: FlexTensor) -> FlexTensor {
        if !is_f32(&[&x, &dy]) {
            return plain::conv2d_pool_weight_grad::<Self>(x, dy);
        }
        let (x, dy) = (Values::new(x), Values::new(dy));
        let weight = [dy.dims::<4>()[1], x.dims::<4>()[1], 3, 3];
        let shape = conv_shape(dy.dims(), weight);
        let adjoint = shape.transposed();
        let flipped = conv_up::upsample_conv2d_weight_grad(adjoint, dy.get(), x.get());
        let mut dw = conv::transpose_flip(&flipped, shape.inputs, shape.outputs, 3);
        dw.iter_mut().for_each(|value| *value *= 0.25);
        tensor(dw, weight)
    }

    fn channel_sums(x: FlexTensor) -> FlexTensor {
        if !is_f32(&[&x]) {
            return plain::channel_sums::<Self>(x);
        }
        let x = Values::new(x);
        let sums = planes::channel_sums(x.planes(), x.get());
        tensor(sums, [x.planes().channels])
    }

    fn batch_norm_relu(
        x: FlexTensor,
        gain: FlexTensor,
        bias: FlexTensor,
        eps: f64,
        relu: bool,
        share: Option<Share>,
    ) -> Triple {
        if !is_f32(&[&x, &gain, &bias]) {
            return plain::batch_norm::<Self>(x, gain, bias, eps, relu, share);
        }
        let (x, gain, bias) = (Values::new(x), Values::new(gain), Values::new(bias));
        let shape = x.planes();
        let (mut mean, mut var) = batch_norm::moments(shape, x.get());
        if let Some(share) = share {
            (mean, var) = share.merge(&mean, &var);
        }
        let (scale, shift) = batch_norm::fold(&mean, &var, gain.get(), bias.get(), eps);
        let y = batch_norm::scale_shift(shape, x.get(), &scale, &shift, relu);
        let channels = [shape.channels];
        (
            tensor(y, x.dims::<4>()),
            tensor(mean, channels),
            tensor(var, channels),
        )
    }

    fn batch_norm_relu_grad(
        x: FlexTensor,
        mean: FlexTensor,
        var: FlexTensor,
        gain: FlexTensor,
        bias: FlexTensor,
        dy: FlexTensor,
        eps: f64,
        relu: bool,
        share: Option<Share>,
    ) -> Triple {
        if !is_f32(&[&x, &gain, &bias, &dy]) {
            return plain::batch_norm_grad::<Self>(x, mean, var, gain, bias, dy, eps, relu, share);
        }
        let [x, mean, var, gain, bias, dy] = [x, mean, var, gain, bias, dy].map(Values::new);
        let (dx, dgain, dbias) = batch_norm::batch_norm_grad(
            x.planes(),
            x.get(),
            (mean.get(), var.get()),
            (gain.get(), bias.get()),
            dy.get(),
            eps,
            relu,
            share.as_ref(),
        );
        (
            tensor(dx, x.dims::<4>()),
            tensor(dgain, gain.dims::<2>()),
            tensor(dbias, bias.dims::<2>()),
        )
    }

    fn scale_shift_relu(
        x: FlexTensor,
        scale: FlexTensor,
        shift: FlexTensor,
        relu: bool,
    ) -> FlexTensor {
        if !is_f32(&[&x, &scale, &shift]) {
            return plain::scale_shift_relu::<Self>(x, scale, shift, relu);
        }
        let [x, scale, shift] = [x, scale, shift].map(Values::new);
        let y = batch_norm::scale_shift(x.planes(), x.get(), scale.get(), shift.get(), relu);
        tensor(y, x.dims::<4>())
    }

    fn scale_shift_relu_grad(
        x: FlexTensor,
        scale: FlexTensor,
        shift: FlexTensor,
        dy: FlexTensor,
        relu: bool,
    ) -> Triple {
        if !is_f32(&[&x, &scale, &shift, &dy]) {
            return plain::scale_shift_relu_grad::<Self>(x, scale, shift, dy, relu);
        }
        let [x, scale, shift, dy] = [x, scale, shift, dy].map(Values::new);
        let map = (scale.get(), shift.get());
        let (dx, dscale, dshift) =
            batch_norm::scale_shift_grad(x.planes(), x.get(), dy.get(), map, relu);
        (
            tensor(dx, x.dims::<4>()),
            tensor(dscale, scale.dims::<2>()),
            tensor(dshift, shift.dims::<2>()),
        )
    }

    fn upsample_2x(x: FlexTensor, factor: f32) -> FlexTensor {
        if !is_f32(&[&x]) {
            return plain::upsample_2x::<Self>(x, factor);
        }
        let x = Values::new(x);
        let [n, c, h, w] = x.dims();
        let y = resample::upsample(x.get(), n * c, [h, w], factor);
        tensor(y, [n, c, 2 * h, 2 * w])
    }

    fn pool_2x2(x: FlexTensor, factor: f32) -> FlexTensor {
        if !is_f32(&[&x]) {
            return plain::pool_2x2::<Self>(x, factor);
        }
        let x = Values::new(x);
        let [n, c, h, w] = x.dims();
        let y = resample::pool(x.get(), n * c, [h, w], factor);
        tensor(y, [n, c, h / 2, w / 2])
    }

    fn max_pool_2x2(x: FlexTensor) -> FlexTensor {
        if !is_f32(&[&x]) {
            return plain::max_pool_2x2::<Self>(x);
        }
        let x = Values::new(x);
        let [n, c, h, w] = x.dims();
        let y = resample::max_pool(x.get(), n * c, [h, w]);
        tensor(y, [n, c, h / 2, w / 2])
    }

    fn max_pool_2x2_grad(x: FlexTensor, dy: FlexTensor) -> FlexTensor {
        if !is_f32(&[&x, &dy]) {
            return plain::max_pool_2x2_grad::<Self>(x, dy);
        }
        let (x, dy) = (Values::new(x), Values::new(dy));
        let [n, c, h, w] = x.dims();
        let dx = resample::max_pool_grad(x.get(), dy.get(), n * c, [h, w]);
        tensor(dx, [n, c, h, w])
    }

    fn self_attention(
        theta: FlexTensor,
        phi: FlexTensor,
        g: FlexTensor,
    ) -> (FlexTensor, FlexTensor) {
        if !is_f32(&[&theta, &phi, &g]) {
            return plain::attention::<Self>(theta, phi, g);
        }
        let [theta, phi, g] = [theta, phi, g].map(Values::new);
        let shape = attention_shape(&theta, &phi, &g);
        let (y, log_sums) = attention::attention(shape, [theta.get(), phi.get(), g.get()]);
        (
            tensor(y, [shape.images, shape.channels, shape.queries]),
            tensor(log_sums, [shape.images, shape.queries]),
        )
    }

    fn self_attention_grad(
        theta: FlexTensor,
        phi: FlexTensor,
        g: FlexTensor,
        y: FlexTensor,
        log_sums: FlexTensor,
        dy: FlexTensor,
    ) -> Triple {
        // by the inputs alone, as in the forward pass, whose `log_sums` these are
        if !is_f32(&[&theta, &phi, &g]) {
            return plain::attention_grad::<Self>(theta, phi, g, y, dy);
        }
        let [theta, phi, g, y, log_sums, dy] = [theta, phi, g, y, log_sums, dy].map(Values::new);
        let [dtheta, dphi, dg] = attention_grad::attention_grad(
            attention_shape(&theta, &phi, &g),
            [theta.get(), phi.get(), g.get()],
            [y.get(), log_sums.get()],
            dy.get(),
        );
        (
            tensor(dtheta, theta.dims::<3>()),
            tensor(dphi, phi.dims::<3>()),
            tensor(dg, g.dims::<3>()),
        )
    }

    #[cfg(feature = "train")]
    fn adam_step(
        value: FlexTensor,
        gradient: FlexTensor,
        first: FlexTensor,
        second: FlexTensor,
        step: AdamStep,
    ) -> Triple {
        if !is_f32(&[&value, &gradient, &first, &second]) {
            return plain::adam_step::<Self>(value, gradient, first, second, step);
        }
        let [value, gradient] = [value, gradient].map(Values::new);
        // in place, where nobody else has them
        let [mut first, mut second] = [first, second].map(whole);
        let moments = [first.storage_mut(), second.storage_mut()];
        let next = optimiser::adam(step, value.get(), gradient.get(), moments);
        (tensor(next, value.dims::<1>()), first, second)
    }

    fn weighted_sum(x: FlexTensor, a: f64, y: FlexTensor, b: f64) -> FlexTensor {
        if !is_f32(&[&x, &y]) {
            return plain::weighted_sum::<Self>(x, a, y, b);
        }
        let shape = x.shape();
        let [x, y] = [x, y].map(Values::new);
        let sum = optimiser::weighted_sum(x.get(), a, y.get(), b);
        FlexTensor::from_data(TensorData::new(sum, shape))
    }

    #[cfg(feature = "train")]
    fn attention_along(
        theta: FlexTensor,
        phi: FlexTensor,
        g: FlexTensor,
    ) -> (FlexTensor, FlexTensor) {
        if !is_f32(&[&theta, &phi, &g]) {
            return plain::attention_along::<Self>(theta, phi, g);
        }
        let [theta, phi, g] = [theta, phi, g].map(Values::new);
        let shape = along_shape(&theta, &phi, &g);
        let inputs = [theta.get(), phi.get(), g.get()];
        let [y, kept] = attention_along::attention_along(shape, inputs);
        let len = kept.len();
        (
            tensor(y, [shape.images, shape.channels, shape.queries]),
            tensor(kept, [len]),
        )
    }

    #[cfg(feature = "train")]
    fn attention_along_grad(
        theta: FlexTensor,
        phi: FlexTensor,
        g: FlexTensor,
        y: FlexTensor,
        kept: FlexTensor,
        dy: FlexTensor,
    ) -> Triple {
        // by the inputs alone, as in the forward pass, whose `kept` this is
        if !is_f32(&[&theta, &phi, &g]) {
            return plain::attention_along_grad::<Self>(theta, phi, g, y, dy);
        }
        let [theta, phi, g, y, kept, dy] = [theta, phi, g, y, kept, dy].map(Values::new);
        let [of_theta, of_phi, of_g] = attention_along_grad::attention_along_grad(
            along_shape(&theta, &phi, &g),
            [theta.get(), phi.get(), g.get()],
            [y.get(), kept.get()],
            dy.get(),
        );
        (
            tensor(of_theta, theta.dims::<3>()),
            tensor(of_phi, phi.dims::<3>()),
            tensor(of_g, g.dims::<3>()),
        )
    }
}
