//! Writing tensors into the storage described by [`super::grid`].

use core::ops::Range;

use super::grid::{DenseRow, Grid, Item, Packed};
use super::instruction_sets::kernels;
use super::kept::Kept;
use super::pack_rows::PackArgs;
use super::source::Source;

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
        let image_rows: Kept<_> = (0..item.rows + 2 * self.border)
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
        let rows: Kept<_> = self.dense_rows(item).collect();
        self.pack_rows(source, 0..source.channels, &rows, pitch, out);
    }

    /// Packs some rows of the source as each of the nine taps sees them, on a grid [without
    /// borders](Grid::without_borders).
    pub fn pack_views(&self, source: Source, rows: Range<usize>, pitch: usize, out: &mut [f32]) {
        let args = PackArgs {
            grid: *self,
            source,
            channels: rows,
            rows: &[],
            pitch,
            out,
        };
        // SAFETY: the kernels are those of an instruction set that this machine has.
        unsafe { (kernels().pack_views)(args) };
    }

    fn pack_rows(
        &self,
        source: Source,
        channels: Range<usize>,
        rows: &[DenseRow],
        pitch: usize,
        out: &mut [f32],
    ) {
        let args = PackArgs {
            grid: *self,
            source,
            channels,
            rows,
            pitch,
            out,
        };
        // SAFETY: the kernels are those of an instruction set that this machine has.
        unsafe { (kernels().pack_rows)(args) };
    }
}
