//! Writing tensors into the storage described by [`super::grid`].

use core::ops::Range;

use super::grid::{DenseRow, Grid, Item, Packed};

/// A tensor `[images, channels, height, width]` on a grid. With `halved`, the tensor is
/// `[images, channels, 2 height, 2 width]` and each channel is four rows of the packed image, one for
/// each parity `(y % 2, x % 2)`.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    pub values: &'a [f32],
    pub channels: usize,
    pub halved: bool,
    /// What the values go through while they are packed.
    pub norm: Option<Norm<'a>>,
}

/// `relu(x * scale + shift)`: `[images, 2, channels]`, of each image its scales and then its shifts.
#[derive(Clone, Copy)]
pub struct Norm<'a>(pub &'a [f32]);

impl<'a> Source<'a> {
    /// A tensor of the grid's own resolution.
    pub fn whole(values: &'a [f32], channels: usize) -> Self {
        Self {
            values,
            channels,
            halved: false,
            norm: None,
        }
    }

    /// A tensor of twice the grid's resolution.
    pub fn halved(values: &'a [f32], channels: usize) -> Self {
        Self {
            halved: true,
            ..Self::whole(values, channels)
        }
    }

    /// The tensor after a normalisation.
    pub fn normed(self, norm: Option<Norm<'a>>) -> Self {
        Self { norm, ..self }
    }

    fn parities(&self) -> usize {
        if self.halved { 4 } else { 1 }
    }

    /// Rows of the packed image.
    pub fn rows(&self) -> usize {
        self.channels * self.parities()
    }
}

impl Grid {
    /// Pack some rows of the packed image of an item, with the image rows before and after it; all that is not image is
    /// zero.
    pub fn pack(
        &self,
        source: Source,
        rows: Range<usize>,
        item: Item,
        packed: Packed,
        out: &mut [f32],
    ) {
        let channels = rows.start / source.parities()..rows.end / source.parities();
        let stride = self.stride();
        let first = packed.origin - self.border * stride;
        let start = item.start as isize - self.border as isize;
        let image_rows: Vec<_> = (0..item.rows + 2 * self.border)
            .filter_map(|i| {
                let (image, y) = self.image_row(start + i as isize)?;
                let at = first + i * stride;
                Some(DenseRow { image, y, at })
            })
            .collect();
        self.pack_rows(source, channels, &image_rows, packed.pitch, out);
    }

    /// Pack the image rows of an item into dense storage.
    pub fn pack_dense(&self, source: Source, item: Item, pitch: usize, out: &mut [f32]) {
        let rows: Vec<_> = self.dense_rows(item).collect();
        self.pack_rows(source, 0..source.channels, &rows, pitch, out);
    }

    /// Write image rows at the places given, in ascending order, and zeros between them. Channels are the
    /// outer loop: their planes are contiguous, which the prefetcher wants.
    fn pack_rows(
        &self,
        source: Source,
        channels: Range<usize>,
        rows: &[DenseRow],
        pitch: usize,
        out: &mut [f32],
    ) {
        let len = self.width * self.interleaved;
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
                for i in 0..self.interleaved {
                    self.pack_image(
                        source,
                        row.image + i,
                        channel,
                        row.y,
                        row.at + i,
                        pitch,
                        out,
                    );
                }
            }
        }
    }

    /// The row `y` of one image and channel, every `interleaved` values from `at`.
    #[allow(clippy::too_many_arguments)]
    fn pack_image(
        &self,
        source: Source,
        image: usize,
        channel: usize,
        y: usize,
        at: usize,
        pitch: usize,
        out: &mut [f32],
    ) {
        let (step, width) = (self.interleaved, self.width);
        if image >= self.images {
            for row in out.chunks_exact_mut(pitch) {
                row[at..]
                    .iter_mut()
                    .step_by(step)
                    .take(width)
                    .for_each(|v| *v = 0.0);
            }
            return;
        }
        let row = (image * source.channels + channel) * self.height + y;
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
