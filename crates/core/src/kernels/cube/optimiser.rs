//! Adam's step and the last part of orthogonal regularisation, one launch a tensor. The formulas are in
//! `kernels::cpu::optimiser` and `ops::plain`.

#![allow(clippy::too_many_arguments)] // kernels have no other way to take them

use burn::backend::TensorMetadata;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

use super::sums::{UNITS, cube_sum};
use super::{empty, units};
use crate::kernels::AdamStep;

/// A tensor that may be written: itself where nobody else has it.
fn owned(tensor: CubeTensor) -> CubeTensor {
    let tensor = into_contiguous(tensor);
    match tensor.can_mut() {
        true => tensor,
        false => tensor.copy(),
    }
}

#[cube(launch_unchecked)]
fn adam_kernel(
    value: &[f32],
    gradient: &[f32],
    first: &mut [f32],
    second: &mut [f32],
    out: &mut [f32],
    lr: f32,
    beta1: f32,
    beta2: f32,
    correction: f32,
    eps: f32,
) {
    let i = ABSOLUTE_POS;
    if i >= out.len() {
        terminate!();
    }
    let g = gradient[i];
    let m = first[i] * beta1 + g * (1.0 - beta1);
    let v = second[i] * beta2 + g * g * (1.0 - beta2);
    first[i] = m;
    second[i] = v;
    out[i] = value[i] - m * correction / (v.sqrt() + eps) * lr;
}

/// `(value, first moment, second moment)`, as `plain::adam_step`.
pub fn adam(
    value: CubeTensor,
    gradient: CubeTensor,
    first: CubeTensor,
    second: CubeTensor,
    step: AdamStep,
) -> (CubeTensor, CubeTensor, CubeTensor) {
    let out = empty(&value, value.shape());
    let (first, second) = (owned(first), owned(second));
    let (count, dim) = units(&out);
    // SAFETY: all have the length of `out`, which units beyond leave alone.
    unsafe {
        adam_kernel::launch_unchecked(
            &out.client,
            count,
            dim,
            into_contiguous(value).into_buffer_arg(),
            into_contiguous(gradient).into_buffer_arg(),
            first.clone().into_buffer_arg(),
            second.clone().into_buffer_arg(),
            out.clone().into_buffer_arg(),
            step.lr,
            step.beta1,
            step.beta2,
            step.correction,
            step.eps,
        );
    }
    (out, first, second)
}

/// Of each row `factor (product - |w|^2 w)` if `modified`, else `factor (product - w)`: a cube a row.
#[cube(launch_unchecked)]
fn orthogonal_kernel(
    product: &[f32],
    w: &[f32],
    columns: u32,
    factor: f32,
    out: &mut [f32],
    #[comptime] modified: bool,
) {
    let first = CUBE_POS as u32 * columns;
    let mut norm = 1.0f32;
    if modified {
        let mut square = 0.0f32;
        let mut column = UNIT_POS;
        while column < columns {
            let value = w[(first + column) as usize];
            square += value * value;
            column += UNITS;
        }
        norm = cube_sum(square);
    }
    let mut column = UNIT_POS;
    while column < columns {
        let at = (first + column) as usize;
        out[at] = (product[at] - norm * w[at]) * factor;
        column += UNITS;
    }
}

/// As `plain::orthogonal_term`.
pub fn orthogonal_term(
    product: CubeTensor,
    w: CubeTensor,
    factor: f64,
    modified: bool,
) -> CubeTensor {
    let [rows, columns] = w.shape().dims();
    let out = empty(&w, [rows, columns]);
    // SAFETY: a cube reads and writes its own row.
    unsafe {
        orthogonal_kernel::launch_unchecked(
            &out.client,
            CubeCount::Static(rows as u32, 1, 1),
            CubeDim::new_1d(UNITS),
            into_contiguous(product).into_buffer_arg(),
            into_contiguous(w).into_buffer_arg(),
            columns as u32,
            factor as f32,
            out.clone().into_buffer_arg(),
            modified,
        );
    }
    out
}
