//! Spectral normalisation on GPUs: three launches, and two for the gradient. Sums are in one order, so that the same
//! weights have the same singular values on all ranks. The formulas are at `kernels::spectral_normalise`.

#![allow(clippy::too_many_arguments)] // kernels have no other way to take them

use burn::backend::TensorMetadata;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

use super::sums::{UNITS, cube_sum};
use super::{Spectral, empty};

/// Columns of a cube that multiplies from the left; the other units share their rows.
const COLUMNS: u32 = 32;
const LANES: u32 = UNITS / COLUMNS;
/// Values of a cube that goes over a whole weight, and most cubes.
const VALUES: usize = 1 << 14;
const MOST_CUBES: usize = 256;

/// `W^T u`: a cube for `COLUMNS` columns.
#[cube(launch_unchecked)]
fn left_kernel(w: &[f32], u: &[f32], rows: u32, columns: u32, out: &mut [f32]) {
    let mut parts = Shared::<[f32]>::new_slice(comptime!(UNITS as usize));
    let column = CUBE_POS_X * COLUMNS + UNIT_POS % COLUMNS;
    let mut sum = 0.0f32;
    if column < columns {
        let mut row = UNIT_POS / COLUMNS;
        while row < rows {
            sum += w[(row * columns + column) as usize] * u[row as usize];
            row += LANES;
        }
    }
    parts[UNIT_POS as usize] = sum;
    sync_cube();
    if UNIT_POS < COLUMNS && column < columns {
        let mut all = 0.0f32;
        for lane in 0..LANES {
            all += parts[(lane * COLUMNS + UNIT_POS) as usize];
        }
        out[column as usize] = all;
    }
}

/// `W v` with `v` the raw vector over its norm, of at least `eps`: a cube a row.
#[cube(launch_unchecked)]
fn right_kernel(w: &[f32], raw: &[f32], columns: u32, eps: f32, out: &mut [f32]) {
    let row = CUBE_POS as u32;
    let mut square = 0.0f32;
    let mut product = 0.0f32;
    let mut column = UNIT_POS;
    while column < columns {
        let value = raw[column as usize];
        square += value * value;
        product += w[(row * columns + column) as usize] * value;
        column += UNITS;
    }
    let norm = max(cube_sum(square).sqrt(), eps);
    let product = cube_sum(product);
    if UNIT_POS == 0 {
        out[row as usize] = product / norm;
    }
}

/// `W / sigma`, `u'`, `v` and `sigma` from `W v` and the raw `v`; each cube computes sigma for itself.
#[cube(launch_unchecked)]
fn divide_kernel(
    w: &[f32],
    raw: &[f32],
    product: &[f32],
    rows: u32,
    columns: u32,
    eps: f32,
    out: &mut [f32],
    u: &mut [f32],
    v: &mut [f32],
    sigma: &mut [f32],
) {
    let mut square = 0.0f32;
    let mut row = UNIT_POS;
    while row < rows {
        let value = product[row as usize];
        square += value * value;
        row += UNITS;
    }
    let square = cube_sum(square);
    // u' = W v / max(|W v|, eps), so u' . W v = |W v|^2 / max(|W v|, eps)
    let norm = max(square.sqrt(), eps);
    let value = square / norm;

    let step = UNITS * CUBE_COUNT as u32;
    let first = CUBE_POS as u32 * UNITS + UNIT_POS;
    let mut i = first;
    while i < rows * columns {
        out[i as usize] = w[i as usize] / value;
        i += step;
    }
    i = first;
    while i < rows {
        u[i as usize] = product[i as usize] / norm;
        i += step;
    }
    if CUBE_POS == 0 {
        let mut square = 0.0f32;
        let mut column = UNIT_POS;
        while column < columns {
            square += raw[column as usize] * raw[column as usize];
            column += UNITS;
        }
        let norm = max(cube_sum(square).sqrt(), eps);
        column = UNIT_POS;
        while column < columns {
            v[column as usize] = raw[column as usize] / norm;
            column += UNITS;
        }
        if UNIT_POS == 0 {
            sigma[0] = value;
        }
    }
}

fn cubes(len: usize) -> u32 {
    len.div_ceil(VALUES).clamp(1, MOST_CUBES) as u32
}

