//! The kernels on GPUs, in CubeCL: one source for CUDA, Vulkan, Metal and WebGPU. Other element types than f32 take the
//! plain path, which is the reference of each.

mod affine;
mod elementwise;
mod maps;
mod moments;
#[cfg(feature = "train")]
mod optimiser;
mod resample;
mod spectral_norm;
mod sums;

use burn::backend::ops::{ActivationOps, ModuleOps};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Cube, TensorMetadata};
use burn::tensor::{DType, Shape};
use burn_cubecl::cubecl::calculate_cube_count_elemwise;
use burn_cubecl::cubecl::prelude::{CubeCount, CubeDim};
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;

use affine::{Affine, Statistics};
use maps::Map;

#[cfg(feature = "train")]
use super::cpu::optimiser::AdamStep;
use super::ops::KernelOps;
use super::ops::plain;
#[cfg(feature = "nccl")]
use crate::collective::Group;
use crate::collective::Share;

type Triple = (CubeTensor, CubeTensor, CubeTensor);
/// A normalised weight, its vectors and the singular value.
type Spectral = (CubeTensor, CubeTensor, CubeTensor, CubeTensor);

/// Most cubes in a direction (WebGPU's `maxComputeWorkgroupsPerDimension`).
const MOST_CUBES: usize = 65_535;

/// Whether all have the element type of the kernels.
fn are_f32(tensors: &[&CubeTensor]) -> bool {
    tensors.iter().all(|tensor| tensor.dtype == DType::F32)
}

/// A tensor of its own memory, in order, with values to be written.
fn empty(like: &CubeTensor, shape: impl Into<Shape>) -> CubeTensor {
    empty_device_contiguous_dtype(
        like.client.clone(),
        like.device.clone(),
        shape.into(),
        like.dtype,
    )
}

/// A unit for each value.
fn units(tensor: &CubeTensor) -> (CubeCount, CubeDim) {
    let len = tensor.shape().num_elements();
    let dim = CubeDim::new(&tensor.client, len);
    (calculate_cube_count_elemwise(&tensor.client, len, dim), dim)
}

impl KernelOps for Cube {
    fn batch_norm_relu(
        x: FloatTensor<Self>,
        gain: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        eps: f64,
        relu: bool,
        share: Option<Share>,
    ) -> Triple {
        if !are_f32(&[&x, &gain, &bias]) {
            return plain::batch_norm::<Self>(x, gain, bias, eps, relu, share);
        }
        let x = Map::new(x);
        let (mut mean, mut var) = moments::moments(&x);
        if let Some(share) = share {
            [mean, var] = plain::merge::<Self>(mean, var, &share);
        }
        let statistics = Statistics { mean, var, eps };
        let affine = Affine {
            statistics: Some(&statistics),
            scale: gain,
            shift: bias,
            relu,
        };
        let y = affine::apply(&x, &affine);
        (y, statistics.mean, statistics.var)
    }

    fn batch_norm_relu_grad(
        x: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        var: FloatTensor<Self>,
        gain: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        eps: f64,
        relu: bool,
        share: Option<Share>,
    ) -> Triple {
        if !are_f32(&[&x, &mean, &var, &gain, &bias, &dy]) {
            return plain::batch_norm_grad::<Self>(x, mean, var, gain, bias, dy, eps, relu, share);
        }
        let (x, dy) = (Map::new(x), Map::new(dy));
        let statistics = Statistics { mean, var, eps };
        let affine = Affine {
            statistics: Some(&statistics),
            scale: gain,
            shift: bias,
            relu,
        };
        let [dgain, dbias] = affine::table_sums(&x, &dy, &affine);
        // of the gradient, then of its product with the normalised x
        let sums = affine::weighted_sums([&dbias, &dgain], &affine.scale);
        let len = share.as_ref().map_or(x.images, Share::images) * x.area;
        let sums = plain::of_the_batch::<Self>(sums, share.as_ref());
        let dx = affine::x_grad(&x, &dy, &affine, sums.map(|sums| (sums, len)));
        let rows = affine.scale.shape()[0];
        let [dgain, dbias] = [dgain, dbias].map(|table| affine::of_rows(table, rows));
        (dx, dgain, dbias)
    }

    fn spectral_normalise(weight: FloatTensor<Self>, u: FloatTensor<Self>, eps: f64) -> Spectral {
        // a cube a row
        match are_f32(&[&weight, &u]) && weight.shape()[0] <= MOST_CUBES {
            true => spectral_norm::normalise(weight, u, eps),
            false => plain::spectral_normalise::<Self>(weight, u, eps),
        }
    }

