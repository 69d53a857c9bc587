//! The bytes of all images of a data set: in memory; mapped from a packed file, of which the system keeps in
//! memory what is in use; or in picture files, decoded on demand.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::ops::{Deref, Range};
use std::sync::Arc;

use anyhow::Result;
use memmap2::Mmap;

use super::picture_files::PictureFiles;
use crate::system_fault::{inject, is_unsupported};

/// Bytes `[n, channels, height, width]`.
#[derive(Debug, Clone)]
pub struct Pixels(Source);

#[derive(Debug, Clone)]
enum Source {
    Memory(Vec<u8>),
    Mapped(Arc<FileBytes>, Range<usize>),
    Files(Arc<PictureFiles>),
}

impl Pixels {
    /// A part of a mapped file.
    ///
    /// # Panics
    /// If the range ends outside the file.
    pub fn mapped(file: Arc<FileBytes>, range: Range<usize>) -> Self {
        assert!(range.end <= file.len(), "{range:?} of {}", file.len());
        Self(Source::Mapped(file, range))
    }

    /// Pictures that are decoded on demand.
    pub fn streamed(files: PictureFiles) -> Self {
        Self(Source::Files(Arc::new(files)))
    }

    /// The files of images that are decoded on demand; `None` if their bytes are in memory.
    pub fn files(&self) -> Option<&Arc<PictureFiles>> {
        match &self.0 {
            Source::Files(files) => Some(files),
            Source::Memory(_) | Source::Mapped(..) => None,
        }
    }

    /// Images of `image_bytes` each, in the order of their indices; files are decoded in parallel.
    ///
    /// # Errors
    /// If a file cannot be read.
    ///
    /// # Panics
    /// If there is no image of an index.
    pub fn read(&self, indices: &[usize], image_bytes: usize) -> Result<Vec<Cow<'_, [u8]>>> {
        match &self.0 {
            Source::Memory(bytes) => Ok(cut(bytes, indices, image_bytes)),
            Source::Mapped(file, range) => Ok(cut(&file[range.clone()], indices, image_bytes)),
            Source::Files(files) => {
                let images = files.images(indices).into_iter();
                images.map(|image| Ok(Cow::Owned(image?))).collect()
            }
        }
    }
}

impl From<Vec<u8>> for Pixels {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Source::Memory(bytes))
    }
}

fn cut<'a>(bytes: &'a [u8], indices: &[usize], image_bytes: usize) -> Vec<Cow<'a, [u8]>> {
    let image = |&index: &usize| Cow::Borrowed(&bytes[index * image_bytes..][..image_bytes]);
    indices.iter().map(image).collect()
}

/// The bytes of a file: mapped, or read where its file system cannot map.
#[derive(Debug)]
pub enum FileBytes {
    /// The system keeps in memory what is in use.
    Mapped(Mmap),
    /// All in memory.
    Read(Vec<u8>),
}

impl Deref for FileBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(bytes) => bytes,
            Self::Read(bytes) => bytes,
        }
    }
}

/// Maps a file for reading; reads it where that is not supported.
///
/// # Errors
/// If the system can do neither.
pub fn map(mut file: &File) -> Result<FileBytes> {
    // SAFETY: the map is only read, and only as bytes, of which every pattern is valid. A process that
    // truncates the file while it is mapped kills this one with SIGBUS; packed files are replaced by renaming.
    match inject("mmap").and_then(|()| unsafe { Mmap::map(file) }) {
        Err(error) if is_unsupported(&error) => {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(FileBytes::Read(bytes))
        }
        mapped => Ok(FileBytes::Mapped(mapped?)),
    }
}
