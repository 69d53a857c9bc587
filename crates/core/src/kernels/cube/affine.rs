//! `relu(x scale + shift)` on GPUs, with `x` normalised first where there are statistics: one launch, and its gradients.
//! The formulas are in `ops::plain` and `kernels::cpu::batch_norm`.

use burn::backend::TensorMetadata;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

use super::maps::{Layout, Map};
use super::sums::{UNITS, cube_sum};
use super::{empty, units};

/// Mean and variance `[c]`, and what is added to the latter.
pub struct Statistics {
    pub mean: CubeTensor,
    pub var: CubeTensor,
    pub eps: f64,
}

/// What is done with a map; tables are `[n or 1, c]`.
pub struct Affine<'a> {
    /// What `x` is normalised by first.
    pub statistics: Option<&'a Statistics>,
    pub scale: CubeTensor,
    pub shift: CubeTensor,
    pub relu: bool,
}

impl Affine<'_> {
    /// The argument of a kernel.
    fn tables(&self) -> TablesLaunch {
        let argument = |tensor: &CubeTensor| into_contiguous(tensor.clone()).into_buffer_arg();
        let (mean, var, eps) = match self.statistics {
            Some(Statistics { mean, var, eps }) => (argument(mean), argument(var), *eps as f32),
            None => (unread(&self.scale), unread(&self.scale), 0.0),
        };
        let [scale_rows, shift_rows] = [&self.scale, &self.shift].map(|t| t.shape()[0] as u32);
        TablesLaunch::new(
            mean,
            var,
            eps,
            argument(&self.scale),
            scale_rows,
            argument(&self.shift),
            shift_rows,
            self.statistics.is_some(),
            self.relu,
        )
    }
}

/// A buffer that a kernel does not read: another one twice would be two views of the same values, of which a browser
/// allows none to be written.
fn unread(like: &CubeTensor) -> BufferArg {
    empty(like, [1]).into_buffer_arg()
}

/// The same for a kernel.
#[derive(CubeType, CubeLaunch)]
struct Tables {
    mean: Box<[f32]>,
    var: Box<[f32]>,
    eps: f32,
    scale: Box<[f32]>,
    scale_rows: u32,
    shift: Box<[f32]>,
    shift_rows: u32,
    #[cube(comptime)]
    normalises: bool,
    #[cube(comptime)]
    relu: bool,
}

#[cube]
impl Tables {
    fn deviation(&self, channel: u32) -> f32 {
        (self.var[channel as usize] + self.eps).sqrt()
    }

    /// A value as scale and shift meet it.
    fn read(&self, x: f32, channel: u32) -> f32 {
        let mut value = x;
        if comptime!(self.normalises) {
            value = (x - self.mean[channel as usize]) / self.deviation(channel);
        }
        value
    }

    fn scale(&self, image: u32, channel: u32, channels: u32) -> f32 {
        self.scale[(min(image, self.scale_rows - 1) * channels + channel) as usize]
    }

    fn shift(&self, image: u32, channel: u32, channels: u32) -> f32 {
        self.shift[(min(image, self.shift_rows - 1) * channels + channel) as usize]
    }

    /// The gradient behind the ReLU of `value scale + shift`.
    fn behind_relu(&self, dy: f32, value: f32, scale: f32, shift: f32) -> f32 {
        let mut gradient = dy;
        if comptime!(self.relu) && value * scale + shift <= 0.0 {
            gradient = 0.0f32;
        }
        gradient
    }
}

#[cube(launch_unchecked)]
fn apply_kernel(x: &[f32], layout: Layout, tables: Tables, y: &mut [f32]) {
    let i = ABSOLUTE_POS;
    if i >= y.len() {
        terminate!();
    }
    let (image, channel) = (layout.image(i as u32), layout.channel(i as u32));
    let value = tables.read(x[i], channel);
    let scale = tables.scale(image, channel, layout.channels);
    let mut out = value * scale + tables.shift(image, channel, layout.channels);
    if comptime!(tables.relu) {
        out = max(out, 0.0f32);
    }
    y[i] = out;
}

