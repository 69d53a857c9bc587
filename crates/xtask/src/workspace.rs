//! Where things are.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Paths of the project.
pub struct Workspace {
    /// The repository.
    pub root: PathBuf,
    /// Cargo's target directory.
    pub target: PathBuf,
}

impl Workspace {
    /// The workspace that this program was built in.
    pub fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)
            .context("crates/xtask lies two directories below the root")?
            .to_owned();
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(dir) => root.join(dir),
            None => root.join("target"),
        };
        Ok(Self { root, target })
    }

    /// The page's directory.
    pub fn www(&self) -> PathBuf {
        self.root.join("www")
    }

    /// Directory of tools with fixed versions.
    pub fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }
}
