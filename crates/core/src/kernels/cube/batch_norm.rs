//! Batch normalisation on GPUs: statistics in two launches, and one that normalises; the gradient in three. The formulas
//! are in `ops::plain` and `kernels::cpu::batch_norm`.

#![allow(clippy::too_many_arguments)] // kernels have no other way to take them

use burn::backend::TensorMetadata;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
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

/// `relu(x scale + shift)`, with `x` normalised first if `normalises`.
#[cube(launch_unchecked)]
fn apply_kernel(
    x: &[f32],
    layout: Layout,
    mean: &[f32],
    var: &[f32],
    eps: f32,
    scale: &[f32],
    scale_rows: u32,
    shift: &[f32],
    shift_rows: u32,
    y: &mut [f32],
    #[comptime] normalises: bool,
    #[comptime] relu: bool,
) {
    let i = ABSOLUTE_POS;
    if i >= y.len() {
        terminate!();
    }
    let (image, channel) = (layout.image(i as u32), layout.channel(i as u32));
    let mut value = x[i];
    if normalises {
        let c = channel as usize;
        value = (value - mean[c]) / (var[c] + eps).sqrt();
    }
    let scale = scale[(min(image, scale_rows - 1) * layout.channels + channel) as usize];
    let shift = shift[(min(image, shift_rows - 1) * layout.channels + channel) as usize];
    let out = value * scale + shift;
    if relu {
        y[i] = max(out, 0.0f32);
    } else {
        y[i] = out;
    }
}

/// Fixed statistics.
pub struct Statistics {
    pub mean: CubeTensor,
    pub var: CubeTensor,
    pub eps: f64,
}

impl Statistics {
    /// The arguments of a kernel; others stand for those that are not there.
    fn args(of: Option<&Self>, x: &Map) -> (BufferArg, BufferArg, f32) {
        match of {
            Some(Self { mean, var, eps }) => {
                let [mean, var] = [mean, var].map(|t| into_contiguous(t.clone()).into_buffer_arg());
                (mean, var, *eps as f32)
            }
            None => (unread(x), unread(x), 0.0),
        }
    }
}

/// A buffer that a kernel does not read: another one twice would be two views of the same values, of which a browser
/// allows none to be written.
fn unread(x: &Map) -> BufferArg {
    empty(&x.tensor, [1]).into_buffer_arg()
}

/// `relu(x scale + shift)`, with `x` normalised first where there are statistics; tables are `[n or 1, c]`.
pub fn apply(
    x: &Map,
    statistics: Option<&Statistics>,
    [scale, shift]: [CubeTensor; 2],
    relu: bool,
) -> CubeTensor {
    let y = x.empty_like();
    let (count, dim) = units(&y.tensor);
    let (mean, var, eps) = Statistics::args(statistics, x);
    let [scale_rows, shift_rows] = [&scale, &shift].map(|table| table.shape()[0] as u32);
    // SAFETY: a unit reads and writes its own value; units beyond leave the map alone.
    unsafe {
        apply_kernel::launch_unchecked(
            &y.tensor.client,
            count,
            dim,
            x.values(),
            x.layout(),
            mean,
            var,
            eps,
            into_contiguous(scale).into_buffer_arg(),
            scale_rows,
            into_contiguous(shift).into_buffer_arg(),
            shift_rows,
            y.values(),
            statistics.is_some(),
            relu,
        );
    }
    y.tensor
}

