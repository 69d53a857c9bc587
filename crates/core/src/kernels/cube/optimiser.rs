//! Adam's step and an average of weights, one launch a tensor. The formulas are in `kernels::cpu::optimiser`.

use burn::backend::TensorMetadata;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

use super::{empty, owned, units};
use crate::kernels::AdamStep;

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

#[cube(launch_unchecked)]
fn average_kernel(average: &mut [f32], new: &[f32], kept: f32, added: f32) {
    let i = ABSOLUTE_POS;
    if i >= average.len() {
        terminate!();
    }
    average[i] = average[i] * kept + new[i] * added;
}

/// `decay average + (1 - decay) new`.
pub fn average(average: CubeTensor, new: CubeTensor, decay: f64) -> CubeTensor {
    let average = owned(average);
    let (count, dim) = units(&average);
    // SAFETY: both have the same length; units beyond leave them alone.
    unsafe {
        average_kernel::launch_unchecked(
            &average.client,
            count,
            dim,
            average.clone().into_buffer_arg(),
            into_contiguous(new).into_buffer_arg(),
            decay as f32,
            (1.0 - decay) as f32,
        );
    }
    average
}
