//! Batch normalisation and the per-sample affine map with ReLU, each in as few passes as possible.
//!
//! [`super::planes`] says how sums are computed.

use super::parallel::{Output, for_each_plane};
use super::planes::{BLOCK, PlaneShape, sum_pairs};
use crate::collective::Share;

/// Mean and biased variance of each channel over images and positions.
///
/// Per block the mean and then the squared deviations from it, combined by Chan's formula:
/// `m2 = m2_a + m2_b + (mean_b - mean_a)^2 n_a n_b / (n_a + n_b)`.
pub fn moments(shape: PlaneShape, x: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let means = Output::new(shape.planes());
    let squares = Output::new(shape.planes());
    for_each_plane(shape.planes(), shape.area, |plane| {
        let (mut count, mut mean, mut m2) = (0.0, 0.0, 0.0);
        for block in shape.plane(x, plane).chunks(BLOCK) {
            let len = block.len() as f64;
            let block_mean = sum_pairs(block, block, |v, _| [v, 0.0])[0] / len;
            let centre = block_mean as f32;
            let [off, square] = sum_pairs(block, block, |v, _| {
                [v - centre, (v - centre) * (v - centre)]
            });
            let block_mean = f64::from(centre) + off / len;
            chan(
                &mut count,
                &mut mean,
                &mut m2,
                len,
                block_mean,
                square - off * off / len,
            );
        }
        // SAFETY: one entry a plane.
        unsafe {
            means.slice(plane, 1)[0] = mean as f32;
            squares.slice(plane, 1)[0] = m2 as f32;
        }
    });
    // SAFETY: every plane is written.
    let (means, squares) = unsafe { (means.finish(), squares.finish()) };
    (0..shape.channels)
        .map(|channel| {
            let (mut count, mut mean, mut m2) = (0.0, 0.0, 0.0);
            for plane in (channel..shape.planes()).step_by(shape.channels) {
                let (plane_mean, plane_m2) = (f64::from(means[plane]), f64::from(squares[plane]));
                chan(
                    &mut count,
                    &mut mean,
                    &mut m2,
                    shape.area as f64,
                    plane_mean,
                    plane_m2,
                );
            }
            (mean as f32, (m2 / count) as f32)
        })
        .unzip()
}

fn chan(count: &mut f64, mean: &mut f64, m2: &mut f64, other: f64, other_mean: f64, other_m2: f64) {
    let total = *count + other;
    let delta = other_mean - *mean;
    *mean += delta * other / total;
    *m2 += other_m2 + delta * delta * *count * other / total;
    *count = total;
}

/// Scale and shift, `[images or 1, channels]`, that normalise and apply `gain` and `bias`:
/// `scale = gain / sqrt(var + eps)`, `shift = bias - mean * scale`.
pub fn fold(
    mean: &[f32],
    var: &[f32],
    gain: &[f32],
    bias: &[f32],
    eps: f64,
) -> (Vec<f32>, Vec<f32>) {
    let channels = mean.len();
    gain.iter()
        .zip(bias)
        .enumerate()
        .map(|(i, (gain, bias))| {
            let scale = gain * reciprocal_std(var[i % channels], eps);
            (scale, bias - mean[i % channels] * scale)
        })
        .unzip()
}

fn reciprocal_std(var: f32, eps: f64) -> f32 {
    (1.0 / (f64::from(var) + eps).sqrt()) as f32
}

/// `y = x * scale + shift`, with ReLU `max(y, 0)`; a NaN stays a NaN.
pub fn scale_shift(
    shape: PlaneShape,
    x: &[f32],
    scale: &[f32],
    shift: &[f32],
    relu: bool,
) -> Vec<f32> {
    let out = Output::new(x.len());
    for_each_plane(shape.planes(), shape.area, |plane| {
        let (scale, shift) = (
            scale[shape.entry(scale, plane)],
            shift[shape.entry(shift, plane)],
        );
        // SAFETY: one slice a plane.
        let to = unsafe { out.slice(plane * shape.area, shape.area) };
        for (y, x) in to.iter_mut().zip(shape.plane(x, plane)) {
            let value = x * scale + shift;
            *y = if relu && value < 0.0 { 0.0 } else { value };
        }
    });
    // SAFETY: every plane is written.
    unsafe { out.finish() }
}

/// For the gradient of [`scale_shift`]: the sums `[images, channels]` of `g * (x - centre[c])` and of `g`, with
/// `g = dy` where the output is positive (or without ReLU).
fn plane_sums(
    shape: PlaneShape,
    x: &[f32],
    dy: &[f32],
    (scale, shift): (&[f32], &[f32]),
    centre: &[f32],
    relu: bool,
) -> (Vec<f32>, Vec<f32>) {
    let products = Output::new(shape.planes());
    let sums = Output::new(shape.planes());
    for_each_plane(shape.planes(), shape.area, |plane| {
        let (scale, shift) = (
            scale[shape.entry(scale, plane)],
            shift[shape.entry(shift, plane)],
        );
        let centre = centre[plane % shape.channels];
        let (x, dy) = (shape.plane(x, plane), shape.plane(dy, plane));
        let [product, sum] = sum_pairs(x, dy, |x, dy| {
            let g = gate(x, dy, scale, shift, relu);
            [g * (x - centre), g]
        });
        // SAFETY: one entry a plane.
        unsafe {
            products.slice(plane, 1)[0] = product as f32;
            sums.slice(plane, 1)[0] = sum as f32;
        }
    });
    // SAFETY: every plane is written.
    unsafe { (products.finish(), sums.finish()) }
}

