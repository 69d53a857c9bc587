//! Writes a packed data set: images resized once, to be memory-mapped by every later run.
//!
//! A packed file is a safetensors file, so any program can read it: `images_u8` `[n, c, h, w]`, `row_ends`
//! `[n]` and `row_classes` (the labels of image `i` end at `row_ends[i]`), `block_sha256` `[blocks, 32]`, one
//! digest for every [`PACK_BLOCK_IMAGES`] images. Its metadata name the format, the data set and the classes.

use std::collections::BTreeMap;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use biggan::file::{PACK_BLOCK_IMAGES, PACK_FORMAT, PACK_VERSION};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::label_rows::LabelRows;
use crate::run::atomic_file::{self, Aside};

/// A packed file being written; it appears under its name when it is finished.
pub struct PackWriter<'a> {
    path: &'a Path,
    out: BufWriter<Aside>,
    shape: [usize; 3],
    metadata: BTreeMap<&'static str, String>,
    header_bytes: usize,
    rows: LabelRows,
    block: Sha256,
    digests: Vec<u8>,
}

impl<'a> PackWriter<'a> {
    /// Begins a file of images of a shape, channels, height and width.
    ///
    /// # Errors
    /// If nothing can be written next to `path`.
    pub fn new(
        path: &'a Path,
        name: &str,
        class_names: &[String],
        shape: [usize; 3],
    ) -> Result<Self> {
        let metadata = BTreeMap::from([
            ("format", PACK_FORMAT.to_owned()),
            ("format_version", PACK_VERSION.to_owned()),
            ("name", name.to_owned()),
            ("class_names", serde_json::to_string(class_names)?),
        ]);
        // room for the longest possible header, whose numbers are known only at the end
        let most = u64::MAX / 8;
        let longest = header(&metadata, shape, most, most, most)?.len();
        let header_bytes = longest.next_multiple_of(8);
        let mut out = BufWriter::new(Aside::new(path)?);
        out.write_all(&vec![b' '; 8 + header_bytes])
            .with_context(|| format!("writing {}", path.display()))?;
        Ok(Self {
            path,
            out,
            shape,
            metadata,
            header_bytes,
            rows: LabelRows::default(),
            block: Sha256::new(),
            digests: Vec::new(),
        })
    }

    /// Appends an image, `[c, h, w]`, and its labels.
    ///
    /// # Errors
    /// If the write fails.
    pub fn push(&mut self, image: &[u8], labels: &[u16]) -> Result<()> {
        let expected = self.shape.iter().product::<usize>();
        if image.len() != expected {
            bail!("an image of {} bytes, expected {expected}", image.len());
        }
        self.out
            .write_all(image)
            .with_context(|| format!("writing {}", self.path.display()))?;
        self.block.update(image);
        self.rows.push(labels);
        if self.rows.len().is_multiple_of(PACK_BLOCK_IMAGES) {
            self.end_block();
        }
        Ok(())
    }

    fn end_block(&mut self) {
        let digest = std::mem::take(&mut self.block).finalize();
        self.digests.extend_from_slice(&digest);
    }

    /// Finishes the file and renames it to its final name; returns the number of images.
    ///
    /// # Errors
    /// If it has no image, or the write fails.
    pub fn finish(mut self) -> Result<usize> {
        let images = self.rows.len();
        if images == 0 {
            bail!("{}: no image to pack", self.path.display());
        }
        if !images.is_multiple_of(PACK_BLOCK_IMAGES) {
            self.end_block();
        }
        let (ends, classes) = self.rows.parts();
        let blocks = (self.digests.len() / 32) as u64;
        let text = header(
            &self.metadata,
            self.shape,
            images as u64,
            classes.len() as u64,
            blocks,
        )?;
        let mut write = || -> Result<()> {
            for end in ends {
                self.out.write_all(&end.to_le_bytes())?;
            }
            for class in classes {
                self.out.write_all(&class.to_le_bytes())?;
            }
            self.out.write_all(&self.digests)?;
            self.out.seek(SeekFrom::Start(0))?;
            self.out
                .write_all(&(self.header_bytes as u64).to_le_bytes())?;
            self.out.write_all(text.as_bytes())?;
            self.out.flush()?;
            Ok(())
        };
        write().with_context(|| format!("writing {}", self.path.display()))?;
        let aside = self.out.into_inner().map_err(|error| error.into_error())?;
        aside.commit(self.path)?;
        Ok(images)
    }
}

/// The header of a safetensors file.
fn header(
    metadata: &BTreeMap<&'static str, String>,
    [channels, height, width]: [usize; 3],
    images: u64,
    labels: u64,
    blocks: u64,
) -> Result<String> {
    let sizes = [
        (
            "images_u8",
            "U8",
            json!([images, channels, height, width]),
            u128::from(images) * (channels * height * width) as u128,
        ),
        ("row_ends", "U64", json!([images]), u128::from(images) * 8),
        (
            "row_classes",
            "U16",
            json!([labels]),
            u128::from(labels) * 2,
        ),
        (
            "block_sha256",
            "U8",
            json!([blocks, 32]),
            u128::from(blocks) * 32,
        ),
    ];
    let mut fields = serde_json::Map::new();
    fields.insert("__metadata__".to_owned(), json!(metadata));
    let mut start = 0u64;
    for (name, dtype, shape, bytes) in sizes {
        let end = start.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        fields.insert(
            name.to_owned(),
            json!({ "dtype": dtype, "shape": shape, "data_offsets": [start, end] }),
        );
        start = end;
    }
    Ok(serde_json::to_string(&fields)?)
}

/// Creates the directory for the files; refuses one that exists.
///
/// # Errors
/// If it exists or cannot be created.
pub fn prepare(directory: &Path) -> Result<()> {
    std::fs::create_dir_all(directory)
        .with_context(|| format!("directory {}", directory.display()))?;
    atomic_file::remove_partial(directory)
}
