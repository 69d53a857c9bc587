//! Products of output gradients with taps of the packed image: the weight gradient of every convolution
//! here.

use super::grid::Grid;
use super::instruction_sets::{Kernels, kernels};
use super::parallel::{Output, for_each, with_scratch};
use super::simd::{DOT_COLUMNS, DOT_ROWS, DotArgs, MAX_LANES};
use super::source::Source;
use super::taps::{Tap, offset};

/// Partial sums of a weight gradient, added in order: enough to share the work, and fixed, so that the
/// sum is the same for every number of threads.
const WEIGHT_PARTS: usize = 16;
/// Tasks of a weight gradient with fewer parts. More of them would each pack the same image.
const WEIGHT_TASKS: usize = 4;

/// For each `(rows, taps)` the products `[rows, taps]` of rows of `dy` with taps of `x`, summed over all
/// positions: `out[i, k] = sum_p dy[rows[i] at p] * x[taps[k] at p]`. The results are concatenated.
pub fn tap_products(
    grid: Grid,
    x: Source,
    dy: Source,
    products: &[(Vec<usize>, Vec<Tap>)],
) -> Vec<f32> {
    let kernels = kernels();
    let grid = grid.coarse();
    let packed = grid.packed();
    let pitch = grid.dense_pitch(kernels.lanes);
    let prepared: Vec<_> = products
        .iter()
        .map(|(rows, taps)| {
            let rows: Vec<usize> = rows.iter().map(|row| row * pitch).collect();
            let offsets = taps.iter().map(|tap| offset(grid, packed, tap));
            (rows, offsets.collect::<Vec<_>>())
        })
        .collect();
    let len: usize = products
        .iter()
        .map(|(rows, taps)| rows.len() * taps.len())
        .sum();
    let items_per_part = grid.items().div_ceil(WEIGHT_PARTS).max(1);
    let parts = grid.items().div_ceil(items_per_part);
    // With few positions, several tasks share them, each for a block of rows.
    let row_count = products
        .iter()
        .map(|(rows, _)| rows.len())
        .max()
        .unwrap_or(0);
    let block = (row_count * parts / WEIGHT_TASKS)
        .next_multiple_of(DOT_ROWS)
        .max(DOT_ROWS);
    let blocks = row_count.div_ceil(block);
    let partial = Output::new(parts * len);
    for_each(parts * blocks, |task| {
        let (part, first) = (task / blocks, task % blocks * block);
        for index in part * items_per_part..((part + 1) * items_per_part).min(grid.items()) {
            with_scratch(|x_rows, dy_rows, starts| {
                let item = grid.item(index);
                let x_rows = x_rows.take(x.rows() * packed.pitch);
                let dy_rows = dy_rows.take(dy.rows() * pitch);
                grid.pack(x, 0..x.rows(), item, packed, x_rows);
                grid.pack_dense(dy, item, pitch, dy_rows);
                grid.starts(item, kernels.lanes, starts);
                let mut at = part * len;
                for (rows, taps) in &prepared {
                    let some = &rows[first.min(rows.len())..(first + block).min(rows.len())];
                    // SAFETY: each part and block has its own slice of the sums.
                    let sums = unsafe {
                        partial.slice(
                            at + first.min(rows.len()) * taps.len(),
                            some.len() * taps.len(),
                        )
                    };
                    if index == part * items_per_part {
                        sums.fill(0.0);
                    }
                    add_products(kernels, starts, (dy_rows, some), (x_rows, taps), sums);
                    at += rows.len() * taps.len();
                }
            });
        }
    });
    // SAFETY: each part and block has written its slice.
    let partial = unsafe { partial.finish() };
    let mut total = vec![0.0; len];
    for part in partial.chunks_exact(len.max(1)) {
        for (total, value) in total.iter_mut().zip(part) {
            *total += value;
        }
    }
    total
}

/// `sums[i, k] += sum_p a[a_offsets[i] + p] * b[b_offsets[k] at p]`
pub fn add_products(
    kernels: &Kernels,
    starts: &[usize],
    (a, a_offsets): (&[f32], &[usize]),
    (b, b_offsets): (&[f32], &[usize]),
    sums: &mut [f32],
) {
    let mut lanes = [[[0.0; MAX_LANES]; DOT_COLUMNS]; DOT_ROWS];
    for (i, a_block) in a_offsets.chunks(DOT_ROWS).enumerate() {
        for (k, b_block) in b_offsets.chunks(DOT_COLUMNS).enumerate() {
            // A block that is not full repeats its first member; the surplus is not used.
            let args = DotArgs {
                starts,
                a: a.as_ptr(),
                a_offsets: core::array::from_fn(|j| *a_block.get(j).unwrap_or(&a_block[0])),
                b: b.as_ptr(),
                b_offsets: core::array::from_fn(|j| *b_block.get(j).unwrap_or(&b_block[0])),
            };
            // SAFETY: as in `correlate`, for the offsets and for the rounding to a register.
            unsafe { (kernels.dot)(&args, &mut lanes) };
            for (row, lanes) in lanes.iter().enumerate().take(a_block.len()) {
                let at = (i * DOT_ROWS + row) * b_offsets.len() + k * DOT_COLUMNS;
                for (sum, lanes) in sums[at..].iter_mut().zip(&lanes[..b_block.len()]) {
                    *sum += sum_lanes(lanes);
                }
            }
        }
    }
}

/// Sum of 16 values, by halves.
fn sum_lanes(lanes: &[f32; MAX_LANES]) -> f32 {
    let eight: [f32; 8] = core::array::from_fn(|i| lanes[i] + lanes[i + 8]);
    let four: [f32; 4] = core::array::from_fn(|i| eight[i] + eight[i + 4]);
    (four[0] + four[2]) + (four[1] + four[3])
}