/// `relu(x scale + shift)`
pub fn apply(x: &Map, affine: &Affine) -> CubeTensor {
    let y = x.empty_like();
    let (count, dim) = units(&y.tensor);
    // SAFETY: a unit reads and writes its own value; units beyond leave the map alone.
    unsafe {
        apply_kernel::launch_unchecked(
            &y.tensor.client,
            count,
            dim,
            x.values(),
            x.layout(),
            affine.tables(),
            y.values(),
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
    tables: Tables,
    of_scale: &mut [f32],
    of_shift: &mut [f32],
) {
    let (channel, image) = (CUBE_POS_X, CUBE_POS_Y);
    let channels = x_layout.channels;
    let scale = tables.scale(image, channel, channels);
    let shift = tables.shift(image, channel, channels);
    let mut by_scale = 0.0f32;
    let mut by_shift = 0.0f32;
    let mut position = UNIT_POS;
    while position < x_layout.area {
        let value = tables.read(x[x_layout.at(image, channel, position)], channel);
        let dy = dy[dy_layout.at(image, channel, position)];
        let gradient = tables.behind_relu(dy, value, scale, shift);
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

/// Gradients of a scale and a shift of each image and channel, `[n, c]`.
pub fn table_sums(x: &Map, dy: &Map, affine: &Affine) -> [CubeTensor; 2] {
    let out = [0, 1].map(|_| empty(&x.tensor, [x.images, x.channels]));
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
            affine.tables(),
            of_scale,
            of_shift,
        );
    }
    out
}

/// `dx`: through the scale, through a normalisation with fixed statistics, or, if `flows`, with those of the batch: less
/// the means of the gradient and of its product with the normalised `x`, which `sums` `[2 c]` times `share` are.
#[cube(launch_unchecked)]
fn x_grad_kernel(
    x: &[f32],
    x_layout: Layout,
    dy: &[f32],
    dy_layout: Layout,
    tables: Tables,
    sums: &[f32],
    share: f32,
    dx: &mut [f32],
    #[comptime] flows: bool,
) {
    let i = ABSOLUTE_POS;
    if i >= dx.len() {
        terminate!();
    }
    let at = i as u32;
    let (image, channel) = (x_layout.image(at), x_layout.channel(at));
    let channels = x_layout.channels;
    let value = tables.read(x[i], channel);
    let scale = tables.scale(image, channel, channels);
    let shift = tables.shift(image, channel, channels);
    let dy = dy[dy_layout.at(image, channel, x_layout.position(at))];
    let mut gradient = tables.behind_relu(dy, value, scale, shift) * scale;
    if flows {
        let of_product = sums[(channels + channel) as usize];
        gradient = gradient - sums[channel as usize] * share - value * of_product * share;
    }
    if comptime!(tables.normalises) {
        gradient /= tables.deviation(channel);
    }
    dx[i] = gradient;
}

/// `dx`; `sums` are those over the batch and how many values they are of, where they depend on `x`.
pub fn x_grad(x: &Map, dy: &Map, affine: &Affine, sums: Option<(CubeTensor, usize)>) -> CubeTensor {
    let dx = x.empty_like();
    let (count, dim) = units(&dx.tensor);
    let flows = sums.is_some();
    let (sums, share) = match sums {
        Some((sums, len)) => (into_contiguous(sums).into_buffer_arg(), 1.0 / len as f32),
        None => (unread(&x.tensor), 0.0),
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
            affine.tables(),
            sums,
            share,
            dx.values(),
            flows,
        );
    }
    dx.tensor
}

/// Sums over the images of a table, each row by a factor of a table `[rows, c]` if `weighs`: a unit a channel.
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

/// Puts the sums over the images of a table `[n, c]` from `first` on, each row by that of `factors` where there are any.
fn put_column_sums(
    table: &CubeTensor,
    factors: Option<&CubeTensor>,
    out: &CubeTensor,
    first: usize,
) {
    let [images, channels] = table.shape().dims();
    let rows = factors.map_or(1, |factors| factors.shape()[0]);
    let weights = match factors {
        Some(factors) => into_contiguous(factors.clone()).into_buffer_arg(),
        None => unread(table),
    };
    let dim = CubeDim::new(&out.client, channels);
    let count = cubecl::calculate_cube_count_elemwise(&out.client, channels, dim);
    // SAFETY: a unit reads its column, and writes its own value, for which `out` has room.
    unsafe {
        column_sums_kernel::launch_unchecked(
            &out.client,
            count,
            dim,
            table.clone().into_buffer_arg(),
            images as u32,
            weights,
            rows as u32,
            out.clone().into_buffer_arg(),
            first as u32,
            channels as u32,
            factors.is_some(),
        );
    }
}

/// The sums over images of two tables `[n, c]`, one behind another, each row by that of `factors`.
pub fn weighted_sums(tables: [&CubeTensor; 2], factors: &CubeTensor) -> CubeTensor {
    let channels = factors.shape()[1];
    let out = empty(factors, [2 * channels]);
    for (half, table) in tables.into_iter().enumerate() {
        put_column_sums(table, Some(factors), &out, half * channels);
    }
    out
}

/// The gradient `[n, c]` of each image's row of a table as that of a table with so many rows, `n` or 1.
pub fn of_rows(table: CubeTensor, rows: usize) -> CubeTensor {
    let [images, channels] = table.shape().dims();
    if rows == images {
        return table;
    }
    let out = empty(&table, [1, channels]);
    put_column_sums(&table, None, &out, 0);
    out
}
