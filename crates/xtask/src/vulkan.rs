//! The Vulkan driver of the tests of `--device wgpu` and of the browser's WebGPU.

use std::path::Path;

use crate::debian;
use crate::workspace::Workspace;

/// Debian's package with a driver that computes on the CPU, lavapipe.
pub const PACKAGE: &str = "mesa-vulkan-drivers";
const DRIVERS: &str = "/usr/share/vulkan/icd.d";

/// Whether there is a driver; elsewhere than on Linux the system has one.
pub fn installed() -> bool {
    !cfg!(target_os = "linux") || Path::new(DRIVERS).is_dir()
}

/// Whether there is a driver; installs one if possible, otherwise prints how.
pub fn ensure(workspace: &Workspace) -> bool {
    debian::ensure(
        workspace,
        "Vulkan driver",
        (&[PACKAGE], &[]),
        installed,
        &format!("no Vulkan driver in {DRIVERS}: the tests of --device wgpu are skipped"),
    )
}
