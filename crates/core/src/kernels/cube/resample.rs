//! Upsampling and pooling by 2 on GPUs, one launch each.

use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::tensor::CubeTensor;

use super::maps::{Layout, Map};
use super::units;

#[cube(launch_unchecked)]
fn upsample_kernel(x: &[f32], from: Layout, y: &mut [f32], to: Layout, width: u32, factor: f32) {
    let i = ABSOLUTE_POS;
    if i >= y.len() {
        terminate!();
    }
    let at = i as u32;
    let position = to.position(at);
    let (row, column) = (position / (2 * width), position % (2 * width));
    let source = row / 2 * width + column / 2;
    y[i] = x[from.at(to.image(at), to.channel(at), source)] * factor;
}

/// `[n, c, h, w] -> [n, c, 2h, 2w]`, each value four times, multiplied by `factor`.
pub fn upsample(x: CubeTensor, factor: f32) -> CubeTensor {
    let x = Map::new(x);
    let [h, w] = x.sides();
    let y = x.resized([2 * h, 2 * w]);
    let (count, dim) = units(&y.tensor);
    // SAFETY: a unit writes its own value, whose source is in the map; units beyond leave it alone.
    unsafe {
        upsample_kernel::launch_unchecked(
            &y.tensor.client,
            count,
            dim,
            x.values(),
            x.layout(),
            y.values(),
            y.layout(),
            w as u32,
            factor,
        );
    }
    y.tensor
}

#[cube(launch_unchecked)]
fn pool_kernel(x: &[f32], from: Layout, y: &mut [f32], to: Layout, width: u32, factor: f32) {
    let i = ABSOLUTE_POS;
    if i >= y.len() {
        terminate!();
    }
    let at = i as u32;
    let position = to.position(at);
    let (image, channel) = (to.image(at), to.channel(at));
    let (row, column) = (position / width, position % width);
    let first = 2 * row * 2 * width + 2 * column;
    let upper = x[from.at(image, channel, first)] + x[from.at(image, channel, first + 1)];
    let below = first + 2 * width;
    let lower = x[from.at(image, channel, below)] + x[from.at(image, channel, below + 1)];
    y[i] = (upper + lower) * factor;
}

/// `[n, c, 2h, 2w] -> [n, c, h, w]`, the sums of 2x2 blocks multiplied by `factor`.
pub fn pool(x: CubeTensor, factor: f32) -> CubeTensor {
    let x = Map::new(x);
    let [h, w] = x.sides();
    let y = x.resized([h / 2, w / 2]);
    let (count, dim) = units(&y.tensor);
    // SAFETY: a unit writes its own value, whose sources are in the map; units beyond leave it alone.
    unsafe {
        pool_kernel::launch_unchecked(
            &y.tensor.client,
            count,
            dim,
            x.values(),
            x.layout(),
            y.values(),
            y.layout(),
            w as u32 / 2,
            factor,
        );
    }
    y.tensor
}
