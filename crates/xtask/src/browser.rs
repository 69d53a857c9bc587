//! The browser of the page's tests.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::debian;
use crate::workspace::Workspace;

/// Debian's packages: the browser, and a GPU driver that computes on the CPU.
const PACKAGES: [&str; 2] = ["chromium", "mesa-vulkan-drivers"];

/// Where Vulkan drivers are registered.
pub const VULKAN_DRIVERS: &str = "/usr/share/vulkan/icd.d";

/// Path of the browser: `CHROMIUM`, or Debian's.
fn chromium() -> PathBuf {
    env::var_os("CHROMIUM").map_or_else(|| PathBuf::from("/usr/bin/chromium"), PathBuf::from)
}

/// Installs the browser if possible; otherwise prints how to install it, and the tests that need it
/// are skipped.
pub fn ensure(workspace: &Workspace) -> Result<()> {
    if chromium().is_file() && Path::new(VULKAN_DRIVERS).is_dir() {
        return Ok(());
    }
    let installed = debian::install(workspace, "browser for the tests", &PACKAGES, &[])?;
    if !installed && !chromium().is_file() {
        eprintln!(
            "==> no browser at {}: its tests are skipped",
            chromium().display()
        );
        eprintln!("    install one with: sudo {}", debian::line(&PACKAGES));
    }
    Ok(())
}
