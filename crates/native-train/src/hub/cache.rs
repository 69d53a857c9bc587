//! What is kept of the hub, in the layout that Hugging Face's libraries share ("Hub Local Cache" of the hub's
//! documentation): files by their checksum in `blobs`, commits as links to them in `snapshots`, and in `refs` the
//! commit that a branch had when it was fetched.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::name::Repository;
use crate::run::atomic_file;

/// What is kept of a repository.
#[derive(Debug)]
pub struct Cache {
    directory: PathBuf,
}

impl Cache {
    /// That of a repository, below the directory of all.
    pub fn new(all: &Path, repository: &Repository) -> Self {
        let name = format!("models--{}", repository.id.replace('/', "--"));
        Self {
            directory: all.join(name),
        }
    }

    /// The commit of a revision when it was last fetched; a commit is its own.
    pub fn commit(&self, revision: &str) -> Option<String> {
        if is_commit(revision) && self.snapshot(revision).is_dir() {
            return Some(revision.to_owned());
        }
        let text = std::fs::read_to_string(self.directory.join("refs").join(revision)).ok()?;
        Some(text.trim().to_owned()).filter(|commit| is_commit(commit))
    }

    /// Records the commit of a branch or tag.
    pub fn set_commit(&self, revision: &str, commit: &str) -> Result<()> {
        if revision == commit {
            return Ok(());
        }
        let path = self.directory.join("refs").join(revision);
        std::fs::create_dir_all(path.parent().unwrap_or(&path))
            .with_context(|| format!("directory of {}", path.display()))?;
        atomic_file::write(&path, commit.as_bytes())
    }

    /// Where the content of a checksum is.
    pub fn blob(&self, checksum: &str) -> PathBuf {
        self.directory.join("blobs").join(checksum)
    }

    /// The directory of a commit's files.
    pub fn snapshot(&self, commit: &str) -> PathBuf {
        self.directory.join("snapshots").join(commit)
    }

    /// Gives a content its name in a commit.
    pub fn link(&self, commit: &str, file: &str, checksum: &str) -> Result<()> {
        let path = self.snapshot(commit).join(file);
        let named = || format!("file {}", path.display());
        let directory = path.parent().with_context(named)?;
        std::fs::create_dir_all(directory).with_context(named)?;
        if path.exists() {
            return Ok(());
        }
        let up = "../".repeat(2 + file.split('/').count() - 1);
        place(
            &self.blob(checksum),
            &format!("{up}blobs/{checksum}"),
            &path,
        )
        .with_context(named)
    }
}

/// Whether a revision is a commit of Git.
pub fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A link to the content; another process may have been first.
#[cfg(unix)]
fn place(_: &Path, relative: &str, path: &Path) -> std::io::Result<()> {
    match std::os::unix::fs::symlink(relative, path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        done => done,
    }
}

/// Where links are not everyone's, the content itself, as those libraries do it.
#[cfg(not(unix))]
fn place(blob: &Path, _: &str, path: &Path) -> std::io::Result<()> {
    std::fs::rename(blob, path)
}
