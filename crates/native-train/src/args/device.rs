//! Where to compute, as typed.

use crate::device::DeviceName;

/// Where to compute; the same for every command that computes.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct DeviceArgs {
    /// Where to compute: cpu, wgpu or wgpu:<index> (built with --features wgpu), cuda or cuda:<index> (--features
    /// nccl)
    #[arg(
        id = "device",
        long = "device",
        value_name = "DEVICE",
        default_value = "cpu"
    )]
    pub name: DeviceName,
}
