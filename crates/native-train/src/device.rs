//! Devices by name.

use std::str::FromStr;

use anyhow::Result;
use burn::tensor::Device;

use crate::error::bad_usage;

/// A device by name, as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceName {
    /// The CPU backend (flex).
    Cpu,
    /// A GPU through wgpu: the runtime's choice, or the GPU with this index.
    Wgpu(Option<usize>),
    /// A GPU through CUDA: the first, or the GPU with this index.
    Cuda(Option<usize>),
}

impl FromStr for DeviceName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || {
            format!(
                "device {text:?} is unknown; give cpu, wgpu, wgpu:<index>, cuda or cuda:<index>"
            )
        };
        match text.split_once(':') {
            None if text == "cpu" => Ok(Self::Cpu),
            None if text == "wgpu" => Ok(Self::Wgpu(None)),
            None if text == "cuda" => Ok(Self::Cuda(None)),
            Some((kind @ ("wgpu" | "cuda"), index)) => {
                let index = Some(index.parse().map_err(|_| refuse())?);
                Ok(if kind == "wgpu" {
                    Self::Wgpu(index)
                } else {
                    Self::Cuda(index)
                })
            }
            _ => Err(refuse()),
        }
    }
}

/// The plain device (without autodiff) of a name.
///
/// # Errors
/// If the program was built without that backend.
pub fn open(name: DeviceName) -> Result<Device> {
    match name {
        DeviceName::Cpu => Ok(Device::flex()),
        DeviceName::Wgpu(index) => open_wgpu(index),
        DeviceName::Cuda(index) => open_cuda(index.unwrap_or(0)),
    }
}

#[cfg(feature = "nccl")]
fn open_cuda(index: usize) -> Result<Device> {
    Ok(Device::cuda(index))
}

#[cfg(not(feature = "nccl"))]
fn open_cuda(_: usize) -> Result<Device> {
    Err(bad_usage(
        "device cuda: this program was built without it; build it with `--features nccl`, or use --device \
         wgpu or cpu",
    ))
}

#[cfg(feature = "wgpu")]
fn open_wgpu(index: Option<usize>) -> Result<Device> {
    use burn::tensor::{DeviceKind, DeviceType};
    use burn_wgpu::graphics::AutoGraphicsApi;
    use burn_wgpu::{RuntimeOptions, WgpuDevice, try_init_setup};

    if let Some(index) = index {
        let all: Vec<Device> = Device::enumerate(DeviceType::Wgpu).into_iter().collect();
        let count = all.len();
        return all.into_iter().nth(index).ok_or_else(|| {
            bad_usage(format!(
                "device wgpu:{index}: this machine has {count} of them, counted from 0; use another \
                 index, or --device cpu"
            ))
        });
    }
    let setup =
        try_init_setup::<AutoGraphicsApi>(&WgpuDevice::default(), RuntimeOptions::default())
            .map_err(|error| {
                anyhow::anyhow!("device wgpu did not start: {error}; use --device cpu")
            })?;
    let adapter = setup.adapter.get_info();
    note!("device wgpu: {} ({:?})", adapter.name, adapter.backend);
    // a lost device poisons Burn's runtime through its own callback: the next read is an error, and the
    // run ends with the last checkpoint intact
    Ok(Device::wgpu(DeviceKind::DefaultDevice))
}

#[cfg(not(feature = "wgpu"))]
fn open_wgpu(_: Option<usize>) -> Result<Device> {
    Err(bad_usage(
        "device wgpu: this program was built without it; build it with `--features wgpu`, or use \
         --device cpu",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!("cpu".parse(), Ok(DeviceName::Cpu));
        assert_eq!("wgpu".parse(), Ok(DeviceName::Wgpu(None)));
        assert_eq!("wgpu:1".parse(), Ok(DeviceName::Wgpu(Some(1))));
        assert_eq!("cuda".parse(), Ok(DeviceName::Cuda(None)));
        assert_eq!("cuda:3".parse(), Ok(DeviceName::Cuda(Some(3))));
        for bad in ["gpu", "cpu:1", "wgpu:x", ""] {
            assert!(bad.parse::<DeviceName>().is_err(), "{bad}");
        }
    }
}
