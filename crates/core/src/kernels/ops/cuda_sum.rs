//! Sums over ranks in a GPU's memory (feature `nccl`).

use burn::backend::{Cube, TensorMetadata};
use burn::tensor::{DType, read_sync};
use burn_cubecl::tensor::CubeTensor;
use cubecl_cuda::CudaRuntime;
use cubecl_runtime::runtime::Runtime;

use super::through_host;
use crate::collective::Group;

type Server = <CudaRuntime as Runtime>::Server;

/// The sums over all ranks of a group, without a copy to the host where the group's engine can.
pub fn all_reduce_sum(x: CubeTensor, group: &Group) -> CubeTensor {
    let engine = match group.on_device() {
        Some(engine) if x.dtype == DType::F32 => engine,
        _ => return through_host::<Cube>(x, group),
    };
    // reduced in place: the tensor must be unshared and contiguous
    let x = match x.can_mut() && x.is_contiguous() {
        true => x,
        false => x.copy(),
    };
    let len = x.shape().num_elements();
    group.count(len);
    read_sync(x.client.sync()).expect("the device works");
    let resource = x.client.get_resource::<Server>(x.handle.clone());
    let resource = resource.expect("a tensor of the CUDA device");
    engine.all_reduce_sum(resource.resource().ptr, len);
    x
}
