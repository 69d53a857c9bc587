//! Files that appear completely or not at all: written under a temporary name, synced, renamed.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tempfile::NamedTempFile;

use super::destination::{Destination, destination};
use crate::system_fault::{inject, is_unsupported};

/// Prefix of the names of unfinished files.
pub const PARTIAL: &str = ".partial-";
/// Files that [`sync_files`] writes through at a time.
const SYNCED_AT_ONCE: usize = 16;

/// Writes a file. A reader sees either the old or the new content, even after a crash.
///
/// A link stays a link: the file that it leads to is replaced, and keeps its mode. A path that is no regular
/// file, such as `/dev/stdout` or a pipe, is written to and not replaced.
///
/// # Errors
/// If anything fails, for example on a full disk; the old content is untouched.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    write_all(&[(path, bytes)])
}

/// Writes several files that belong together, in this order: nothing is replaced before all of them are on the disk, and
/// if one then cannot get its name, those before it get their old content back.
///
/// # Errors
/// As [`write()`].
pub fn write_all(files: &[(&Path, &[u8])]) -> Result<()> {
    let mut staged = Vec::new();
    for &(path, bytes) in files {
        let named = || format!("writing {} ({} bytes)", path.display(), bytes.len());
        staged.push(stage(path, bytes).with_context(named)?);
    }
    let mut replaced = Vec::new();
    for (aside, &(path, bytes)) in staged.into_iter().zip(files) {
        let named = || format!("writing {} ({} bytes)", path.display(), bytes.len());
        let placed = match aside {
            None => write_through(path, bytes),
            // what a single file replaces need not come back
            Some(aside) if files.len() == 1 => aside.commit(path),
            Some(aside) => Replaced::by(aside).map(|done| replaced.push(done)),
        };
        if let Err(error) = placed.with_context(named) {
            for done in replaced.into_iter().rev() {
                done.undo()?;
            }
            return Err(error);
        }
    }
    Ok(())
}

/// The content, on the disk under a name of its own; `None` for what is written through.
fn stage(path: &Path, bytes: &[u8]) -> Result<Option<Aside>> {
    match destination(path)? {
        Destination::Through(_) => Ok(None),
        Destination::Replaced(_) => {
            let mut aside = Aside::new(path)?;
            aside.write_all(bytes)?;
            sync_file(aside.file.as_file(), path)?;
            Ok(Some(aside))
        }
    }
}

fn write_through(path: &Path, bytes: &[u8]) -> Result<()> {
    match destination(path)? {
        Destination::Through(1) => {
            let mut out = std::io::stdout().lock();
            out.write_all(bytes)?;
            out.flush()?;
        }
        Destination::Through(2) => std::io::stderr().lock().write_all(bytes)?,
        _ => OpenOptions::new()
            .append(true)
            .open(path)?
            .write_all(bytes)?,
    }
    Ok(())
}

/// A file that has taken another's place, and the old one under a name of its own.
struct Replaced {
    path: PathBuf,
    old: Option<tempfile::TempPath>,
}

impl Replaced {
    fn by(aside: Aside) -> Result<Self> {
        let path = aside.to.clone();
        let old = match path.exists() {
            false => None,
            true => {
                let kept = partial_in(directory_of(&path))?.into_temp_path();
                std::fs::remove_file(&kept)?;
                // systems without hard links lose the way back, and nothing else
                let linked = std::fs::hard_link(&path, &kept);
                linked.ok().map(|()| kept)
            }
        };
        aside.commit(&path)?;
        Ok(Self { path, old })
    }

    fn undo(self) -> Result<()> {
        let named = || format!("restoring {}", self.path.display());
        match self.old {
            Some(old) => old.persist(&self.path).map_err(|error| error.error),
            None => std::fs::remove_file(&self.path),
        }
        .with_context(named)
    }
}

/// A file being written next to its destination; it is removed if it is dropped before
/// [`Aside::commit`].
#[derive(Debug)]
pub struct Aside {
    file: NamedTempFile,
    /// Where it goes: the end of the links, if the path is one.
    to: PathBuf,
}

impl Aside {
    /// Starts a file in the directory of `path`, or of the file that it links to.
    ///
    /// # Errors
    /// If that directory cannot be written, or the path is no regular file.
    pub fn new(path: &Path) -> Result<Self> {
        let to = match destination(path)? {
            Destination::Replaced(to) => to,
            Destination::Through(_) => {
                bail!("{} is not a regular file; name a file", path.display())
            }
        };
        let file =
            partial_in(directory_of(&to)).with_context(|| format!("writing {}", path.display()))?;
        Ok(Self { file, to })
    }

