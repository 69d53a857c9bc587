//! The 3x3 convolution of an image upsampled 2x (nearest), without the upsampled image.
//!
//! At each parity `(py, px)` of the output, the nine taps fall on 2x2 pixels of the small image, so the
//! weights of equal pixels are summed first: 16 multiply-adds a small pixel in place of 36. The adjoint
//! is, up to a transposed and flipped weight, the convolution followed by a sum over 2x2 blocks, so
//! `avg_pool(conv3x3(x))` comes from the same three functions.

use super::conv_shape::ConvShape;
use super::correlate::{Product, Weights, correlate};
use super::source::Source;
use super::tap_products::tap_products;
use super::taps::Tap;

/// For parity `p` and kernel index `k`: which of the two small pixels, `(p + k - 1).div_euclid(2)`
/// counted from the lower of them, `p - 1`.
const FOLD: [[usize; 3]; 2] = [[0, 1, 1], [0, 0, 1]];

/// The 2x2 taps of `row` at a parity `(py, px)`.
fn parity_taps(row: usize, parity: usize) -> impl Iterator<Item = Tap> {
    let (py, px) = (parity as isize / 2, parity as isize % 2);
    (0..4).map(move |t| Tap {
        row,
        dy: t / 2 + py - 1,
        dx: t % 2 + px - 1,
    })
}

/// The tap, `0..4`, that the kernel element `k`, `0..9`, falls on at a parity.
fn folded(parity: usize, k: usize) -> usize {
    2 * FOLD[parity / 2][k / 3] + FOLD[parity % 2][k % 3]
}

/// `kernel` (nine values) summed onto the 2x2 taps of a parity.
fn fold_kernel(kernel: &[f32; 9], parity: usize) -> [f32; 4] {
    let mut sums = [0.0; 4];
    for (k, value) in kernel.iter().enumerate() {
        sums[folded(parity, k)] += value;
    }
    sums
}

/// `y = bias + weight * upsample(x)`; `shape` has the height and width of `x`, the small image.
pub fn upsample_conv2d(
    shape: ConvShape,
    x: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
) -> Vec<f32> {
    prepared(shape, x, &weights(shape, weight), bias)
}

/// The weights of [`prepared`].
pub fn weights(shape: ConvShape, weight: &[f32]) -> Weights {
    let product = |parity| {
        let mut folded = Vec::with_capacity(4 * shape.outputs * shape.inputs);
        for kernel in weight.as_chunks::<9>().0 {
            folded.extend(fold_kernel(kernel, parity));
        }
        Product {
            taps: (0..shape.inputs)
                .flat_map(|i| parity_taps(i, parity))
                .collect(),
            weight: folded,
        }
    };
    Weights::new(&[0, 1, 2, 3].map(product), shape.inputs, 1, shape.outputs)
}

/// [`upsample_conv2d`] with [`weights`].
pub fn prepared(shape: ConvShape, x: &[f32], weights: &Weights, bias: Option<&[f32]>) -> Vec<f32> {
    let source = Source::whole(x, shape.inputs);
    correlate(shape.grid(), source, weights, bias)
}

/// Gradient of [`upsample_conv2d`] with respect to `x`, given that of `y`, plus `bias`.
pub fn upsample_conv2d_x_grad(
    shape: ConvShape,
    dy: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
) -> Vec<f32> {
    let mut taps = Vec::with_capacity(16 * shape.outputs);
    for o in 0..shape.outputs {
        for parity in 0..4 {
            taps.extend(parity_taps(4 * o + parity, parity).map(|tap| Tap {
                row: tap.row,
                dy: -tap.dy,
                dx: -tap.dx,
            }));
        }
    }
    let kernels = weight.as_chunks::<9>().0;
    let mut folded = Vec::with_capacity(shape.inputs * taps.len());
    for i in 0..shape.inputs {
        for o in 0..shape.outputs {
            let kernel = &kernels[o * shape.inputs + i];
            folded.extend((0..4).flat_map(|parity| fold_kernel(kernel, parity)));
        }
    }
    let source = Source::halved(dy, shape.outputs);
    let product = Product {
        taps,
        weight: folded,
    };
    let weights = Weights::new(&[product], source.rows(), 4, shape.inputs);
    correlate(shape.grid(), source, &weights, bias)
}

/// Gradient of [`upsample_conv2d`] with respect to the weight.
pub fn upsample_conv2d_weight_grad(shape: ConvShape, x: &[f32], dy: &[f32]) -> Vec<f32> {
    let products = [0, 1, 2, 3].map(|parity| {
        let rows = (0..shape.outputs).map(|o| 4 * o + parity).collect();
        let taps = (0..shape.inputs)
            .flat_map(|i| parity_taps(i, parity))
            .collect();
        (rows, taps)
    });
    let x = Source::whole(x, shape.inputs);
    let dy = Source::halved(dy, shape.outputs);
    let parts = tap_products(shape.grid(), x, dy, &products);
    let kernels = shape.outputs * shape.inputs;
    let mut grad = vec![0.0; kernels * 9];
    for (parity, part) in parts.chunks_exact(kernels * 4).enumerate() {
        for (grad, part) in grad.chunks_exact_mut(9).zip(part.chunks_exact(4)) {
            for (k, grad) in grad.iter_mut().enumerate() {
                *grad += part[folded(parity, k)];
            }
        }
    }
    grad
}
