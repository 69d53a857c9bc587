//! Layers with fixed weights on slices of f32: what a [`PreparedGenerator`](crate::model::PreparedGenerator) is made of.
//!
//! Weights are arranged once; results go to memory that is kept; a normalisation and its ReLU happen while the next
//! convolution reads its input, and a sum of two maps while the second is written.

use super::cpu::affine::affine;
use super::cpu::attention::{self, AttentionShape};
use super::cpu::conv::direct_weights;
use super::cpu::conv_shape::ConvShape;
use super::cpu::correlate::{Weights, correlate_on};
use super::cpu::instruction_sets::kernels;
use super::cpu::kept::Kept;
use super::cpu::parallel::Output;
use super::cpu::source::Source;
use super::cpu::unpack::Target;
use super::cpu::{conv_up, resample, winograd};

pub use super::cpu::parallel::together;
pub use super::cpu::source::Norm;
pub use super::cpu::tanh::tanh;

/// A convolution, after upsampling or not.
#[derive(Debug)]
pub struct Convolution {
    shape: ConvShape,
    form: Form,
    weights: Weights,
    bias: Option<Vec<f32>>,
}

/// How it is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Taps,
    Tiles,
    Upsampled,
}

impl Convolution {
    /// Of images of a side: `[outputs, inputs, kernel, kernel]`, kernel 1 or 3, 3 if it upsamples.
    pub fn new(
        weight: &[f32],
        [outputs, inputs, kernel]: [usize; 3],
        bias: Option<Vec<f32>>,
        side: usize,
        upsamples: bool,
    ) -> Self {
        let shape = ConvShape {
            images: 1,
            inputs,
            outputs,
            height: side,
            width: side,
            kernel,
        };
        let (form, weights) = match (upsamples, winograd::pays(shape)) {
            (true, _) => (Form::Upsampled, conv_up::weights(shape, weight)),
            (_, true) => (Form::Tiles, winograd::weights(outputs, inputs, weight)),
            (_, false) => (Form::Taps, direct_weights(shape, weight)),
        };
        Self {
            shape,
            form,
            weights,
            bias,
        }
    }

    /// Values of a result.
    pub fn len(&self, images: usize) -> usize {
        images * self.shape.outputs * self.side() * self.side()
    }

    /// Writes the convolution of `x`, `[images, inputs, side, side]`, normalised first if so wanted.
    pub fn set(&self, images: usize, x: &[f32], norm: Option<Norm>, y: &mut [f32]) {
        let out = Output::on(&mut y[..self.len(images)]);
        self.apply(images, x, norm, Target::set(&out));
    }

    /// Adds the convolution to `y`.
    pub fn add(&self, images: usize, x: &[f32], norm: Option<Norm>, y: &mut [f32]) {
        let out = Output::on(&mut y[..self.len(images)]);
        self.apply(images, x, norm, Target::add(&out));
    }

    /// Writes the sum of the convolution and of `small`, `[images, outputs, side / 2, side / 2]`, upsampled.
    pub fn set_with_upsampled(
        &self,
        images: usize,
        x: &[f32],
        norm: Option<Norm>,
        small: &[f32],
        y: &mut [f32],
    ) {
        let small = &small[..self.len(images) / 4];
        let out = Output::on(&mut y[..self.len(images)]);
        let to = Target::add_upsampled(&out, small, self.side());
        self.apply(images, x, norm, to);
    }

    /// Side of a result.
    fn side(&self) -> usize {
        let grown = if self.form == Form::Upsampled { 2 } else { 1 };
        grown * self.shape.width
    }

    fn apply(&self, images: usize, x: &[f32], norm: Option<Norm>, to: Target) {
        let shape = ConvShape {
            images,
            ..self.shape
        };
        let x = &x[..images * shape.inputs * shape.height * shape.width];
        let (weights, bias) = (&self.weights, self.bias.as_deref());
        if self.form == Form::Tiles {
            winograd::conv3x3_on(shape, (x, norm), weights, bias, to);
            return;
        }
        let mut grid = shape;
        if self.form == Form::Upsampled {
            grid.kernel = 3;
        }
        let source = Source::whole(x, shape.inputs).normed(norm);
        correlate_on(grid.grid(), source, weights, bias, to);
    }
}

/// `y = x W + b`.
#[derive(Debug, Default)]
pub struct Affine {
    /// `[inputs, outputs]`
    pub weight: Vec<f32>,
    /// `[outputs]`
    pub bias: Vec<f32>,
}

impl Affine {
    /// Writes `[rows, outputs]` for `x: [rows, inputs]`. Inputs that are zero cost nothing: most class weights are.
    pub fn set(&self, x: &[f32], y: &mut [f32]) {
        affine(x, &self.weight, &self.bias, y);
    }
}

/// Writes `g softmax(theta^T max_pool(phi))^T`, with `g` pooled too: `theta` and `phi` are `[images, inner, side, side]`, `g`
/// and the result `[images, channels, side, side]`.
pub fn attention(images: usize, side: usize, [theta, phi, g]: [&[f32]; 3], y: &mut [f32]) {
    let area = side * side;
    let pooled = |values: &[f32]| {
        let mut pooled = Kept::zeros(values.len() / 4);
        let planes = values.len() / area;
        resample::max_pool_on(values, planes, [side, side], &Output::on(&mut pooled));
        pooled
    };
    let shape = AttentionShape {
        images,
        inner: theta.len() / area / images,
        channels: g.len() / area / images,
        queries: area,
        keys: area / 4,
    };
    let mut log_sums = Kept::zeros(images * area);
    let (out, log_sums) = (Output::on(y), Output::on(&mut log_sums));
    let inputs = [theta, &pooled(phi), &pooled(g)];
    attention::attention_on(kernels(), shape, inputs, &out, &log_sums);
}
