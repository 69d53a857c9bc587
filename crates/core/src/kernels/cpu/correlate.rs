//! Weights applied to taps of the packed image: the forward half of every convolution here.

use super::grid::{DenseRow, Grid, Item};
use super::instruction_sets::{Kernels, kernels};
use super::pack::Source;
use super::parallel::{Output, for_each, with_scratch};
use super::simd::TileArgs;
use super::taps::{Tap, offsets};

/// `out[o, p] = sum_k weight[o, k] * image[taps[k] at p]`
pub struct Product {
    pub taps: Vec<Tap>,
    /// `[outputs, taps]`
    pub weight: Vec<f32>,
}

/// Some rows of a weight, `[taps, rows]`, with the index of its tile kernel and of its first row.
struct Panel {
    kernel: usize,
    row: usize,
    weights: Vec<f32>,
}

/// Cut `[outputs, taps]` into panels as high as the tile kernels; missing rows are zero.
fn panels(kernels: &Kernels, weight: &[f32], outputs: usize, taps: usize) -> Vec<Panel> {
    let mut panels = Vec::new();
    let mut row = 0;
    while row < outputs {
        let kernel = usize::from(outputs - row <= kernels.tiles[1].0);
        let rows = kernels.tiles[kernel].0;
        let mut weights = vec![0.0; taps * rows];
        for i in 0..rows.min(outputs - row) {
            for k in 0..taps {
                weights[k * rows + i] = weight[(row + i) * taps + k];
            }
        }
        panels.push(Panel {
            kernel,
            row,
            weights,
        });
        row += rows;
    }
    panels
}

/// Apply one product, giving `[images, outputs, height, width]`, or four products, one for each parity
/// `(y % 2, x % 2)` of `[images, outputs, 2 height, 2 width]`.
pub fn correlate(
    grid: Grid,
    source: Source,
    products: &[Product],
    outputs: usize,
    bias: Option<&[f32]>,
) -> Vec<f32> {
    let kernels = kernels();
    let packed = grid.packed();
    let prepared: Vec<_> = products
        .iter()
        .map(|product| {
            let taps = product.taps.len();
            (
                offsets(grid, packed, &product.taps),
                panels(kernels, &product.weight, outputs, taps),
            )
        })
        .collect();
    // A panel may write a few rows more than there are outputs.
    let block = outputs.next_multiple_of(kernels.tiles[0].0);
    let pitch = grid.dense_pitch(kernels.vectors * kernels.lanes);
    let (height, width) = (grid.height, grid.width);
    let out = Output::new(grid.images * outputs * products.len() * height * width);
    for_each(grid.items(), |index| {
        with_scratch(|image, result, starts| {
            let item = grid.item(index);
            let image = image.take(source.rows() * packed.pitch);
            let result = result.take(products.len() * block * pitch);
            grid.pack(source, item, packed, image);
            grid.starts(item, kernels.lanes, kernels.vectors - 1, starts);
            for (t, starts) in starts.chunks_exact(kernels.vectors).enumerate() {
                for (i, (offsets, panels)) in prepared.iter().enumerate() {
                    for panel in panels {
                        let to = (i * block + panel.row) * pitch;
                        let args = TileArgs {
                            offsets: offsets.as_ptr(),
                            taps: offsets.len(),
                            weights: panel.weights.as_ptr(),
                            image: image.as_ptr(),
                            starts: starts.as_ptr(),
                            out: result[to + t * kernels.vectors * kernels.lanes..].as_mut_ptr(),
                            pitch,
                            add: false,
                        };
                        // SAFETY: a start is in the item and an offset at most a row and a pixel
                        // away, for which, and for the rounding to a register, `Grid::packed`
                        // leaves room; `block` and `pitch` leave room in `result`.
                        unsafe { kernels.tiles[panel.kernel].1(&args) };
                    }
                }
            }
            unpack(grid, item, outputs, bias, (result, block, pitch), &out);
        });
    });
    // SAFETY: the items cover every grid row and so every row of every image.
    unsafe { out.finish() }
}

/// Copy the results of an item, `[products, block, pitch]`, to the image rows they belong to.
fn unpack(
    grid: Grid,
    item: Item,
    outputs: usize,
    bias: Option<&[f32]>,
    (result, block, pitch): (&[f32], usize, usize),
    out: &Output,
) {
    let (height, width) = (grid.height, grid.width);
    let halved = result.len() > block * pitch;
    let rows: Vec<_> = grid.dense_rows(item).collect();
    for o in 0..outputs {
        let bias = bias.map_or(0.0, |bias| bias[o]);
        for &DenseRow { image, y, at } in &rows {
            let dense = |product: usize| &result[(product * block + o) * pitch + at..];
            for (i, image) in grid.dense_images(image).enumerate() {
                let row = (image * outputs + o) * height + y;
                if halved {
                    for py in 0..2 {
                        // SAFETY: an image row belongs to one item.
                        let to = unsafe { out.slice((2 * row + py) * 2 * width, 2 * width) };
                        let to = to.as_chunks_mut::<2>().0;
                        grid.dense_values(dense(2 * py), i, |x, v| to[x][0] = v + bias);
                        grid.dense_values(dense(2 * py + 1), i, |x, v| to[x][1] = v + bias);
                    }
                } else {
                    // SAFETY: an image row belongs to one item.
                    let to = unsafe { out.slice(row * width, width) };
                    grid.dense_values(dense(0), i, |x, v| to[x] = v + bias);
                }
            }
        }
    }
}
