//! Weights applied to taps of the packed image: the forward half of every convolution here.
//!
//! A matrix product in blocks (Goto and van de Geijn 2008, "Anatomy of High-Performance Matrix
//! Multiplication"): a block of the image's rows is packed and stays in the second cache, a panel of weights for
//! it in the first; the sums of the blocks before are where the next block adds to them. Blocks and order depend on
//! shapes alone, and a sum takes its terms in the order of the taps.

use core::ops::Range;

use super::grid::Grid;
use super::instruction_sets::kernels;
use super::kept::Kept;
use super::pack_rows::VIEWS;
use super::parallel::{Output, for_each, wanted_tasks, with_scratch};
use super::simd::TileArgs;
use super::source::Source;
use super::taps::{Tap, offset, view_offset};
use super::unpack::{Target, UnpackArgs};

/// Most taps of a block: with a panel of eight rows they fill a quarter of a first cache of 32 KiB.
const BLOCK_TAPS: usize = 288;
/// Most rows of the packed image in a block: 200 KiB at the usual length of a row.
const BLOCK_ROWS: usize = 48;
/// Outputs from which small images are packed nine times, as each tap sees them: their rows with borders fill half of the
/// registers.
const VIEW_OUTPUTS: usize = 128;

/// `out[o, p] = sum_k weight[o, k] * image[taps[k] at p]`; each row of the image has the same number of taps, in the
/// order of the rows.
pub struct Product {
    pub taps: Vec<Tap>,
    /// `[outputs, taps]`
    pub weight: Vec<f32>,
}

/// One product, or one for each parity `(y % 2, x % 2)` of the output, in the order in which the kernels read it.
#[derive(Debug)]
pub struct Weights {
    outputs: usize,
    panels: Vec<Panel>,
    /// Rows of all panels together: the outputs and what fills the last panel.
    padded: usize,
    /// Of each product the taps of one block and the weights `[blocks, panels, taps of the block, rows of the panel]`.
    pub products: Vec<(Vec<Tap>, Vec<f32>)>,
    /// Rows of the packed image: all and in a block.
    rows: usize,
    pub block_rows: usize,
    taps_a_row: usize,
}

/// What a block of a product reads and writes.
pub struct Place<'a> {
    /// Of the taps of a block.
    pub offsets: &'a [usize],
    /// The rows of the block.
    pub image: &'a [f32],
    /// Of each register.
    pub starts: &'a [usize],
    /// `[rows of the panels, pitch]`
    pub out: &'a mut [f32],
    pub pitch: usize,
}

/// Some rows of a weight: the index of its tile kernel and its first row.
#[derive(Debug, Clone, Copy)]
pub struct Panel {
    pub kernel: usize,
    pub row: usize,
}

impl Weights {
    /// Prepares products over the rows of a packed image; the taps of `period` rows repeat.
    pub fn new(products: &[Product], rows: usize, period: usize, outputs: usize) -> Self {
        let taps_a_row = products[0].taps.len() / rows.max(1);
        let most = (BLOCK_TAPS / taps_a_row.max(1)).clamp(period, BLOCK_ROWS);
        Self::in_blocks_of(most, products, rows, period, outputs)
    }

    /// Prepares products over rows that need no packing, with one tap a row.
    pub fn whole_rows(products: &[Product], rows: usize, outputs: usize) -> Self {
        Self::in_blocks_of(BLOCK_TAPS, products, rows, 1, outputs)
    }

    fn in_blocks_of(
        most: usize,
        products: &[Product],
        rows: usize,
        period: usize,
        outputs: usize,
    ) -> Self {
        let kernels = kernels();
        let mut panels = Vec::new();
        let mut row = 0;
        while row < outputs {
            let kernel = usize::from(outputs - row <= kernels.tiles[1].rows);
            panels.push(Panel { kernel, row });
            row += kernels.tiles[kernel].rows;
        }
        let taps_a_row = products[0].taps.len() / rows.max(1);
        let block_rows = rows
            .div_ceil(rows.div_ceil(most).max(1))
            .next_multiple_of(period);
        let arranged = |product: &Product| {
            let taps = product.taps.len();
            let block = block_rows * taps_a_row;
            let mut weights = vec![0.0; row * taps];
            for first in (0..taps).step_by(block.max(1)) {
                let columns = first..(first + block).min(taps);
                for panel in &panels {
                    let height = kernels.tiles[panel.kernel].rows;
                    let to = row * first + panel.row * columns.len();
                    let to = &mut weights[to..][..height * columns.len()];
                    // missing rows stay zero
                    for i in 0..height.min(outputs - panel.row) {
                        let from = &product.weight[(panel.row + i) * taps..][columns.clone()];
                        for (to, &from) in to[i..].iter_mut().step_by(height).zip(from) {
                            *to = from;
                        }
                    }
                }
            }
            (product.taps[..block.min(taps)].to_vec(), weights)
        };
        Self {
            products: products.iter().map(arranged).collect(),
            outputs,
            panels,
            padded: row,
            rows,
            block_rows,
            taps_a_row,
        }
    }

    /// The blocks of rows of the packed image.
    pub fn blocks(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (rows, block) = (self.rows, self.block_rows);
        let firsts = (0..rows).step_by(block);
        firsts.map(move |first| first..(first + block).min(rows))
    }