    /// Syncs the file to disk and gives it its final name, with the mode and, where allowed, the owner of the file
    /// that it replaces; where the system cannot, since that is a mount of its own, the content is written into it.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn commit(self, path: &Path) -> Result<()> {
        if let Ok(old) = std::fs::metadata(&self.to) {
            keep_owner_and_mode(self.file.as_file(), &old)
                .with_context(|| format!("writing {}", path.display()))?;
        }
        sync_file(self.file.as_file(), path)?;
        let to = self.to;
        let (file, error) = match inject("rename") {
            Err(error) => (self.file, error),
            Ok(()) => match self.file.persist(&to) {
                Ok(_) => return sync_directory(directory_of(&to)),
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
        std::fs::copy(file.path(), &to)?;
        sync_file(&OpenOptions::new().write(true).open(&to)?, path)
    }

    /// Renames the file to its final name without waiting for the disk: a loss of power may leave it empty or cut. For
    /// files that are made again then.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn commit_unsynced(self, path: &Path) -> Result<()> {
        let named = || format!("writing {}", path.display());
        self.file
            .persist(&self.to)
            .map_err(|error| error.error)
            .with_context(named)?;
        Ok(())
    }
}

/// A new, unfinished file.
fn partial_in(directory: &Path) -> std::io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PARTIAL);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // as for any new file, the process's umask applies
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(directory)
}

#[cfg(unix)]
fn keep_owner_and_mode(file: &File, old: &std::fs::Metadata) -> Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let new = file.metadata()?;
    if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
        // only root may give files away; a group of one's own may be set by anyone
        let _ = fchown(file, Some(old.uid()), Some(old.gid()))
            .or_else(|_| fchown(file, None, Some(old.gid())));
    }
    // after the owner: a change of owner clears bits of the mode
    Ok(file.set_permissions(old.permissions())?)
}

#[cfg(not(unix))]
fn keep_owner_and_mode(_: &File, _: &std::fs::Metadata) -> Result<()> {
    Ok(())
}

impl Write for Aside {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl Seek for Aside {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.file.seek(to)
    }
}

pub(super) fn directory_of(path: &Path) -> &Path {
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

/// Writes many files through to the disk, some at a time, which the file system then commits together: 2,000 small files
/// take 0.2 s on ext4, and 3.7 s one after another. Those of a file system that has no such call are passed over.
///
/// # Errors
/// If the disk fails; the message names a file.
pub fn sync_files(paths: &[PathBuf]) -> Result<()> {
    let sync = |path: &PathBuf| {
        let opened = OpenOptions::new().write(true).open(path);
        match opened.and_then(|file| file.sync_all()) {
            Err(error) if is_unsupported(&error) => Ok(()),
            synced => synced.with_context(|| format!("writing {}", path.display())),
        }
    };
    let share = paths.len().div_ceil(SYNCED_AT_ONCE).max(1);
    std::thread::scope(|scope| {
        let shares: Vec<_> = paths
            .chunks(share)
            .map(|paths| scope.spawn(move || paths.iter().try_for_each(sync)))
            .collect();
        let mut synced = shares.into_iter().map(|share| share.join());
        synced.try_for_each(|share| share.expect("a share does not panic"))
    })
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
        let error = format!("{:#}", write(directory.path(), b"x").unwrap_err());
        assert!(error.contains("is a directory; name a file"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_its_target_is_replaced_with_its_mode() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let directory = tempfile::tempdir().unwrap();
        let [target, link, chain] = ["models/m", "link", "chain"].map(|n| directory.path().join(n));
        std::fs::create_dir(directory.path().join("models")).unwrap();
        symlink("models/m", &link).unwrap();
        symlink("link", &chain).unwrap();
        // dangling at first
        write(&chain, b"old").unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"old");
        std::fs::set_permissions(&target, std::fs::Permissions::from_mode(0o444)).unwrap();
        write(&chain, b"new").unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"new");
        let mode = std::fs::metadata(&target).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o444);
        for link in [&link, &chain] {
            assert!(std::fs::symlink_metadata(link).unwrap().is_symlink());
        }
        let left = std::fs::read_dir(directory.path().join("models")).unwrap();
        assert_eq!(left.count(), 1);
        symlink("loop", directory.path().join("loop")).unwrap();
        let error = write(&directory.path().join("loop"), b"x").unwrap_err();
        assert!(format!("{error:#}").contains("links"), "{error:#}");
    }

    #[test]
    fn several_files_are_all_new_or_all_old() {
        let directory = tempfile::tempdir().unwrap();
        let [a, b, c] = ["a", "b", "c"].map(|name| directory.path().join(name));
        write(&a, b"old a").unwrap();
        let all: [(&Path, &[u8]); 3] = [(&a, b"new a"), (&b, b"new b"), (&c, b"new c")];
        // found before anything is replaced
        std::fs::create_dir(&c).unwrap();
        write_all(&all).unwrap_err();
        assert_eq!(std::fs::read(&a).unwrap(), b"old a");
        assert!(!b.exists());
        // and on the way
        std::fs::remove_dir(&c).unwrap();
        let first = Replaced::by(staged(&a, b"new a")).unwrap();
        let second = Replaced::by(staged(&b, b"new b")).unwrap();
        assert_eq!(std::fs::read(&a).unwrap(), b"new a");
        second.undo().unwrap();
        first.undo().unwrap();
        assert_eq!(std::fs::read(&a).unwrap(), b"old a");
        assert!(!b.exists());
        write_all(&all).unwrap();
        assert_eq!(std::fs::read(&c).unwrap(), b"new c");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 3);
    }

    fn staged(path: &Path, bytes: &[u8]) -> Aside {
        let mut aside = Aside::new(path).unwrap();
        aside.write_all(bytes).unwrap();
        aside
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