/// Of each image and channel the sums of the gradient behind the ReLU and of its product with the (normalised) `x`: cube
/// (channel, image).
#[cube(launch_unchecked)]
fn table_sums_kernel(
    x: &[f32],
    x_layout: Layout,
    dy: &[f32],
    dy_layout: Layout,
    mean: &[f32],
    var: &[f32],
    eps: f32,
    scale: &[f32],
    scale_rows: u32,
    shift: &[f32],
    shift_rows: u32,
    of_scale: &mut [f32],
    of_shift: &mut [f32],
    #[comptime] normalises: bool,
    #[comptime] relu: bool,
) {
    let (channel, image) = (CUBE_POS_X, CUBE_POS_Y);
    let channels = x_layout.channels;
    let scale = scale[(min(image, scale_rows - 1) * channels + channel) as usize];
    let shift = shift[(min(image, shift_rows - 1) * channels + channel) as usize];
    let mut by_scale = 0.0f32;
    let mut by_shift = 0.0f32;
    let mut position = UNIT_POS;
    while position < x_layout.area {
        let mut value = x[x_layout.at(image, channel, position)];
        if normalises {
            let c = channel as usize;
            value = (value - mean[c]) / (var[c] + eps).sqrt();
        }
        let mut gradient = dy[dy_layout.at(image, channel, position)];
        if relu && value * scale + shift <= 0.0 {
            gradient = 0.0f32;
        }
        by_scale += gradient * value;
        by_shift += gradient;
        position += UNITS;
    }
    let by_scale = cube_sum(by_scale);
    let by_shift = cube_sum(by_shift);
    if UNIT_POS == 0 {
        let at = (image * channels + channel) as usize;
        of_scale[at] = by_scale;
        of_shift[at] = by_shift;
    }
}

/// Sums over images of a table, each row by a factor of a table `[rows, c]` if `weighs`: a unit a channel.
#[cube(launch_unchecked)]
fn column_sums_kernel(
    table: &[f32],
    images: u32,
    factors: &[f32],
    rows: u32,
    out: &mut [f32],
    first: u32,
    channels: u32,
    #[comptime] weighs: bool,
) {
    let channel = ABSOLUTE_POS as u32;
    if channel >= channels {
        terminate!();
    }
    let mut sum = 0.0f32;
    for image in 0..images {
        let value = table[(image * channels + channel) as usize];
        if weighs {
            sum += value * factors[(min(image, rows - 1) * channels + channel) as usize];
        } else {
            sum += value;
        }
    }
    out[(first + channel) as usize] = sum;
}

/// Gradients of a scale and a shift of each image and channel, `[n, c]`.
pub fn table_sums(
    x: &Map,
    dy: &Map,
    statistics: Option<&Statistics>,
    [scale, shift]: [&CubeTensor; 2],
    relu: bool,
) -> [CubeTensor; 2] {
    let out = [0, 1].map(|_| empty(&x.tensor, [x.images, x.channels]));
    let (mean, var, eps) = Statistics::args(statistics, x);
    let [scale_rows, shift_rows] = [scale, shift].map(|table| table.shape()[0] as u32);
    let [scale, shift] = [scale, shift].map(|t| into_contiguous(t.clone()).into_buffer_arg());
    let [of_scale, of_shift] = [&out[0], &out[1]].map(|t| t.clone().into_buffer_arg());
    // SAFETY: a cube reads a channel of an image, and writes its own values.
    unsafe {
        table_sums_kernel::launch_unchecked(
            &x.tensor.client,
            CubeCount::Static(x.channels as u32, x.images as u32, 1),
            CubeDim::new_1d(UNITS),
            x.values(),
            x.layout(),
            dy.values(),
            dy.layout(),
            mean,
            var,
            eps,
            scale,
            scale_rows,
            shift,
            shift_rows,
            of_scale,
            of_shift,
            statistics.is_some(),
            relu,
        );
    }
    out
}

