//! Files that appear completely or not at all: written under a temporary name, synced, renamed.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Seek, SeekFrom, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use tempfile::NamedTempFile;

use crate::system_fault::{inject, is_unsupported};

/// Prefix of the names of unfinished files.
pub const PARTIAL: &str = ".partial-";

/// Writes a file. A reader sees either the old or the new content, even after a crash.
///
/// A path that is not a regular file, such as `/dev/stdout`, is written to and not replaced.
///
/// # Errors
/// If anything fails, for example on a full disk; the old content is untouched.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let named = || format!("writing {} ({} bytes)", path.display(), bytes.len());
    match std::fs::metadata(path) {
        Ok(existing) if existing.is_dir() => {
            bail!("writing {}: it is a directory; name a file", path.display())
        }
        Ok(existing) if !existing.is_file() => {
            let mut special = OpenOptions::new()
                .write(true)
                .open(path)
                .with_context(named)?;
            return special.write_all(bytes).with_context(named);
        }
        _ => {}
    }
    write_aside(path, bytes).with_context(named)
}

fn write_aside(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut aside = Aside::new(path)?;
    aside.write_all(bytes)?;
    aside.commit(path)
}

/// A file being written next to its destination; it is removed if it is dropped before
/// [`Aside::commit`].
#[derive(Debug)]
pub struct Aside(NamedTempFile);

impl Aside {
    /// Starts a file in the directory of `path`.
    ///
    /// # Errors
    /// If that directory cannot be written.
    pub fn new(path: &Path) -> Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(PARTIAL);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // as for any new file, the process's umask applies
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let file = builder
            .tempfile_in(directory_of(path))
            .with_context(|| format!("writing {}", path.display()))?;
        Ok(Self(file))
    }

    /// Syncs the file to disk and renames it to its final name; where the system cannot, since that is a mount of its
    /// own, the content is written into it.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn commit(self, path: &Path) -> Result<()> {
        sync_file(self.0.as_file(), path)?;
        let (file, error) = match inject("rename") {
            Err(error) => (self.0, error),
            Ok(()) => match self.0.persist(path) {
                Ok(_) => return sync_directory(directory_of(path)),
                Err(refused) => (refused.file, refused.error),
            },
        };
        if !matches!(
            error.kind(),
            ErrorKind::CrossesDevices | ErrorKind::ResourceBusy
        ) {
            return Err(error.into());
        }
        // a file that is mounted by itself, as containers do, cannot be replaced, only written
        std::fs::copy(file.path(), path)?;
        sync_file(&OpenOptions::new().write(true).open(path)?, path)
    }

    /// Renames the file to its final name without waiting for the disk: a loss of power may leave it empty or cut. For
    /// files that are made again then.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn commit_unsynced(self, path: &Path) -> Result<()> {
        let named = || format!("writing {}", path.display());
        self.0
            .persist(path)
            .map_err(|error| error.error)
            .with_context(named)?;
        Ok(())
    }
}

impl Write for Aside {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

impl Seek for Aside {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Writes a file through to the disk. Where the file system has no such call the user is told.
fn sync_file(file: &File, path: &Path) -> Result<()> {
    match inject("fsync_file").and_then(|()| file.sync_all()) {
        Err(error) if is_unsupported(&error) => {
            note!(
                "warning: {}: its file system cannot be told to write it through ({error}); after a power failure \
                 it may be incomplete",
                path.display()
            );
            Ok(())
        }
        synced => Ok(synced?),
    }
}

/// Makes renames in a directory durable, where its file system can.
///
/// # Errors
/// If the disk fails.
pub fn sync_directory(directory: &Path) -> Result<()> {
    // a directory cannot be opened as a file on Windows, whose renames are journalled
    if !cfg!(unix) {
        return Ok(());
    }
    let synced = inject("fsync_directory")
        .and_then(|()| File::open(directory))
        .and_then(|directory| directory.sync_all());
    match synced {
        // one that may be written need not be readable
        Err(error) if is_unsupported(&error) || error.kind() == ErrorKind::PermissionDenied => {
            Ok(())
        }
        synced => synced.with_context(|| format!("syncing directory {}", directory.display())),
    }
}

/// Removes unfinished files that a killed process left in a directory.
///
/// # Errors
/// If the directory cannot be read or a file cannot be removed.
pub fn remove_partial(directory: &Path) -> Result<()> {
    let named = || format!("clearing {}", directory.display());
    for entry in std::fs::read_dir(directory).with_context(named)? {
        let entry = entry.with_context(named)?;
        let partial = entry.file_name().to_string_lossy().starts_with(PARTIAL);
        if partial && entry.file_type().with_context(named)?.is_file() {
            std::fs::remove_file(entry.path()).with_context(named)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_whole_files_and_leaves_no_rest() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        write(&path, b"old").unwrap();
        write(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
        assert!(
            write(directory.path(), b"x")
                .unwrap_err()
                .to_string()
                .contains("directory")
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_device_is_an_error_that_names_the_file() {
        let message = format!("{:#}", write(Path::new("/dev/full"), b"x").unwrap_err());
        assert!(
            message.contains("/dev/full") && message.contains("No space left"),
            "{message}"
        );
    }

    #[test]
    fn partial_files_are_cleared() {
        let directory = tempfile::tempdir().unwrap();
        for name in [".partial-1", "kept"] {
            std::fs::write(directory.path().join(name), b"").unwrap();
        }
        remove_partial(directory.path()).unwrap();
        assert!(directory.path().join("kept").exists());
        assert!(!directory.path().join(".partial-1").exists());
    }
}