/// As `plain::spectral_normalise`.
pub fn normalise(weight: CubeTensor, u: CubeTensor, eps: f64) -> Spectral {
    let [rows, columns] = weight.shape().dims();
    let weight = into_contiguous(weight);
    let client = weight.client.clone();
    let dim = CubeDim::new_1d(UNITS);
    let line = |n: u32| CubeCount::Static(n, 1, 1);
    let [raw, v] = [0, 1].map(|_| empty(&weight, [columns]));
    let [product, next] = [0, 1].map(|_| empty(&weight, [rows]));
    let (out, sigma) = (empty(&weight, [rows, columns]), empty(&weight, [1]));
    let (r, c) = (rows as u32, columns as u32);
    // SAFETY: the loops end at the sizes that are passed, which are those of the buffers.
    unsafe {
        left_kernel::launch_unchecked(
            &client,
            line(c.div_ceil(COLUMNS)),
            dim,
            weight.clone().into_buffer_arg(),
            into_contiguous(u).into_buffer_arg(),
            r,
            c,
            raw.clone().into_buffer_arg(),
        );
        right_kernel::launch_unchecked(
            &client,
            line(r),
            dim,
            weight.clone().into_buffer_arg(),
            raw.clone().into_buffer_arg(),
            c,
            eps as f32,
            product.clone().into_buffer_arg(),
        );
        divide_kernel::launch_unchecked(
            &client,
            line(cubes(rows * columns)),
            dim,
            weight.into_buffer_arg(),
            raw.into_buffer_arg(),
            product.into_buffer_arg(),
            r,
            c,
            eps as f32,
            out.clone().into_buffer_arg(),
            next.clone().into_buffer_arg(),
            v.clone().into_buffer_arg(),
            sigma.clone().into_buffer_arg(),
        );
    }
    (out, next, v, sigma)
}

/// Sums of `dY Y` of parts: a cube each.
#[cube(launch_unchecked)]
fn dot_kernel(y: &[f32], dy: &[f32], len: u32, parts: &mut [f32]) {
    let step = UNITS * CUBE_COUNT as u32;
    let mut i = CUBE_POS as u32 * UNITS + UNIT_POS;
    let mut sum = 0.0f32;
    while i < len {
        sum += y[i as usize] * dy[i as usize];
        i += step;
    }
    let sum = cube_sum(sum);
    if UNIT_POS == 0 {
        parts[CUBE_POS] = sum;
    }
}

/// `(dY - <dY, Y> u' v^T) / sigma`.
#[cube(launch_unchecked)]
fn grad_kernel(
    dy: &[f32],
    parts: &[f32],
    count: u32,
    u: &[f32],
    v: &[f32],
    sigma: &[f32],
    len: u32,
    columns: u32,
    dw: &mut [f32],
) {
    let mut part = 0.0f32;
    if UNIT_POS < count {
        part = parts[UNIT_POS as usize];
    }
    let dot = cube_sum(part);
    let step = UNITS * CUBE_COUNT as u32;
    let mut i = CUBE_POS as u32 * UNITS + UNIT_POS;
    while i < len {
        let outer = u[(i / columns) as usize] * v[(i % columns) as usize];
        dw[i as usize] = (dy[i as usize] - dot * outer) / sigma[0];
        i += step;
    }
}

/// As `plain::spectral_normalise_grad`.
pub fn grad((y, u, v, sigma): Spectral, dy: CubeTensor) -> CubeTensor {
    let [rows, columns] = y.shape().dims();
    let (y, dy) = (into_contiguous(y), into_contiguous(dy));
    let client = y.client.clone();
    let dim = CubeDim::new_1d(UNITS);
    let count = cubes(rows * columns);
    let parts = empty(&y, [count as usize]);
    let dw = empty(&y, [rows, columns]);
    let len = (rows * columns) as u32;
    // SAFETY: as above; there are at most as many parts as units.
    unsafe {
        dot_kernel::launch_unchecked(
            &client,
            CubeCount::Static(count, 1, 1),
            dim,
            y.into_buffer_arg(),
            dy.clone().into_buffer_arg(),
            len,
            parts.clone().into_buffer_arg(),
        );
        grad_kernel::launch_unchecked(
            &client,
            CubeCount::Static(count, 1, 1),
            dim,
            dy.into_buffer_arg(),
            parts.into_buffer_arg(),
            count,
            u.into_buffer_arg(),
            v.into_buffer_arg(),
            sigma.into_buffer_arg(),
            len,
            columns as u32,
            dw.clone().into_buffer_arg(),
        );
    }
    dw
}