/// The sums over images of tables `[n, c]`, one behind another, each row by that of `factors` where there are any.
pub fn column_sums(tables: [&CubeTensor; 2], factors: Option<&CubeTensor>) -> CubeTensor {
    let [images, channels] = tables[0].shape().dims();
    let out = empty(tables[0], [2 * channels]);
    for (half, table) in tables.into_iter().enumerate() {
        let rows = factors.map_or(1, |f| f.shape()[0] as u32);
        let factors_arg = match factors {
            Some(factors) => into_contiguous(factors.clone()),
            None => empty(table, [1]),
        };
        let dim = CubeDim::new(&out.client, channels);
        let count = cubecl::calculate_cube_count_elemwise(&out.client, channels, dim);
        // SAFETY: a unit reads its column, and writes its own value.
        unsafe {
            column_sums_kernel::launch_unchecked(
                &out.client,
                count,
                dim,
                table.clone().into_buffer_arg(),
                images as u32,
                factors_arg.into_buffer_arg(),
                rows,
                out.clone().into_buffer_arg(),
                (half * channels) as u32,
                channels as u32,
                factors.is_some(),
            );
        }
    }
    out
}

/// `dx` of a scale, of a normalisation with fixed statistics, or, if `flows`, with those of the batch: less the means of
/// the gradient and of its product with the normalised `x`, which `sums` `[2 c]` has times `count`.
#[cube(launch_unchecked)]
fn x_grad_kernel(
    x: &[f32],
    x_layout: Layout,
    dy: &[f32],
    dy_layout: Layout,
    mean: &[f32],
    var: &[f32],
    eps: f32,
    scale: &[f32],
    scale_rows: u32,
    shift: &[f32],
    shift_rows: u32,
    sums: &[f32],
    share: f32,
    dx: &mut [f32],
    #[comptime] normalises: bool,
    #[comptime] relu: bool,
    #[comptime] flows: bool,
) {
    let i = ABSOLUTE_POS;
    if i >= dx.len() {
        terminate!();
    }
    let at = i as u32;
    let (image, channel) = (x_layout.image(at), x_layout.channel(at));
    let c = channel as usize;
    let mut value = x[i];
    let mut reciprocal = 1.0f32;
    if normalises {
        reciprocal = 1.0 / (var[c] + eps).sqrt();
        value = (value - mean[c]) * reciprocal;
    }
    let scale = scale[(min(image, scale_rows - 1) * x_layout.channels + channel) as usize];
    let shift = shift[(min(image, shift_rows - 1) * x_layout.channels + channel) as usize];
    let mut gradient = dy[dy_layout.at(image, channel, x_layout.position(at))];
    if relu && value * scale + shift <= 0.0 {
        gradient = 0.0f32;
    }
    gradient *= scale;
    if flows {
        let channels = x_layout.channels as usize;
        gradient = gradient - sums[c] * share - value * sums[channels + c] * share;
    }
    dx[i] = gradient * reciprocal;
}

/// `dx`; `sums` are those over the batch and how many values they are of, where they depend on `x`.
pub fn x_grad(
    x: &Map,
    dy: &Map,
    statistics: Option<&Statistics>,
    [scale, shift]: [CubeTensor; 2],
    relu: bool,
    sums: Option<(CubeTensor, usize)>,
) -> CubeTensor {
    let dx = x.empty_like();
    let (count, dim) = units(&dx.tensor);
    let (mean, var, eps) = Statistics::args(statistics, x);
    let [scale_rows, shift_rows] = [&scale, &shift].map(|table| table.shape()[0] as u32);
    let flows = sums.is_some();
    let (sums, share) = match sums {
        Some((sums, len)) => (into_contiguous(sums).into_buffer_arg(), 1.0 / len as f32),
        None => (unread(x), 0.0),
    };
    // SAFETY: a unit reads and writes its own value; units beyond leave the map alone.
    unsafe {
        x_grad_kernel::launch_unchecked(
            &dx.tensor.client,
            count,
            dim,
            x.values(),
            x.layout(),
            dy.values(),
            dy.layout(),
            mean,
            var,
            eps,
            into_contiguous(scale).into_buffer_arg(),
            scale_rows,
            into_contiguous(shift).into_buffer_arg(),
            shift_rows,
            sums,
            share,
            dx.values(),
            statistics.is_some(),
            relu,
            flows,
        );
    }
    dx.tensor
}
