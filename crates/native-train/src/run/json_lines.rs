//! Files with one JSON object per line that a run appends to.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use crate::run::atomic_file;

/// An open file.
#[derive(Debug)]
pub struct JsonLines {
    path: PathBuf,
    file: File,
}

impl JsonLines {
    /// Opens a file to continue, and returns its records. Only what `stale` names is removed: a line that is not known
    /// here, of another program or of a newer one, stays to the byte. The half of a last line that a killed process left
    /// is moved to a file next to it, `<name>.torn`.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub fn open<T: DeserializeOwned>(
        path: &Path,
        stale: impl Fn(&[u8]) -> bool,
    ) -> Result<(Self, Vec<T>)> {
        let old = bytes(path)?;
        let (mut records, mut content) = (Vec::new(), Vec::new());
        for line in old.split_inclusive(|&byte| byte == b'\n') {
            if stale(line) {
                continue;
            }
            if line.last() != Some(&b'\n') && serde_json::from_slice::<IgnoredAny>(line).is_err() {
                move_aside(path, line)?;
                continue;
            }
            records.extend(serde_json::from_slice(line).ok());
            content.extend(line);
        }
        // an editor may have left out the end of the last line
        if content.last().is_some_and(|&last| last != b'\n') {
            content.push(b'\n');
        }
        if content != old {
            atomic_file::write(path, &content)?;
        }
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .with_context(|| path.display().to_string())?;
        let path = path.to_owned();
        Ok((Self { path, file }, records))
    }

    /// Appends a line in one write.
    ///
    /// # Errors
    /// If the write fails.
    pub fn append<T: Serialize>(&mut self, record: &T) -> Result<()> {
        let line = serde_json::to_string(record)? + "\n";
        self.file
            .write_all(line.as_bytes())
            .with_context(|| self.path.display().to_string())
    }
}

/// Appends a torn line of a file to `<name>.torn`.
fn move_aside(path: &Path, line: &[u8]) -> Result<()> {
    let mut torn = path.as_os_str().to_owned();
    torn.push(".torn");
    let torn = PathBuf::from(torn);
    let append = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).open(&torn)?;
        file.write_all(&[line, b"\n"].concat())?;
        file.sync_all()
    };
    append().with_context(|| torn.display().to_string())
}

/// What every record of a run says.
#[derive(Deserialize)]
struct Progress {
    g_step: u64,
}

/// Whether a line was written after generator step `g_step`; a line that does not say when it was written was not.
pub fn is_after(line: &[u8], g_step: u64) -> bool {
    match serde_json::from_slice::<Progress>(line) {
        Ok(progress) => progress.g_step > g_step,
        Err(_) => torn_step(line).is_some_and(|step| step > g_step),
    }
}

/// The step of a record that a killed process left unfinished: it is the first field.
fn torn_step(line: &[u8]) -> Option<u64> {
    if line.last() == Some(&b'\n') {
        return None;
    }
    let rest = line.strip_prefix(b"{\"g_step\":")?;
    let end = rest.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(&rest[..end]).ok()?.parse().ok()
}

/// The bytes of a file; none if it does not exist.
///
/// # Errors
/// If it exists but cannot be read.
fn bytes(path: &Path) -> Result<Vec<u8>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

/// The text of a file; empty if it does not exist.
///
/// # Errors
/// If it exists but cannot be read.
pub fn text(path: &Path) -> Result<String> {
    Ok(String::from_utf8_lossy(&bytes(path)?).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_records_go_and_lines_that_are_not_known_stay() {
        #[derive(Deserialize)]
        struct Record {
            g_step: u64,
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lines.jsonl");
        let known = b"{\"g_step\":1}\n{\"g_step\":2,\"new\":[]}\r\n";
        let odd = b"# a note\n\n{\"moved\":{\"to\":\"x\"}}\n\xff\xfe\n{\"g_step\":-3}\n";
        let later = b"{\"g_step\":3}\n{\"spread\":null,\"g_step\":9}\n";
        std::fs::write(&path, [&known[..], later, odd, b"{\"a\":\xff"].concat()).unwrap();
        for _ in 0..2 {
            let (_, found) = JsonLines::open::<Record>(&path, |line| is_after(line, 2)).unwrap();
            assert_eq!(found.iter().map(|r| r.g_step).collect::<Vec<_>>(), [1, 2]);
            assert_eq!(std::fs::read(&path).unwrap(), [&known[..], odd].concat());
            let torn = std::fs::read(directory.path().join("lines.jsonl.torn")).unwrap();
            assert_eq!(torn, b"{\"a\":\xff\n");
        }
        // a whole record whose line is not ended is no torn one
        std::fs::write(&path, b"{\"g_step\":2}").unwrap();
        let (mut lines, found) = JsonLines::open::<Record>(&path, |_| false).unwrap();
        assert_eq!(found.len(), 1);
        lines.append(&7).unwrap();
        assert_eq!(text(&path).unwrap(), "{\"g_step\":2}\n7\n");
    }

    #[test]
    fn a_torn_line_goes_if_its_step_is_later() {
        assert!(is_after(b"{\"g_step\":12,\"images_s", 11));
        for kept in [
            &b"{\"g_step\":12,\"images_s"[..],
            b"{\"g_step\":13",
            b"{\"g_st",
            b"12",
            b"",
        ] {
            assert!(!is_after(kept, 12), "{}", String::from_utf8_lossy(kept));
        }
    }
}
