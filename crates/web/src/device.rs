//! Name of a backend to a device of Burn.

use biggan::{Error, Result};
use burn::tensor::Device;

/// Opens the device of a backend: `cpu`, or `webgpu` where the build has it.
///
/// # Errors
/// If the backend has another name, is not in this build, or the browser gives no device.
pub(crate) async fn open(backend: &str) -> Result<Device> {
    match backend {
        "cpu" => Ok(Device::flex()),
        "webgpu" => open_webgpu().await,
        other => Err(Error::request("backend")
            .found(format_args!("{other:?}"))
            .expected("\"cpu\" or \"webgpu\"")),
    }
}

#[cfg(feature = "webgpu")]
async fn open_webgpu() -> Result<Device> {
    use burn::tensor::DeviceKind;
    use burn_wgpu::graphics::AutoGraphicsApi;
    use burn_wgpu::{RuntimeOptions, WgpuDevice, try_init_setup_async};

    let setup =
        try_init_setup_async::<AutoGraphicsApi>(&WgpuDevice::default(), RuntimeOptions::default())
            .await
            .map_err(|error| Error::device("WebGPU").found(format_args!("not started: {error}")))?;
    // wgpu keeps one callback: this replaces Burn's, which would make later reads fail, and tells the
    // page at once, so that it can start a new worker
    setup.device.set_device_lost_callback(|reason, message| {
        crate::faults::report(&format!(
            "the GPU device was lost ({reason:?}): {}",
            if message.is_empty() {
                "no reason given"
            } else {
                &message
            }
        ));
    });
    Ok(Device::wgpu(DeviceKind::DefaultDevice))
}

#[cfg(not(feature = "webgpu"))]
async fn open_webgpu() -> Result<Device> {
    Err(Error::request("backend \"webgpu\"")
        .found("not in this build")
        .remedy("load the webgpu build"))
}
