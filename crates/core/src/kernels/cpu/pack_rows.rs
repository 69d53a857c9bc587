//! Image rows written into the storage described by [`super::grid`]: inner loops, compiled for each instruction set.

use core::ops::Range;

use super::grid::{DenseRow, Grid};
use super::source::{Norm, Source};

/// Views of an image through a 3x3 kernel, and which of them is the image itself.
pub const VIEWS: usize = 9;
const MIDDLE_VIEW: usize = 4;

/// Arguments of [`pack_rows`].
pub struct PackArgs<'a> {
    pub grid: Grid,
    pub source: Source<'a>,
    pub channels: Range<usize>,
    /// The image rows and their places.
    pub rows: &'a [DenseRow],
    pub pitch: usize,
    pub out: &'a mut [f32],
}

/// Writes image rows at the places given, in ascending order, and zeros between them. Channels are the
/// outer loop: their planes are contiguous, which the prefetcher wants.
#[inline(always)]
pub fn pack_rows(args: PackArgs) {
    let PackArgs {
        grid,
        source,
        channels,
        rows,
        pitch,
        out,
    } = args;
    let len = grid.width * grid.interleaved;
    for (channel, out) in channels.zip(out.chunks_exact_mut(pitch * source.parities())) {
        for out in out.chunks_exact_mut(pitch) {
            let mut end = 0;
            for row in rows {
                out[end..row.at].fill(0.0);
                end = row.at + len;
            }
            out[end..].fill(0.0);
        }
        for row in rows {
            for i in 0..grid.interleaved {
                let image_row = (row.image + i, channel, row.y);
                pack_image(grid, source, image_row, (pitch, row.at + i), out);
            }
        }
    }
}

/// Writes each channel's images as each of the nine taps of a 3x3 kernel sees them, with zeros beyond their borders:
/// `[channels, 9, images, height, width]`. The grid has no borders, and `rows` is not used.
#[inline(always)]
pub fn pack_views(args: PackArgs) {
    let PackArgs {
        grid,
        source,
        channels,
        pitch,
        out,
        ..
    } = args;
    let (height, width) = (grid.height, grid.width);
    let area = height * width;
    for (channel, out) in channels.zip(out.chunks_exact_mut(VIEWS * pitch)) {
        let (before, rest) = out.split_at_mut(MIDDLE_VIEW * pitch);
        let (middle, after) = rest.split_at_mut(pitch);
        for image in 0..grid.images {
            for y in 0..height {
                let at = image * area + y * width;
                pack_image(grid, source, (image, channel, y), (pitch, at), middle);
            }
        }
        let views = before.chunks_exact_mut(pitch).enumerate();
        let after = after.chunks_exact_mut(pitch).enumerate();
        for (view, out) in views.chain(after.map(|(i, out)| (MIDDLE_VIEW + 1 + i, out))) {
            let (top, left) = (view / 3, view % 3);
            for image in 0..grid.images {
                for y in 0..height {
                    let to = &mut out[image * area + y * width..][..width];
                    // pixel (y + top - 1, x + left - 1)
                    if y + top < 1 || y + top > height {
                        to.fill(0.0);
                        continue;
                    }
                    let from = &middle[image * area + (y + top - 1) * width..][..width];
                    match left {
                        0 => {
                            to[0] = 0.0;
                            to[1..].copy_from_slice(&from[..width - 1]);
                        }
                        1 => to.copy_from_slice(from),
                        _ => {
                            to[..width - 1].copy_from_slice(&from[1..]);
                            to[width - 1] = 0.0;
                        }
                    }
                }
            }
        }
    }
}

/// The row `y` of one image and channel, every `interleaved` values from `at`.
#[inline(always)]
fn pack_image(
    grid: Grid,
    source: Source,
    (image, channel, y): (usize, usize, usize),
    (pitch, at): (usize, usize),
    out: &mut [f32],
) {
    let (step, width) = (grid.interleaved, grid.width);
    if image >= grid.images {
        for row in out.chunks_exact_mut(pitch) {
            row[at..]
                .iter_mut()
                .step_by(step)
                .take(width)
                .for_each(|v| *v = 0.0);
        }
        return;
    }
    let row = (image * source.channels + channel) * grid.height + y;
    let len = width * source.parities();
    let from = &source.values[row * len..][..len];
    match source.norm {
        None => copy_row(from, out, (pitch, at, step), |value| value),
        Some(Norm(table)) => {
            let scale = image * 2 * source.channels + channel;
            let (scale, shift) = (table[scale], table[scale + source.channels]);
            copy_row(from, out, (pitch, at, step), |value| {
                let y = value * scale + shift;
                // a NaN stays
                if y < 0.0 { 0.0 } else { y }
            });
        }
    }
}

/// A row, or the two rows of four parities, to `out[at..]` of each row of the packed image, every `step`.
#[inline(always)]
fn copy_row(
    from: &[f32],
    out: &mut [f32],
    (pitch, at, step): (usize, usize, usize),
    each: impl Fn(f32) -> f32 + Copy,
) {
    if out.len() > pitch {
        let (upper, lower) = out.split_at_mut(2 * pitch);
        let (first, second) = from.split_at(from.len() / 2);
        split_parity(first, upper, (pitch, at, step), each);
        split_parity(second, lower, (pitch, at, step), each);
        return;
    }
    if step == 1 {
        // The same loop, which the compiler vectorises without the step.
        let to = &mut out[at..at + from.len()];
        for (to, from) in to.iter_mut().zip(from) {
            *to = each(*from);
        }
    } else {
        for (to, from) in out[at..].iter_mut().step_by(step).zip(from) {
            *to = each(*from);
        }
    }
}

/// Even values to `to[at..]`, odd values to `to[pitch + at..]`, every `step`.
#[inline(always)]
fn split_parity(
    from: &[f32],
    to: &mut [f32],
    (pitch, at, step): (usize, usize, usize),
    each: impl Fn(f32) -> f32 + Copy,
) {
    let (even, odd) = to.split_at_mut(pitch);
    let (pairs, _) = from.as_chunks::<2>();
    if step == 1 {
        // The same loop, which the compiler vectorises without the step.
        let (even, odd) = (
            &mut even[at..][..pairs.len()],
            &mut odd[at..][..pairs.len()],
        );
        for ((even, odd), pair) in even.iter_mut().zip(odd).zip(pairs) {
            (*even, *odd) = (each(pair[0]), each(pair[1]));
        }
        return;
    }
    let to = even[at..].iter_mut().zip(&mut odd[at..]).step_by(step);
    for ((even, odd), pair) in to.zip(pairs) {
        (*even, *odd) = (each(pair[0]), each(pair[1]));
    }
}