    /// The terms of some rows of the packed image, one of the [`Weights::blocks`], in a product, for the outputs of some
    /// panels; the first block sets the sums, the others add to them.
    ///
    /// # Safety
    /// A register at each start and each offset from there must be in the image, and each start's register in a row of
    /// `out`.
    pub unsafe fn multiply(
        &self,
        product: usize,
        rows: &Range<usize>,
        panels: &[Panel],
        place: &mut Place,
    ) {
        let kernels = kernels();
        let taps = rows.len() * self.taps_a_row;
        let first_row = panels.first().map_or(0, |panel| panel.row);
        for panel in panels {
            let from = self.padded * rows.start * self.taps_a_row + panel.row * taps;
            let to = (panel.row - first_row) * place.pitch;
            let args = TileArgs {
                offsets: place.offsets.as_ptr(),
                taps,
                weights: self.products[product].1[from..].as_ptr(),
                image: place.image.as_ptr(),
                starts: place.starts.as_ptr(),
                out: place.out[to..].as_mut_ptr(),
                pitch: place.pitch,
                add: rows.start > 0,
            };
            // SAFETY: the caller's promise; the weights of a panel of a block lie together.
            unsafe { kernels.product(panel.kernel, place.starts, &args) };
        }
    }

    /// Tasks into which the panels of an item are shared, where items are fewer than the threads want.
    pub fn parts(&self, items: usize) -> usize {
        let parts = wanted_tasks().div_ceil(items.max(1));
        parts.clamp(1, self.panels.len().max(1))
    }

    /// The panels of a task and the outputs that they compute.
    pub fn part(&self, part: usize, parts: usize) -> (&[Panel], Range<usize>) {
        let len = self.panels.len().div_ceil(parts);
        let first = (part * len).min(self.panels.len());
        let last = (first + len).min(self.panels.len());
        let row = |panel: usize| self.panels.get(panel).map_or(self.outputs, |p| p.row);
        (&self.panels[first..last], row(first)..row(last))
    }

    /// The row after some panels.
    pub fn end(&self, panels: &[Panel]) -> usize {
        let last = panels[panels.len() - 1];
        last.row + kernels().tiles[last.kernel].rows
    }
}

/// Apply one product, giving `[images, outputs, height, width]`, or four products, one for each parity
/// `(y % 2, x % 2)` of `[images, outputs, 2 height, 2 width]`.
pub fn correlate(grid: Grid, source: Source, weights: &Weights, bias: Option<&[f32]>) -> Vec<f32> {
    let area = grid.height * grid.width * weights.products.len();
    let out = Output::new(grid.images * weights.outputs * area);
    correlate_on(grid, source, weights, bias, Target::set(&out));
    // SAFETY: the tasks cover every grid row and output and so every row of every image.
    unsafe { out.finish() }
}

/// [`correlate`] to a place.
pub fn correlate_on(
    grid: Grid,
    source: Source,
    weights: &Weights,
    bias: Option<&[f32]>,
    to: Target,
) {
    let kernels = kernels();
    let views = grid
        .without_borders()
        .filter(|_| weights.outputs >= VIEW_OUTPUTS && !source.halved);
    let grid = views.unwrap_or(grid);
    let pitch = grid.dense_pitch(kernels.lanes);
    let packed = grid.packed();
    // [products, taps of a block]
    let taps = weights.products.iter().flat_map(|(taps, _)| taps);
    let (row_len, offsets): (usize, Kept<usize>) = match views {
        Some(_) => (
            VIEWS * pitch,
            taps.map(|tap| view_offset(pitch, tap)).collect(),
        ),
        None => (
            packed.pitch,
            taps.map(|tap| offset(grid, packed, tap)).collect(),
        ),
    };
    let products = weights.products.len();
    let taps = offsets.len() / products;
    let parts = weights.parts(grid.items());
    for_each(grid.items() * parts, |task| {
        let (panels, part) = weights.part(task % parts, parts);
        if part.is_empty() {
            return;
        }
        with_scratch(|image, result, starts| {
            let item = grid.item(task / parts);
            let image = image.take(weights.block_rows * row_len);
            // A panel may write a few rows more than there are outputs.
            let block = part.len() + kernels.tiles[0].rows;
            let result = result.take(products * block * pitch);
            grid.starts(item, kernels.lanes, starts);
            for rows in weights.blocks() {
                match views {
                    Some(grid) => grid.pack_views(source, rows.clone(), pitch, image),
                    None => grid.pack(source, rows.clone(), item, packed, image),
                }
                for product in 0..products {
                    let mut place = Place {
                        offsets: &offsets[product * taps..][..taps],
                        image,
                        starts,
                        out: &mut result[product * block * pitch..][..block * pitch],
                        pitch,
                    };
                    // SAFETY: a start is in the item and an offset at most a row and a pixel away, for which, and for
                    // the rounding to a register, `Grid::packed` leaves room, as `pitch` does; a view is a row of
                    // `pitch`.
                    unsafe { weights.multiply(product, &rows, panels, &mut place) };
                }
            }
            let results = UnpackArgs {
                grid,
                item,
                outputs: weights.outputs,
                part,
                bias,
                result,
                block,
                pitch,
                to,
            };
            // SAFETY: the kernels are those of an instruction set that this machine has.
            unsafe { (kernels.unpack)(results) };
        });
    });
}
