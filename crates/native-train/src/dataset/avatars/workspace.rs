//! Where the files of a directory are until all of them are there: a hidden folder in it, which goes when it is dropped.
//! What a killed process left goes when the next one starts; a lock tells it from what a living process writes.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::run::atomic_file::{self, PARTIAL};

/// Name of the file that the process locks.
const LOCK: &str = "lock";

/// A folder of unfinished files.
#[derive(Debug)]
pub struct Workspace {
    // before the folder: it is closed before it is removed
    _lock: File,
    folder: TempDir,
    destination: PathBuf,
}

impl Workspace {
    /// Makes the destination, and an empty folder in it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn new(destination: &Path) -> Result<Self> {
        let named = || format!("directory {}", destination.display());
        std::fs::create_dir_all(destination).with_context(named)?;
        remove_abandoned(destination).with_context(named)?;
        let folder = tempfile::Builder::new()
            .prefix(PARTIAL)
            .tempdir_in(destination)
            .with_context(named)?;
        let lock = File::create(folder.path().join(LOCK)).with_context(named)?;
        // without locks an abandoned folder stays; it is hidden
        let _ = lock.try_lock();
        Ok(Self {
            _lock: lock,
            folder,
            destination: destination.to_owned(),
        })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Moves these of its entries into the destination, in this order.
    ///
    /// # Errors
    /// If one cannot be moved.
    pub fn commit(self, names: &[&str]) -> Result<()> {
        for name in names {
            let to = self.destination.join(name);
            std::fs::rename(self.path().join(name), &to)
                .with_context(|| format!("data {}", to.display()))?;
        }
        atomic_file::sync_directory(&self.destination)
    }
}

/// Removes the folders of processes that have ended.
fn remove_abandoned(directory: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with(PARTIAL) {
            continue;
        }
        let lock = File::open(entry.path().join(LOCK));
        if lock.is_ok_and(|lock| lock.try_lock().is_ok()) {
            std::fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(directory: &Path) -> usize {
        std::fs::read_dir(directory).unwrap().count()
    }

    #[test]
    fn files_appear_together_and_nothing_else_stays() {
        let directory = tempfile::tempdir().unwrap();
        let to = directory.path().join("new/data");
        let workspace = Workspace::new(&to).unwrap();
        for name in ["a", "b"] {
            std::fs::write(workspace.path().join(name), name).unwrap();
            assert!(!to.join(name).exists());
        }
        workspace.commit(&["a", "b"]).unwrap();
        assert_eq!(std::fs::read(to.join("b")).unwrap(), b"b");
        assert_eq!(entries(&to), 2);
        drop(Workspace::new(&to).unwrap());
        assert_eq!(entries(&to), 2);
    }

    #[test]
    fn what_ended_processes_left_is_removed_and_what_is_in_use_stays() {
        let directory = tempfile::tempdir().unwrap();
        let left = directory.path().join(format!("{PARTIAL}left"));
        std::fs::create_dir(&left).unwrap();
        std::fs::write(left.join(LOCK), "").unwrap();
        let first = Workspace::new(directory.path()).unwrap();
        assert!(!left.exists());
        let second = Workspace::new(directory.path()).unwrap();
        assert!(first.path().is_dir() && second.path().is_dir());
        drop((first, second));
        assert_eq!(entries(directory.path()), 0);
    }
}
