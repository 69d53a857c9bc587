//! Stride-1 "same" convolutions as products over taps of the packed image ([`super::grid`]).
//!
//! Two halves: [`correlate`] applies weights to taps, and [`tap_products`] is its gradient
//! with respect to the weights.

use super::conv_shape::ConvShape;
use super::correlate::{Product, Weights, correlate};
use super::source::Source;
use super::tap_products::tap_products;
use super::winograd;

/// `y[n, o] = bias[o] + sum_i weight[o, i] * x[n, i]`, with `*` the zero-padded cross-correlation.
pub fn conv2d(shape: ConvShape, x: &[f32], weight: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
    if winograd::pays(shape) {
        let weights = winograd::weights(shape.outputs, shape.inputs, weight);
        return winograd::conv3x3(shape, x, &weights, bias);
    }
    direct(shape, x, &direct_weights(shape, weight), bias)
}

/// The weights of [`direct`].
pub fn direct_weights(shape: ConvShape, weight: &[f32]) -> Weights {
    let product = Product {
        taps: shape.taps(),
        weight: weight.to_vec(),
    };
    Weights::new(&[product], shape.inputs, 1, shape.outputs)
}

/// As [`conv2d`], for every shape.
pub fn direct(shape: ConvShape, x: &[f32], weights: &Weights, bias: Option<&[f32]>) -> Vec<f32> {
    let source = Source::whole(x, shape.inputs);
    correlate(shape.grid(), source, weights, bias)
}

/// Gradient with respect to `x`: the same convolution of `dy` with the weight of [`transpose_flip`].
pub fn conv2d_x_grad(shape: ConvShape, dy: &[f32], weight: &[f32]) -> Vec<f32> {
    let flipped = transpose_flip(weight, shape.outputs, shape.inputs, shape.kernel);
    conv2d(shape.transposed(), dy, &flipped, None)
}

/// Gradient with respect to the weight: `dw[o, i, ky, kx] = sum_{n, p} dy[n, o, p] x[n, i, p + k]`.
pub fn conv2d_weight_grad(shape: ConvShape, x: &[f32], dy: &[f32]) -> Vec<f32> {
    let x = Source::whole(x, shape.inputs);
    let dy = Source::whole(dy, shape.outputs);
    let rows: Vec<usize> = (0..shape.outputs).collect();
    tap_products(shape.grid(), x, dy, &[(rows, shape.taps())])
}

/// `[o, i, ky, kx] -> [i, o, k-1-ky, k-1-kx]`
pub fn transpose_flip(weight: &[f32], outputs: usize, inputs: usize, kernel: usize) -> Vec<f32> {
    let area = kernel * kernel;
    let mut flipped = Vec::with_capacity(weight.len());
    for i in 0..inputs {
        for o in 0..outputs {
            flipped.extend(weight[(o * inputs + i) * area..][..area].iter().rev());
        }
    }
    flipped
}
