//! The GPU of the tests, which a process opens once: any adapter, or a software driver such as lavapipe (Debian's
//! mesa-vulkan-drivers).

use std::sync::OnceLock;

use burn::tensor::Device;
use native_train::device;

pub fn gpu() -> Device {
    static OPENED: OnceLock<Device> = OnceLock::new();
    let open = || device::open("wgpu".parse().unwrap()).unwrap();
    OPENED.get_or_init(open).clone()
}
