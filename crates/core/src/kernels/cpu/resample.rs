//! Upsampling by repetition and 2x2 pooling by sums, each the adjoint of the other, and by maxima.

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

/// The rows of 2x2 blocks: `each(plane * height / 2 + row, upper, lower)`.
fn for_each_block_row(
    x: &[f32],
    planes: usize,
    [height, width]: [usize; 2],
    each: impl Fn(usize, &[[f32; 2]], &[[f32; 2]]) + Sync + Send,
) {
    let rows = height / 2;
    for_each_plane(planes, height * width, |plane| {
        for row in plane * rows..(plane + 1) * rows {
            let (upper, lower) = x[row * 2 * width..][..2 * width].split_at(width);
            each(row, upper.as_chunks().0, lower.as_chunks().0);
        }
    });
}

/// Whether `b` takes the place of the maximum `a` before it: the first of equal values stays, and a NaN
/// any way.
fn beats(b: f32, a: f32) -> bool {
    b > a || b.is_nan()
}

/// `y[i, j] = max_{a, b < 2} x[2i + a, 2j + b]`, planes of `[height, width]`, both even.
pub fn max_pool(x: &[f32], planes: usize, size: [usize; 2]) -> Vec<f32> {
    let out = Output::new(x.len() / 4);
    max_pool_on(x, planes, size, &out);
    // SAFETY: all planes and rows are written.
    unsafe { out.finish() }
}

/// [`max_pool`] to a place.
pub fn max_pool_on(x: &[f32], planes: usize, size: [usize; 2], out: &Output) {
    let half = size[1] / 2;
    let larger = |a: f32, b: f32| if beats(b, a) { b } else { a };
    for_each_block_row(x, planes, size, |row, upper, lower| {
        // SAFETY: each row of blocks has its own output row.
        let to = unsafe { out.slice(row * half, half) };
        for ((to, a), b) in to.iter_mut().zip(upper).zip(lower) {
            *to = larger(larger(larger(a[0], a[1]), b[0]), b[1]);
        }
    });
}

/// The gradient of [`max_pool`]: `dy` where the maximum is, the first of equal ones.
pub fn max_pool_grad(x: &[f32], dy: &[f32], planes: usize, size: [usize; 2]) -> Vec<f32> {
    let width = size[1];
    let out = Output::new(x.len());
    for_each_block_row(x, planes, size, |row, upper, lower| {
        // SAFETY: each row of blocks has its own two output rows.
        let to = unsafe { out.slice(row * 2 * width, 2 * width) };
        to.fill(0.0);
        let dy = &dy[row * width / 2..][..width / 2];
        for (j, ((a, b), dy)) in upper.iter().zip(lower).zip(dy).enumerate() {
            let values = [a[0], a[1], b[0], b[1]];
            let mut place = 0;
            for i in 1..4 {
                if beats(values[i], values[place]) {
                    place = i;
                }
            }
            to[place / 2 * width + 2 * j + place % 2] = *dy;
        }
    });
    // SAFETY: all planes and rows are written.
    unsafe { out.finish() }
}