    fn spectral_normalise_grad(
        y: FloatTensor<Self>,
        u: FloatTensor<Self>,
        v: FloatTensor<Self>,
        sigma: FloatTensor<Self>,
        dy: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        match are_f32(&[&y, &dy]) {
            true => spectral_norm::grad((y, u, v, sigma), dy),
            false => plain::spectral_normalise_grad::<Self>(y, u, v, sigma, dy),
        }
    }

    fn scale_shift_relu(
        x: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        relu: bool,
    ) -> FloatTensor<Self> {
        if !are_f32(&[&x, &scale, &shift]) {
            return plain::scale_shift_relu::<Self>(x, scale, shift, relu);
        }
        let affine = Affine {
            statistics: None,
            scale,
            shift,
            relu,
        };
        affine::apply(&Map::new(x), &affine)
    }

    fn scale_shift_relu_grad(
        x: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        relu: bool,
    ) -> Triple {
        if !are_f32(&[&x, &scale, &shift, &dy]) {
            return plain::scale_shift_relu_grad::<Self>(x, scale, shift, dy, relu);
        }
        let (x, dy) = (Map::new(x), Map::new(dy));
        let affine = Affine {
            statistics: None,
            scale,
            shift,
            relu,
        };
        let [dscale, dshift] = affine::table_sums(&x, &dy, &affine);
        let dx = affine::x_grad(&x, &dy, &affine, None);
        let [rows, shift_rows] = [&affine.scale, &affine.shift].map(|table| table.shape()[0]);
        (
            dx,
            affine::of_rows(dscale, rows),
            affine::of_rows(dshift, shift_rows),
        )
    }

    fn upsample_2x(x: FloatTensor<Self>, factor: f32) -> FloatTensor<Self> {
        match are_f32(&[&x]) {
            true => resample::upsample(x, factor),
            false => plain::upsample_2x::<Self>(x, factor),
        }
    }

    fn pool_2x2(x: FloatTensor<Self>, factor: f32) -> FloatTensor<Self> {
        match are_f32(&[&x]) {
            true => resample::pool(x, factor),
            false => plain::pool_2x2::<Self>(x, factor),
        }
    }

    #[cfg(feature = "nccl")]
    fn all_reduce_sum(x: FloatTensor<Self>, group: Group) -> FloatTensor<Self> {
        super::ops::cuda_sum::all_reduce_sum(x, &group)
    }

    #[cfg(feature = "train")]
    fn adam_step(
        value: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        first: FloatTensor<Self>,
        second: FloatTensor<Self>,
        step: AdamStep,
    ) -> Triple {
        if !are_f32(&[&value, &gradient, &first, &second]) {
            return plain::adam_step::<Self>(value, gradient, first, second, step);
        }
        optimiser::adam(value, gradient, first, second, step)
    }

    fn weighted_sum(
        x: FloatTensor<Self>,
        a: f64,
        y: FloatTensor<Self>,
        b: f64,
    ) -> FloatTensor<Self> {
        match are_f32(&[&x, &y]) {
            true => elementwise::weighted_sum(x, a, y, b),
            false => plain::weighted_sum::<Self>(x, a, y, b),
        }
    }

    #[cfg(feature = "train")]
    fn orthogonal_term(
        product: FloatTensor<Self>,
        w: FloatTensor<Self>,
        factor: f64,
        modified: bool,
    ) -> FloatTensor<Self> {
        // a cube a row
        match are_f32(&[&product, &w]) && w.shape()[0] <= MOST_CUBES {
            true => optimiser::orthogonal_term(product, w, factor, modified),
            false => plain::orthogonal_term::<Self>(product, w, factor, modified),
        }
    }

    fn relu_grad(x: FloatTensor<Self>, dy: FloatTensor<Self>) -> FloatTensor<Self> {
        match are_f32(&[&x, &dy]) && x.shape().num_dims() == 4 {
            true => elementwise::relu_grad(x, dy),
            false => Self::relu_backward(x, dy),
        }
    }

    fn same_conv2d_weight_grad(
        x: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        kernel: usize,
    ) -> FloatTensor<Self> {
        // Burn reads the shape of the weight, not its values
        let weight = empty(&x, [dy.shape()[1], x.shape()[1], kernel, kernel]);
        Self::conv2d_weight_backward(x, weight, dy, plain::same_padding(kernel))
    }
}
