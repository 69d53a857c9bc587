//! Upsampling by repetition and 2x2 pooling; each is the adjoint of the other.

use super::parallel::{Output, for_each_plane};

/// `y[2i + a, 2j + b] = factor * x[i, j]`, planes `[height, width] -> [2 height, 2 width]`.
pub fn upsample(x: &[f32], planes: usize, [height, width]: [usize; 2], factor: f32) -> Vec<f32> {
    let area = height * width;
    let out = Output::new(4 * planes * area);
    for_each_plane(planes, 4 * area, |plane| {
        for row in 0..height {
            let from = &x[plane * area + row * width..][..width];
            // SAFETY: each (plane, row) has its own two output rows.
            let to = unsafe { out.slice(4 * (plane * area + row * width), 4 * width) };
            let (upper, lower) = to.split_at_mut(2 * width);
            for (pair, value) in upper.as_chunks_mut::<2>().0.iter_mut().zip(from) {
                *pair = [value * factor; 2];
            }
            lower.copy_from_slice(upper);
        }
    });
    // SAFETY: all planes and rows are written.
    unsafe { out.finish() }
}

/// `y[i, j] = factor * sum_{a, b < 2} x[2i + a, 2j + b]`, planes of `[height, width]`, both even.
pub fn pool(x: &[f32], planes: usize, [height, width]: [usize; 2], factor: f32) -> Vec<f32> {
    let (rows, half) = (height / 2, width / 2);
    let out = Output::new(planes * rows * half);
    for_each_plane(planes, height * width, |plane| {
        for row in 0..rows {
            let from = &x[(plane * rows + row) * 2 * width..][..2 * width];
            let (upper, lower) = from.split_at(width);
            let (upper, lower) = (upper.as_chunks::<2>().0, lower.as_chunks::<2>().0);
            // SAFETY: each (plane, row) has its own output row.
            let to = unsafe { out.slice((plane * rows + row) * half, half) };
            for ((to, a), b) in to.iter_mut().zip(upper).zip(lower) {
                *to = ((a[0] + a[1]) + (b[0] + b[1])) * factor;
            }
        }
    });
    // SAFETY: all planes and rows are written.
    unsafe { out.finish() }
}
