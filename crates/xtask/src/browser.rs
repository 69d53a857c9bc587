//! The browser of the page's tests.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::run::{command, output, run, step};
use crate::web::on_path;
use crate::workspace::Workspace;

/// Debian's packages: the browser, and a GPU driver that computes on the CPU.
const PACKAGES: [&str; 2] = ["chromium", "mesa-vulkan-drivers"];

/// Where Vulkan drivers are registered.
pub const VULKAN_DRIVERS: &str = "/usr/share/vulkan/icd.d";

/// Path of the browser: `CHROMIUM`, or Debian's.
fn chromium() -> PathBuf {
    env::var_os("CHROMIUM").map_or_else(|| PathBuf::from("/usr/bin/chromium"), PathBuf::from)
}

/// Installs the browser where that is possible, and says how where it is not: the tests that need it
/// are skipped then.
pub fn ensure(workspace: &Workspace) -> Result<()> {
    if chromium().is_file() && Path::new(VULKAN_DRIVERS).is_dir() {
        return Ok(());
    }
    let root = &workspace.root;
    let line = format!("apt-get install --yes {}", PACKAGES.join(" "));
    let superuser = output(command(root, "id", &["-u"])).as_deref() == Some("0");
    if !(superuser && on_path("apt-get")) {
        if !chromium().is_file() {
            eprintln!(
                "==> no browser at {}: its tests are skipped",
                chromium().display()
            );
            eprintln!("    install one with: sudo {line}");
        }
        return Ok(());
    }
    step("browser for the tests", || {
        run(command(root, "apt-get", &["update", "--quiet"]))?;
        let mut install = command(root, "apt-get", &["install", "--yes", "--quiet"]);
        install
            .args(PACKAGES)
            .env("DEBIAN_FRONTEND", "noninteractive");
        run(install)
    })
}