/// The output gradient after the ReLU's backward pass.
#[inline(always)]
fn gate(x: f32, dy: f32, scale: f32, shift: f32, relu: bool) -> f32 {
    if relu && x * scale + shift <= 0.0 {
        0.0
    } else {
        dy
    }
}

/// `(dx, dscale, dshift)` of [`scale_shift`], the latter two shaped as `scale` and `shift`.
pub fn scale_shift_grad(
    shape: PlaneShape,
    x: &[f32],
    dy: &[f32],
    (scale, shift): (&[f32], &[f32]),
    relu: bool,
) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let zero = vec![0.0; shape.channels];
    let (products, sums) = plane_sums(shape, x, dy, (scale, shift), &zero, relu);
    let dx = input_grad(shape, x, dy, (scale, shift), relu, &zero, &zero);
    (dx, shape.reduce(products, scale), shape.reduce(sums, shift))
}

/// `dx = g * scale - slope[c] * x - offset[c]`
fn input_grad(
    shape: PlaneShape,
    x: &[f32],
    dy: &[f32],
    (scale, shift): (&[f32], &[f32]),
    relu: bool,
    slope: &[f32],
    offset: &[f32],
) -> Vec<f32> {
    let out = Output::new(x.len());
    for_each_plane(shape.planes(), shape.area, |plane| {
        let channel = plane % shape.channels;
        let (scale, shift) = (
            scale[shape.entry(scale, plane)],
            shift[shape.entry(shift, plane)],
        );
        let (slope, offset) = (slope[channel], offset[channel]);
        // SAFETY: one slice a plane.
        let dx = unsafe { out.slice(plane * shape.area, shape.area) };
        let inputs = shape.plane(x, plane).iter().zip(shape.plane(dy, plane));
        for (dx, (&x, &dy)) in dx.iter_mut().zip(inputs) {
            *dx = gate(x, dy, scale, shift, relu) * scale - (x * slope + offset);
        }
    });
    // SAFETY: every plane is written.
    unsafe { out.finish() }
}

/// `(dx, dgain, dbias)` of batch normalisation with the statistics of `x` itself.
///
/// With `xhat = (x - mean) r`, `r = 1 / sqrt(var + eps)`, `M` values a channel and
/// `s1 = sum_n gain dbias`, `s2 = sum_n gain dgain`: `dx = r (gain g - s1 / M - xhat s2 / M)`. With a share, M, s1
/// and s2 are those of all ranks, and images that do not count had no part in the statistics.
#[allow(clippy::too_many_arguments)]
pub fn batch_norm_grad(
    shape: PlaneShape,
    x: &[f32],
    (mean, var): (&[f32], &[f32]),
    (gain, bias): (&[f32], &[f32]),
    dy: &[f32],
    eps: f64,
    relu: bool,
    share: Option<&Share>,
) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let (scale, shift) = fold(mean, var, gain, bias, eps);
    let (mut dgain, dbias) = plane_sums(shape, x, dy, (&scale, &shift), mean, relu);
    let mut weighted = [vec![0.0; shape.planes()], vec![0.0; shape.planes()]];
    for plane in 0..shape.planes() {
        dgain[plane] *= reciprocal_std(var[plane % shape.channels], eps);
        let gain = gain[shape.entry(gain, plane)];
        weighted[0][plane] = gain * dbias[plane];
        weighted[1][plane] = gain * dgain[plane];
    }
    let mut sums = weighted.map(|table| shape.sum_images(&table));
    let mut images = shape.images;
    if let Some(share) = share {
        share.sum(&mut sums);
        images = share.images();
        if !share.counts() {
            sums.iter_mut().for_each(|sums| sums.fill(0.0));
        }
    }
    let [s1, s2] = sums;
    let count = (images * shape.area) as f64;
    let (slope, offset): (Vec<f32>, Vec<f32>) = (0..shape.channels)
        .map(|c| {
            let r = f64::from(reciprocal_std(var[c], eps));
            let slope = r * r * s2[c] / count;
            (
                (slope) as f32,
                (r * s1[c] / count - slope * f64::from(mean[c])) as f32,
            )
        })
        .unzip();
    let dx = input_grad(shape, x, dy, (&scale, &shift), relu, &slope, &offset);
    (dx, shape.reduce(dgain, gain), shape.reduce(dbias, bias))
}
