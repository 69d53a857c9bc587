//! Writing tensors into the storage described by [`super::grid`].

use super::grid::{DenseRow, Grid, Item, Packed};

/// A tensor `[images, channels, height, width]` on a grid. With `halved`, the tensor is
/// `[images, channels, 2 height, 2 width]` and each channel is four rows of the packed image, one for
/// each parity `(y % 2, x % 2)`.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    pub values: &'a [f32],
    pub channels: usize,
    pub halved: bool,
}

impl Source<'_> {
    fn parities(&self) -> usize {
        if self.halved { 4 } else { 1 }
    }

    /// Rows of the packed image.
    pub fn rows(&self) -> usize {
        self.channels * self.parities()
    }
}

impl Grid {
    /// Pack an item with the rows before and after it; all that is not image is zero.
    pub fn pack(&self, source: Source, item: Item, packed: Packed, out: &mut [f32]) {
        let stride = self.stride();
        let first = packed.origin - self.border * stride;
        let start = item.start as isize - self.border as isize;
        let rows: Vec<_> = (0..item.rows + 2 * self.border)
            .filter_map(|i| {
                let (image, y) = self.image_row(start + i as isize)?;
                let at = first + i * stride;
                Some(DenseRow { image, y, at })
            })
            .collect();
        self.pack_rows(source, &rows, packed.pitch, out);
    }

    /// Pack the image rows of an item into dense storage.
    pub fn pack_dense(&self, source: Source, item: Item, pitch: usize, out: &mut [f32]) {
        let rows: Vec<_> = self.dense_rows(item).collect();
        self.pack_rows(source, &rows, pitch, out);
    }

    /// Write image rows at the places given, in ascending order, and zeros between them. Channels are the
    /// outer loop: their planes are contiguous, which the prefetcher wants.
    fn pack_rows(&self, source: Source, rows: &[DenseRow], pitch: usize, out: &mut [f32]) {
        let len = self.width * self.interleaved;
        for (channel, out) in out.chunks_exact_mut(pitch * source.parities()).enumerate() {
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
        if source.halved {
            let from = &source.values[row * 4 * width..][..4 * width];
            let (upper, lower) = out.split_at_mut(2 * pitch);
            split_parity(&from[..2 * width], upper, pitch, at, step);
            split_parity(&from[2 * width..], lower, pitch, at, step);
            return;
        }
        let from = &source.values[row * width..][..width];
        if step == 1 {
            out[at..at + width].copy_from_slice(from);
        } else {
            for (to, from) in out[at..].iter_mut().step_by(step).zip(from) {
                *to = *from;
            }
        }
    }
}

/// Even values to `to[at..]`, odd values to `to[pitch + at..]`, every `step`.
fn split_parity(from: &[f32], to: &mut [f32], pitch: usize, at: usize, step: usize) {
    let (even, odd) = to.split_at_mut(pitch);
    let (pairs, _) = from.as_chunks::<2>();
    if step == 1 {
        // The same loop, which the compiler vectorises without the step.
        let to = even[at..].iter_mut().zip(&mut odd[at..]);
        for ((even, odd), pair) in to.zip(pairs) {
            (*even, *odd) = (pair[0], pair[1]);
        }
        return;
    }
    let to = even[at..].iter_mut().zip(&mut odd[at..]).step_by(step);
    for ((even, odd), pair) in to.zip(pairs) {
        (*even, *odd) = (pair[0], pair[1]);
    }
}
