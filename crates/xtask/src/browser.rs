//! The browsers of the page's tests.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::debian;
use crate::vulkan;
use crate::workspace::Workspace;

/// Debian's packages: the browser, and a GPU driver that computes on the CPU.
const PACKAGES: [&str; 2] = ["chromium", vulkan::PACKAGE];

/// Path of the browser: `CHROMIUM`, or Debian's.
fn chromium() -> PathBuf {
    env::var_os("CHROMIUM").map_or_else(|| PathBuf::from("/usr/bin/chromium"), PathBuf::from)
}

/// Installs the browser if possible; otherwise prints how to install it, and what needs it is skipped. Whether it is
/// there.
pub fn ensure(workspace: &Workspace) -> Result<bool> {
    if chromium().is_file() && vulkan::installed() {
        return Ok(true);
    }
    let installed = debian::install(workspace, "browser for the tests", &PACKAGES, &[])?;
    if !installed && !chromium().is_file() {
        eprintln!(
            "==> no browser at {}: its tests are skipped",
            chromium().display()
        );
        eprintln!("    install one with: sudo {}", debian::line(&PACKAGES));
    }
    Ok(chromium().is_file())
}

/// A browser that walks the page's core paths only.
struct Other {
    name: &'static str,
    programs: &'static [&'static str],
    packages: &'static [&'static str],
}

/// The engines of the other browsers, as Debian has them.
const OTHERS: [Other; 2] = [
    Other {
        name: "Firefox",
        programs: &["/usr/bin/firefox-esr"],
        packages: &["firefox-esr"],
    },
    Other {
        name: "WebKit",
        programs: &["/usr/bin/WebKitWebDriver", "/usr/bin/Xvfb"],
        packages: &["webkit2gtk-driver", "xvfb"],
    },
];

impl Other {
    fn installed(&self) -> bool {
        self.programs
            .iter()
            .all(|program| Path::new(program).is_file())
    }

    /// Whether it is there; installs it if possible, otherwise prints how.
    fn ensure(&self, workspace: &Workspace) -> bool {
        debian::ensure(
            workspace,
            self.name,
            (self.packages, &["--no-install-recommends"]),
            || self.installed(),
            &format!("no {}: its tests are skipped", self.name),
        )
    }
}

/// Installs the other browsers if possible. Names those that are missing, whose tests are skipped.
pub fn ensure_others(workspace: &Workspace) -> Vec<&'static str> {
    let missing = OTHERS.iter().filter(|other| !other.ensure(workspace));
    missing.map(|other| other.name).collect()
}
