//! Files in the folders of a run.

use std::path::{Path, PathBuf};

use crate::run::run_dir;

/// A file of a run named after the images seen when it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFile {
    /// Real images seen by D.
    pub images_seen: u64,
    /// Where it is.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
}

impl RunFile {
    fn new(path: PathBuf, images_seen: u64) -> Option<Self> {
        let bytes = std::fs::metadata(&path).ok()?.len();
        Some(Self {
            images_seen,
            path,
            bytes,
        })
    }
}

/// Paths in a folder; empty if it cannot be read.
fn paths(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path()))
}

/// Files named `<images>.<extension>`, oldest first.
pub fn by_images(folder: &Path, extension: &str) -> Vec<RunFile> {
    let of = |path: PathBuf| {
        let images = run_dir::images_of(&path, extension)?;
        RunFile::new(path, images)
    };
    let mut found: Vec<RunFile> = paths(folder).filter_map(of).collect();
    found.sort_by_key(|file| file.images_seen);
    found
}

/// PNG files by name, all of the same time.
pub fn pictures(folder: &Path, images_seen: u64) -> Vec<RunFile> {
    let mut found: Vec<RunFile> = paths(folder)
        .filter(|path| path.extension().is_some_and(|e| e == "png"))
        .filter_map(|path| RunFile::new(path, images_seen))
        .collect();
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}
