//! Files with one JSON object per line that a run appends to.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::run::atomic_file;

/// An open file.
#[derive(Debug)]
pub struct JsonLines {
    path: PathBuf,
    file: File,
}

impl JsonLines {
    /// Opens a file to continue, and returns its content: lines that `keep` refuses, and a last line that a
    /// killed process left unfinished, are removed.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn open<T: DeserializeOwned>(
        path: &Path,
        keep: impl Fn(&T) -> bool,
    ) -> Result<(Self, Vec<T>)> {
        let text = text(path)?;
        let (mut records, mut content) = (Vec::new(), String::new());
        for line in text.lines() {
            if let Some(record) = serde_json::from_str(line).ok().filter(&keep) {
                records.push(record);
                content += line;
                content.push('\n');
            }
        }
        if content != text {
            atomic_file::write(path, content.as_bytes())?;
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

/// The text of a file; empty if it does not exist.
///
/// # Errors
/// If it exists but cannot be read.
pub fn text(path: &Path) -> Result<String> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_and_torn_lines_are_cut() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lines.jsonl");
        std::fs::write(&path, "1\n5\n2\n{\"a\":").unwrap();
        let (mut lines, found) = JsonLines::open::<u64>(&path, |&n| n < 3).unwrap();
        assert_eq!(found, [1, 2]);
        lines.append(&7).unwrap();
        assert_eq!(text(&path).unwrap(), "1\n2\n7\n");
    }
}
