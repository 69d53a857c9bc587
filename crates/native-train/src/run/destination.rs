//! Where the bytes for a path go: into a new file in the place of the old one, or through what is there.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// Most links on the way to a file, as in Linux.
const MOST_LINKS: usize = 40;

/// What to do with the bytes for a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// Replace this file, the end of the links, which need not exist.
    Replaced(PathBuf),
    /// Write into what is there: a pipe, a device, or the open file of this number (0 if it has none).
    Through(u32),
}

/// Follows links. Unlike [`std::fs::canonicalize`], the last one may lead to no file yet.
///
/// # Errors
/// If it is a directory, or the links lead in a circle.
pub fn destination(path: &Path) -> Result<Destination> {
    let mut end = path.to_owned();
    for _ in 0..MOST_LINKS {
        if let Some(number) = open_file(&end) {
            return Ok(Destination::Through(number));
        }
        match std::fs::read_link(&end) {
            // a relative link begins at its directory
            Ok(next) => end = end.parent().unwrap_or(Path::new("")).join(next),
            Err(_) => {
                return match std::fs::metadata(&end) {
                    Ok(there) if there.is_dir() => {
                        bail!("{} is a directory; name a file", path.display())
                    }
                    Ok(there) if !there.is_file() => Ok(Destination::Through(0)),
                    _ => Ok(Destination::Replaced(end)),
                };
            }
        }
    }
    bail!(
        "{} leads through more than {MOST_LINKS} links",
        path.display()
    )
}

/// The number of the process's own open file that a path means, as `/dev/stdout` does by way of `/proc/self/fd/1`: its
/// name must not be given to another file.
fn open_file(path: &Path) -> Option<u32> {
    let directory = path.parent()?;
    let (proc, dev) = (
        directory.starts_with("/proc"),
        directory == Path::new("/dev/fd"),
    );
    let is_fd = directory.file_name().is_some_and(|name| name == "fd");
    let number = path.file_name()?.to_str()?.parse().ok()?;
    (is_fd && (proc || dev)).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn open_files_and_devices_are_written_through() {
        for (path, number) in [
            ("/dev/stdout", 1),
            ("/dev/stderr", 2),
            ("/dev/fd/5", 5),
            ("/dev/null", 0),
        ] {
            let found = destination(Path::new(path)).unwrap();
            assert_eq!(found, Destination::Through(number), "{path}");
        }
        let new = Path::new("new");
        assert_eq!(
            destination(new).unwrap(),
            Destination::Replaced(new.to_owned())
        );
    }
}
