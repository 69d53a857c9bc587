//! The bytes of all images of a data set: in memory, or mapped from a packed file, of which the system
//! keeps in memory what is in use.

use std::fs::File;
use std::ops::{Deref, Range};
use std::sync::Arc;

use anyhow::Result;
use memmap2::Mmap;

/// Bytes `[n, channels, height, width]`.
#[derive(Debug, Clone)]
pub struct Pixels(Source);

#[derive(Debug, Clone)]
enum Source {
    Memory(Vec<u8>),
    Mapped(Arc<Mmap>, Range<usize>),
}

impl Pixels {
    /// A part of a mapped file.
    ///
    /// # Panics
    /// If the range ends outside of the file.
    pub fn mapped(file: Arc<Mmap>, range: Range<usize>) -> Self {
        assert!(range.end <= file.len(), "{range:?} of {}", file.len());
        Self(Source::Mapped(file, range))
    }
}

impl From<Vec<u8>> for Pixels {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Source::Memory(bytes))
    }
}

impl Deref for Pixels {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Source::Memory(bytes) => bytes,
            Source::Mapped(file, range) => &file[range.clone()],
        }
    }
}

/// Maps a file for reading.
///
/// # Errors
/// As the system.
pub fn map(file: &File) -> Result<Mmap> {
    // SAFETY: the map is only read, and only as bytes, of which every pattern is valid. A process that
    // cuts the file while it is mapped ends this one with SIGBUS; packed files are replaced by renaming.
    Ok(unsafe { Mmap::map(file) }?)
}
