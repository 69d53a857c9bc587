//! Matrix products with few rows: projections of z and of the condition, for which reading the weights takes longest.

use super::instruction_sets::kernels;
use super::kept::Kept;
use super::parallel::{Output, for_each, with_scratch};
use super::simd::TileArgs;

/// Columns of the result that a task computes.
const TASK_COLUMNS: usize = 512;
/// Rows of the weight that are read side by side, from one end to the other: as many streams as processors fetch ahead.
const BLOCK_INPUTS: usize = 16;

/// `y = x W + b`
///
/// Inputs that are zero in every row cost nothing: most class weights are.
///
/// # Shapes
/// - x: `[rows, inputs]`, weight: `[inputs, outputs]`, bias: `[outputs]`
/// - y: `[rows, outputs]`, written
pub fn affine(x: &[f32], weight: &[f32], bias: &[f32], y: &mut [f32]) {
    let outputs = bias.len();
    let inputs = weight.len() / outputs.max(1);
    let rows = x.len() / inputs.max(1);
    let kernels = kernels();
    let is_used = |&input: &usize| x[input..].iter().step_by(inputs).any(|&x| x != 0.0);
    let used: Kept<usize> = (0..inputs).filter(is_used).collect();
    let offsets: Kept<usize> = used.iter().map(|input| input * outputs).collect();
    let tile = usize::from(rows <= kernels.tiles[1].rows);
    let height = kernels.tiles[tile].rows;
    // [panels, inputs, rows of a panel]; missing rows stay zero
    let mut panels = Kept::zeros(rows.div_ceil(height) * used.len() * height);
    for (row, x) in x.chunks_exact(inputs.max(1)).enumerate() {
        let panel = &mut panels[row / height * used.len() * height..];
        let column = panel[row % height..].iter_mut().step_by(height);
        for (to, &input) in column.zip(used.iter()) {
            *to = x[input];
        }
    }
    let out = Output::on(&mut y[..rows * outputs]);
    for_each(outputs.div_ceil(TASK_COLUMNS), |task| {
        let first = task * TASK_COLUMNS;
        let len = TASK_COLUMNS.min(outputs - first);
        let whole = len - len % kernels.lanes;
        with_scratch(|sums, _, starts| {
            starts.clear();
            starts.extend((first..first + whole).step_by(kernels.lanes));
            let sums = sums.take(height * TASK_COLUMNS);
            for first_row in (0..rows).step_by(height) {
                let x = &panels[first_row * used.len()..][..used.len() * height];
                sums.fill(0.0);
                for (offsets, x) in offsets
                    .chunks(BLOCK_INPUTS)
                    .zip(x.chunks(BLOCK_INPUTS * height))
                {
                    let args = TileArgs {
                        offsets: offsets.as_ptr(),
                        taps: offsets.len(),
                        weights: x.as_ptr(),
                        image: weight.as_ptr(),
                        starts: starts.as_ptr(),
                        out: sums.as_mut_ptr(),
                        pitch: TASK_COLUMNS,
                        add: true,
                    };
                    // SAFETY: an offset is a row of the weight and a start a register in it.
                    unsafe { kernels.product(tile, starts, &args) };
                }
                for row in 0..height.min(rows - first_row) {
                    // SAFETY: a task has its own columns.
                    let y = unsafe { out.slice((first_row + row) * outputs + first, len) };
                    let (y, rest) = y.split_at_mut(whole);
                    let sums = &sums[row * TASK_COLUMNS..];
                    for ((y, sum), bias) in y.iter_mut().zip(sums).zip(&bias[first..]) {
                        *y = bias + sum;
                    }
                    // columns that fill no register
                    for (column, y) in (first + whole..).zip(rest) {
                        let weights = offsets.iter().map(|offset| weight[offset + column]);
                        let terms = x[row..].iter().step_by(height).zip(weights);
                        *y = bias[column] + terms.map(|(x, weight)| x * weight).sum::<f32>();
                    }
                }
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Integers, whose sums are exact; a third are zero.
    fn integers(len: usize, seed: usize) -> Vec<f32> {
        let value = |i: usize| match (i * 7 + i / 5 + seed) % 9 {
            value if value < 3 => 0.0,
            value => value as f32 - 6.0,
        };
        (0..len).map(value).collect()
    }

    #[test]
    fn products_are_sums_over_inputs() {
        for rows in [1, 2, 5, 9, 17] {
            for (inputs, outputs) in [(1, 1), (7, 15), (20, 33), (3, 512), (12, 1030)] {
                let (x, weight) = (integers(rows * inputs, 1), integers(inputs * outputs, 4));
                let bias = integers(outputs, 2);
                let mut y = vec![9.0; rows * outputs + 1];
                affine(&x, &weight, &bias, &mut y);
                for row in 0..rows {
                    for column in 0..outputs {
                        let term = |k: usize| x[row * inputs + k] * weight[k * outputs + column];
                        let expected = bias[column] + (0..inputs).map(term).sum::<f32>();
                        let found = y[row * outputs + column];
                        assert_eq!(found, expected, "{rows} {inputs} {outputs}");
                    }
                }
                assert_eq!(y[rows * outputs], 9.0);
            }
        }
    }

    #[test]
    fn an_input_that_is_zero_everywhere_is_not_read() {
        let mut y = [0.0; 4];
        affine(
            &[0.0, 2.0, 0.0, 1.0],
            &[f32::NAN, f32::NAN, 1.0, 3.0],
            &[1.0, 0.0],
            &mut y,
        );
        assert_eq!(y, [3.0, 6.0, 2.0, 3.0]);
        affine(&[0.0, 0.0], &[5.0, 5.0], &[1.0], &mut y);
        assert_eq!(y[0], 1.0);
    }
}
