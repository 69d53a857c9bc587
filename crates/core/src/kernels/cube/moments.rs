//! Mean and variance of a map's channels on GPUs, in two launches.

use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::tensor::CubeTensor;

use super::maps::{Layout, Map};
use super::sums::{UNITS, cube_sum};
use super::{empty, units};

/// Cubes that a map is summed by at once.
const CUBES: usize = 1024;
/// Fewest values of a cube.
const LEAST: usize = 2048;

/// Mean and sum of squared deviations of a part of each channel: cube (channel, part).
#[cube(launch_unchecked)]
fn moments_of_parts(x: &[f32], layout: Layout, size: u32, means: &mut [f32], squares: &mut [f32]) {
    let channel = CUBE_POS_X;
    let part = CUBE_POS_Y;
    let len = layout.images * layout.area;
    let first = part * size;
    let end = min(first + size, len);
    let count = f32::cast_from(end - first);

    let mut sum = 0.0f32;
    let mut i = first + UNIT_POS;
    while i < end {
        sum += x[layout.at(i / layout.area, channel, i % layout.area)];
        i += UNITS;
    }
    let mean = cube_sum(sum) / count;

    let mut square = 0.0f32;
    i = first + UNIT_POS;
    while i < end {
        let apart = x[layout.at(i / layout.area, channel, i % layout.area)] - mean;
        square += apart * apart;
        i += UNITS;
    }
    let square = cube_sum(square);
    if UNIT_POS == 0 {
        let at = (part * layout.channels + channel) as usize;
        means[at] = mean;
        squares[at] = square;
    }
}

/// Mean and biased variance of channels from those of their parts (Chan, Golub and LeVeque 1979): a unit a channel.
#[cube(launch_unchecked)]
fn moments_of_all(
    means: &[f32],
    squares: &[f32],
    len: u32,
    size: u32,
    parts: u32,
    mean: &mut [f32],
    var: &mut [f32],
) {
    let channel = ABSOLUTE_POS;
    if channel >= mean.len() {
        terminate!();
    }
    let channels = mean.len();
    let mut sum = 0.0f32;
    for part in 0..parts {
        let count = min(size, len - part * size);
        sum += f32::cast_from(count) * means[part as usize * channels + channel];
    }
    let all = sum / f32::cast_from(len);
    let mut square = 0.0f32;
    for part in 0..parts {
        let count = min(size, len - part * size);
        let at = part as usize * channels + channel;
        let apart = means[at] - all;
        square += squares[at] + f32::cast_from(count) * apart * apart;
    }
    mean[channel] = all;
    var[channel] = square / f32::cast_from(len);
}

/// Mean and biased variance `[c]`.
pub fn moments(x: &Map) -> (CubeTensor, CubeTensor) {
    let len = x.images * x.area;
    let most = (CUBES / x.channels).clamp(1, len.div_ceil(LEAST));
    // no part is empty
    let size = len.div_ceil(most);
    let parts = len.div_ceil(size);
    let [means, squares] = [0, 1].map(|_| empty(&x.tensor, [parts, x.channels]));
    let [mean, var] = [0, 1].map(|_| empty(&x.tensor, [x.channels]));
    let client = &x.tensor.client;
    // SAFETY: a cube reads its part of its channel, and writes its own value.
    unsafe {
        moments_of_parts::launch_unchecked(
            client,
            CubeCount::Static(x.channels as u32, parts as u32, 1),
            CubeDim::new_1d(UNITS),
            x.values(),
            x.layout(),
            size as u32,
            means.clone().into_buffer_arg(),
            squares.clone().into_buffer_arg(),
        );
        let (count, dim) = units(&mean);
        moments_of_all::launch_unchecked(
            client,
            count,
            dim,
            means.into_buffer_arg(),
            squares.into_buffer_arg(),
            len as u32,
            size as u32,
            parts as u32,
            mean.clone().into_buffer_arg(),
            var.clone().into_buffer_arg(),
        );
    }
    (mean, var)
}
