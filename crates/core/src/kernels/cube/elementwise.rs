//! Values by themselves, one launch a tensor.

use burn::backend::TensorMetadata;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

use super::maps::{Layout, Map};
use super::{empty, units};

#[cube(launch_unchecked)]
fn weighted_sum_kernel(x: &[f32], a: f32, y: &[f32], b: f32, out: &mut [f32]) {
    let i = ABSOLUTE_POS;
    if i >= out.len() {
        terminate!();
    }
    out[i] = x[i] * a + y[i] * b;
}

/// `a x + b y`
pub fn weighted_sum(x: CubeTensor, a: f64, y: CubeTensor, b: f64) -> CubeTensor {
    let out = empty(&x, x.shape());
    let (count, dim) = units(&out);
    // SAFETY: all have the same length, and units beyond leave them alone.
    unsafe {
        weighted_sum_kernel::launch_unchecked(
            &out.client,
            count,
            dim,
            into_contiguous(x).into_buffer_arg(),
            a as f32,
            into_contiguous(y).into_buffer_arg(),
            b as f32,
            out.clone().into_buffer_arg(),
        );
    }
    out
}

#[cube(launch_unchecked)]
fn relu_grad_kernel(x: &[f32], x_layout: Layout, dy: &[f32], dy_layout: Layout, dx: &mut [f32]) {
    let i = ABSOLUTE_POS;
    if i >= dx.len() {
        terminate!();
    }
    let at = i as u32;
    let (image, channel) = (x_layout.image(at), x_layout.channel(at));
    let mut gradient = dy[dy_layout.at(image, channel, x_layout.position(at))];
    if x[i] <= 0.0 {
        gradient = 0.0f32;
    }
    dx[i] = gradient;
}

/// Gradient of a ReLU of a map.
pub fn relu_grad(x: CubeTensor, dy: CubeTensor) -> CubeTensor {
    let (x, dy) = (Map::new(x), Map::new(dy));
    let dx = x.empty_like();
    let (count, dim) = units(&dx.tensor);
    // SAFETY: a unit reads and writes its own value; units beyond leave the map alone.
    unsafe {
        relu_grad_kernel::launch_unchecked(
            &dx.tensor.client,
            count,
            dim,
            x.values(),
            x.layout(),
            dy.values(),
            dy.layout(),
            dx.values(),
        );
    }
    dx.tensor
}
