//! Results of products copied to where they belong: inner loops, compiled for each instruction set.

use core::ops::Range;

use super::grid::{DenseRow, Grid, Item};
use super::kept::Kept;
use super::parallel::Output;

/// Where results go.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    out: &'a Output<'a>,
    sum: Sum<'a>,
}

/// What the results are added to.
#[derive(Clone, Copy)]
enum Sum<'a> {
    Nothing,
    /// The values that are there.
    Kept,
    /// These values, each of them to 2x2 of the results.
    Upsampled(Upsampled<'a>),
}

/// Planes of half the height and width of the results.
#[derive(Clone, Copy)]
struct Upsampled<'a> {
    values: &'a [f32],
    /// Of a row of the results.
    width: usize,
}

impl<'a> Target<'a> {
    /// Results are written.
    pub fn set(out: &'a Output<'a>) -> Self {
        let sum = Sum::Nothing;
        Self { out, sum }
    }

    /// Results are added to values.
    pub fn add(out: &'a Output<'a>) -> Self {
        let sum = Sum::Kept;
        Self { out, sum }
    }

    /// Results, `width` a row, are added to planes of half the height and width, upsampled (nearest).
    pub fn add_upsampled(out: &'a Output<'a>, values: &'a [f32], width: usize) -> Self {
        let sum = Sum::Upsampled(Upsampled { values, width });
        Self { out, sum }
    }
}

impl Upsampled<'_> {
    /// Adds to whole rows of the results, which begin at an index.
    #[inline(always)]
    fn add_to(&self, results: &mut [f32], index: usize) {
        let half = self.width / 2;
        for (row, results) in (index / self.width..).zip(results.chunks_exact_mut(self.width)) {
            // planes have an even number of rows
            let values = &self.values[row / 2 * half..][..half];
            for (pair, value) in results.as_chunks_mut::<2>().0.iter_mut().zip(values) {
                pair[0] += value;
                pair[1] += value;
            }
        }
    }
}

/// Arguments of [`unpack`].
pub struct UnpackArgs<'a> {
    pub grid: Grid,
    pub item: Item,
    /// Channels of the result, and those that are here.
    pub outputs: usize,
    pub part: Range<usize>,
    pub bias: Option<&'a [f32]>,
    /// `[products, block, pitch]`: one product or four.
    pub result: &'a [f32],
    pub block: usize,
    pub pitch: usize,
    pub to: Target<'a>,
}

/// Copies the results of an item to the image rows they belong to.
#[inline(always)]
pub fn unpack(args: UnpackArgs) {
    match args.to.sum {
        Sum::Kept => unpack_each(args, |to, v| *to += v),
        _ => unpack_each(args, |to, v| *to = v),
    }
}

#[inline(always)]
fn unpack_each(args: UnpackArgs, put: impl Fn(&mut f32, f32) + Copy) {
    let UnpackArgs {
        grid,
        item,
        outputs,
        part,
        bias,
        result,
        block,
        pitch,
        to,
    } = args;
    let (height, width) = (grid.height, grid.width);
    let halved = result.len() > block * pitch;
    let rows: Kept<_> = grid.dense_rows(item).collect();
    // SAFETY: an image row belongs to one task.
    let row_of = |row: usize, width: usize| unsafe { to.out.slice(row * width, width) };
    let add = |row: usize, results: &mut [f32]| {
        if let Sum::Upsampled(small) = to.sum {
            small.add_to(results, row * results.len());
        }
    };
    for (local, o) in part.enumerate() {
        let bias = bias.map_or(0.0, |bias| bias[o]);
        for &DenseRow { image, y, at } in rows.iter() {
            let dense = |product: usize| &result[(product * block + local) * pitch + at..];
            for (i, image) in grid.dense_images(image).enumerate() {
                let row = (image * outputs + o) * height + y;
                if halved {
                    for py in 0..2 {
                        let results = row_of(2 * row + py, 2 * width);
                        let pairs = results.as_chunks_mut::<2>().0;
                        let products = [dense(2 * py), dense(2 * py + 1)];
                        grid.dense_values(products, i, pairs, |[even, odd], values| {
                            put(even, values[0] + bias);
                            put(odd, values[1] + bias);
                        });
                        add(2 * row + py, results);
                    }
                } else {
                    let results = row_of(row, width);
                    grid.dense_values([dense(0)], i, results, |to, [v]| put(to, v + bias));
                    add(row, results);
                }
            }
        }
    }
}
