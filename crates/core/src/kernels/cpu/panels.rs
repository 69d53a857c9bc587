//! Products of a packed matrix with a block of columns: the matrix products of attention, made of the tile
//! kernel of the convolutions.

use core::ops::Range;

use super::instruction_sets::Kernels;
use super::kept::Kept;
use super::parallel::{Output, for_each};
use super::simd::TileArgs;

/// One matrix for each image, cut into panels as high as the tile kernel: `[images, panels, taps, height]`,
/// missing rows zero.
pub struct Panels {
    values: Kept<f32>,
    height: usize,
    pub rows: usize,
    taps: usize,
}

impl Panels {
    /// Packs `[images, rows, taps]` or, `transposed`, `[images, taps, rows]`; all values are multiplied by
    /// `factor`.
    pub fn pack(
        kernels: &Kernels,
        from: &[f32],
        [images, rows, taps]: [usize; 3],
        transposed: bool,
        factor: f32,
    ) -> Self {
        let height = kernels.tiles[0].rows;
        let panels = rows.div_ceil(height);
        let len = taps * height;
        let mut values = Kept::zeros(images * panels * len);
        let out = Output::on(&mut values);
        let (row_step, tap_step) = if transposed { (1, rows) } else { (taps, 1) };
        for_each(images * panels, |index| {
            let (image, first) = (index / panels, index % panels * height);
            let from = &from[image * rows * taps..][..rows * taps];
            // SAFETY: each panel has its own slice.
            let to = unsafe { out.slice(index * len, len) };
            for (tap, to) in to.chunks_exact_mut(height).enumerate() {
                for (i, to) in to.iter_mut().enumerate() {
                    *to = if first + i < rows {
                        from[(first + i) * row_step + tap * tap_step] * factor
                    } else {
                        0.0
                    };
                }
            }
        });
        Self {
            values,
            height,
            rows,
            taps,
        }
    }

    /// Rows with those that fill the last panel.
    pub fn padded_rows(&self) -> usize {
        self.rows.next_multiple_of(self.height)
    }
}

/// How blocks of columns lie in memory: `[taps, pitch]`, computed in tiles of the kernel's width.
pub struct Columns {
    pub kernels: &'static Kernels,
    pub pitch: usize,
    /// Start of each row.
    offsets: Kept<usize>,
    /// Start of each register.
    pub starts: Kept<usize>,
}

impl Columns {
    /// Blocks of at most `pitch` columns and `taps` rows.
    pub fn new(kernels: &'static Kernels, pitch: usize, taps: usize) -> Self {
        Self {
            kernels,
            pitch,
            offsets: (0..taps).map(|tap| tap * pitch).collect(),
            starts: (0..pitch).step_by(kernels.lanes).collect(),
        }
    }

    /// Columns of one tile.
    pub fn tile_width(kernels: &Kernels) -> usize {
        kernels.vectors * kernels.lanes
    }

    /// `out[r, p] = sum_t matrix[r, t] block[t, p]` for `p < width`, added to `out` if `add`; `rows` starts at a
    /// panel, `width` is whole tiles, and `taps` numbers those of the matrix, the first of which is the block's
    /// first row.
    #[allow(clippy::too_many_arguments)]
    pub fn product(
        &self,
        matrix: &Panels,
        image: usize,
        rows: Range<usize>,
        taps: Range<usize>,
        block: &[f32],
        width: usize,
        out: &mut [f32],
        add: bool,
    ) {
        let height = matrix.height;
        let panels = matrix.rows.div_ceil(height);
        let len = matrix.taps * height;
        assert!(rows.start.is_multiple_of(height));
        for (i, panel) in (rows.start / height..rows.end.div_ceil(height)).enumerate() {
            let weights = &matrix.values[(image * panels + panel) * len..][..len];
            let weights = &weights[taps.start * height..taps.end * height];
            let out = &mut out[i * height * self.pitch..][..height * self.pitch];
            assert!(block.len() >= taps.len() * self.pitch && width <= self.pitch);
            let starts = &self.starts[..width / self.kernels.lanes];
            let args = TileArgs {
                offsets: self.offsets[..taps.len()].as_ptr(),
                taps: taps.len(),
                weights: weights.as_ptr(),
                image: block.as_ptr(),
                starts: starts.as_ptr(),
                out: out.as_mut_ptr(),
                pitch: self.pitch,
                add,
            };
            // SAFETY: `width` is inside the rows of the block, of which there are as many as taps by the
            // assertion, and of `out`, which has as many as a panel.
            unsafe { self.kernels.product(0, starts, &args) };
        }
    }
}

/// Copies the columns `first..first + len` of each row of `[rows, row_len]` to a block, and zeros up to
/// `width`; all values are multiplied by `factor`.
pub fn copy_block(
    from: &[f32],
    row_len: usize,
    (first, len): (usize, usize),
    factor: f32,
    (width, pitch): (usize, usize),
    block: &mut [f32],
) {
    let rows = from.chunks_exact(row_len);
    for (from, to) in rows.zip(block.chunks_exact_mut(pitch)) {
        for (to, from) in to.iter_mut().zip(&from[first..first + len]) {
            *to = from * factor;
        }
        to[len..width].fill(0.0);
    }
}
