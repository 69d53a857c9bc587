//! Stride-1 "same" convolutions as products over taps of the packed image ([`super::grid`]).
//!
//! Two halves: [`correlate`] applies weights to taps, and [`tap_products`] is its gradient
//! with respect to the weights.

use super::correlate::{Product, correlate};
use super::grid::Grid;
use super::pack::Source;
use super::tap_products::tap_products;
use super::taps::Tap;

/// Shape of a convolution: `x: [images, inputs, h, w]`, `weight: [outputs, inputs, kernel, kernel]`.
#[derive(Clone, Copy)]
pub struct ConvShape {
    pub images: usize,
    pub inputs: usize,
    pub outputs: usize,
    pub height: usize,
    pub width: usize,
    /// 1 or 3
    pub kernel: usize,
}

impl ConvShape {
    pub fn grid(&self) -> Grid {
        Grid::new(self.images, self.height, self.width, self.kernel / 2)
    }

    /// The convolution that carries the output gradient back to the input.
    pub fn transposed(&self) -> Self {
        Self {
            inputs: self.outputs,
            outputs: self.inputs,
            ..*self
        }
    }

    /// One tap for each `(input, ky, kx)`, in the order of the weight.
    fn taps(&self) -> Vec<Tap> {
        let reach = (self.kernel / 2) as isize;
        let mut taps = Vec::with_capacity(self.inputs * self.kernel * self.kernel);
        for row in 0..self.inputs {
            for dy in -reach..=reach {
                for dx in -reach..=reach {
                    taps.push(Tap { row, dy, dx });
                }
            }
        }
        taps
    }
}

/// `y[n, o] = bias[o] + sum_i weight[o, i] * x[n, i]`, with `*` the zero-padded cross-correlation.
pub fn conv2d(shape: ConvShape, x: &[f32], weight: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
    let source = Source {
        values: x,
        channels: shape.inputs,
        halved: false,
    };
    let product = Product {
        taps: shape.taps(),
        weight: weight.to_vec(),
    };
    correlate(shape.grid(), source, &[product], shape.outputs, bias)
}

/// Gradient with respect to `x`: the same convolution of `dy` with the weight of [`transpose_flip`].
pub fn conv2d_x_grad(shape: ConvShape, dy: &[f32], weight: &[f32]) -> Vec<f32> {
    let flipped = transpose_flip(weight, shape.outputs, shape.inputs, shape.kernel);
    conv2d(shape.transposed(), dy, &flipped, None)
}

/// Gradient with respect to the weight: `dw[o, i, ky, kx] = sum_{n, p} dy[n, o, p] x[n, i, p + k]`.
pub fn conv2d_weight_grad(shape: ConvShape, x: &[f32], dy: &[f32]) -> Vec<f32> {
    let x = Source {
        values: x,
        channels: shape.inputs,
        halved: false,
    };
    let dy = Source {
        values: dy,
        channels: shape.outputs,
        halved: false,
    };
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
