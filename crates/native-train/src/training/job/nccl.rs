//! Sums between GPUs by NCCL, whose ranks find each other through MPI. Experimental: it is type-checked but has
//! never been run.
//!
//! Everything else goes through MPI and the host's memory. The host waits for each sum: no arithmetic overlaps with
//! it.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::sync::Arc;

use anyhow::{Context, Result};
use biggan::collective::{Collective, DeviceCollective, Group};
use cudarc::driver::{CudaContext, CudaStream};
use cudarc::nccl::safe::Id;
use cudarc::nccl::{result, sys};

/// Bytes of NCCL's unique id.
const ID: usize = 128;

/// Ranks with a GPU each.
struct Nccl {
    host: Arc<dyn Collective>,
    comm: sys::ncclComm_t,
    stream: Arc<CudaStream>,
}

// SAFETY: NCCL's communicators may be used from any thread, one at a time; the order of training keeps to it.
unsafe impl Send for Nccl {}
// SAFETY: as above.
unsafe impl Sync for Nccl {}

impl std::fmt::Debug for Nccl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} with NCCL", self.host)
    }
}

/// The ranks of an engine with their GPUs: this one's is number `ordinal` of its machine.
///
/// # Errors
/// If CUDA or NCCL does not start.
pub fn with_gpus(host: Arc<dyn Collective>, ordinal: usize) -> Result<Arc<dyn Collective>> {
    // the primary context, which Burn's runtime uses too
    let context = CudaContext::new(ordinal).with_context(|| format!("GPU {ordinal} of CUDA"))?;
    let stream = context.new_stream().context("a stream of CUDA")?;
    let id: [u8; ID] = Group::new(host.clone()).minted(|| {
        let id = Id::new().map_err(|error| anyhow::anyhow!("NCCL gives no id: {error:?}"))?;
        anyhow::Ok(id.internal().map(|c| c as u8))
    })?;
    let id = Id::uninit(id.map(|byte| byte as c_char));
    let (world, rank) = (host.world() as i32, host.rank() as i32);
    let mut comm = MaybeUninit::uninit();
    let unique = sys::ncclUniqueId {
        internal: *id.internal(),
    };
    // SAFETY: the pointer is to a place for the communicator, which is read only if it was made
    let comm = unsafe {
        result::comm_init_rank(comm.as_mut_ptr(), world, unique, rank)
            .map_err(|error| anyhow::anyhow!("NCCL's rank {rank} of {world}: {error:?}"))?;
        comm.assume_init()
    };
    Ok(Arc::new(Nccl { host, comm, stream }))
}

impl Collective for Nccl {
    fn rank(&self) -> usize {
        self.host.rank()
    }

    fn world(&self) -> usize {
        self.host.world()
    }

    fn all_reduce_sum(&self, values: &mut [f32]) {
        self.host.all_reduce_sum(values);
    }

    fn broadcast(&self, bytes: &mut [u8], root: usize) {
        self.host.broadcast(bytes, root);
    }

    fn on_device(&self) -> Option<&dyn DeviceCollective> {
        Some(self)
    }
}

impl DeviceCollective for Nccl {
    fn all_reduce_sum(&self, address: u64, len: usize) {
        let place = address as *mut std::ffi::c_void;
        // SAFETY: the caller holds the memory, of `len` values, until this returns; nothing else uses it meanwhile
        let sum = unsafe {
            result::all_reduce(
                place,
                place,
                len,
                sys::ncclDataType_t::ncclFloat32,
                sys::ncclRedOp_t::ncclSum,
                self.comm,
                self.stream.cu_stream().cast(),
            )
        };
        // an error ends the job: the other ranks cannot know of it
        sum.expect("a sum of NCCL");
        self.stream.synchronize().expect("a sum of NCCL ends");
    }
}
