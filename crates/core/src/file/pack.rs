//! A packed data set: images of one size with their labels in one file, which browsers and
//! `native-train data pack` write and `native-train` maps. The format is owned here.
//!
//! It is a safetensors file, so any program can read it: `images_u8` `[n, c, h, w]`, `row_ends` `[n]` and
//! `row_classes` (the labels of image `i` end at `row_ends[i]`), `block_sha256` `[blocks, 32]`, one digest for
//! every 4096 images. Its metadata name the format, the data set and the classes, and
//! may note how the images were made.
//!
//! A data set is known by the SHA-256 of all but the pixels, whose digests are part of it. That covers the
//! header, so the layout of a header must never change, though readers take any.

use std::collections::BTreeMap;
use std::io::{self, Seek, SeekFrom, Write};

use safetensors::tensor::{Dtype, TensorInfo};
use sha2::{Digest, Sha256};

use super::container::{self, Header, header};
use super::{DatasetInfo, LabelRows, sha256_hex};
use crate::error::{Error, Result};
use crate::sorted_json::sorted_json;

/// Value of the metadata key `format`.
const FORMAT: &str = "biggan-pack";
/// Value of the metadata key `format_version`.
const VERSION: &str = "1";
/// Images behind each digest.
const BLOCK_IMAGES: usize = 4096;
/// Bytes of a digest.
const DIGEST: usize = 32;
/// More images than any file has.
const MOST: usize = usize::MAX / 8;

/// Writes a packed data set, image after image.
#[derive(Debug)]
pub struct PackWriter<W> {
    out: W,
    shape: [usize; 3],
    metadata: BTreeMap<String, String>,
    promised: Option<usize>,
    header_bytes: usize,
    rows: LabelRows,
    block: Sha256,
    digests: Vec<u8>,
}

impl<W: Write + Seek> PackWriter<W> {
    /// Begins a data set of images of a shape, channels, height and width. Where the number of images is known,
    /// each has one label and the header takes the room it needs; else it takes the most it could need.
    ///
    /// # Errors
    /// If the room for the header cannot be written.
    pub fn new(
        out: W,
        name: &str,
        class_names: &[String],
        shape: [usize; 3],
        images: Option<usize>,
    ) -> Result<Self> {
        Self::with_notes(out, name, class_names, shape, images, &[])
    }

    /// [`PackWriter::new`] of a data set whose metadata also say how its images were made.
    ///
    /// # Errors
    /// If the room for the header cannot be written.
    pub fn with_notes(
        out: W,
        name: &str,
        class_names: &[String],
        shape: [usize; 3],
        images: Option<usize>,
        notes: &[(&str, String)],
    ) -> Result<Self> {
        let class_names = serde_json::to_string(class_names).map_err(unwritten)?;
        let metadata = [
            ("format", FORMAT.to_owned()),
            ("format_version", VERSION.to_owned()),
            ("name", name.to_owned()),
            ("class_names", class_names),
        ];
        let mut writer = Self {
            out,
            shape,
            metadata: (notes.iter().cloned().chain(metadata))
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
            promised: images,
            header_bytes: 0,
            rows: LabelRows::default(),
            block: Sha256::new(),
            digests: Vec::new(),
        };
        let [images, blocks] = match images {
            Some(images) => [images, images.div_ceil(BLOCK_IMAGES)],
            None => [MOST; 2],
        };
        writer.header_bytes = writer.header(images, images, blocks)?.len();
        let room = vec![b' '; writer.header_bytes];
        writer.out.write_all(&room).map_err(unwritten)?;
        Ok(writer)
    }

    /// Appends an image, `[c, h, w]`, and its labels, of which there must be one.
    ///
    /// # Errors
    /// If the image has another size, or the write fails.
    pub fn push(&mut self, image: &[u8], labels: &[u16]) -> Result<()> {
        let expected = self.shape.iter().product::<usize>();
        if image.len() != expected {
            return Err(Error::request("the size of an image")
                .found(format_args!("{} bytes", image.len()))
                .expected(format_args!("{expected} bytes")));
        }
        self.out.write_all(image).map_err(unwritten)?;
        self.block.update(image);
        self.rows.push(labels);
        if self.rows.len().is_multiple_of(BLOCK_IMAGES) {
            self.end_block();
        }
        Ok(())
    }

    fn end_block(&mut self) {
        let digest = std::mem::take(&mut self.block).finalize();
        self.digests.extend_from_slice(&digest);
    }

    /// Ends the file, and says what it is of.
    ///
    /// # Errors
    /// If it has no image or not as many as were promised, or the write fails.
    pub fn finish(mut self) -> Result<(DatasetInfo, W)> {
        let images = self.rows.len();
        let promised = self.promised.unwrap_or(images);
        if images == 0 || images != promised {
            return Err(Error::request("the number of images to pack")
                .found(images)
                .expected(promised.max(1)));
        }
        if !images.is_multiple_of(BLOCK_IMAGES) {
            self.end_block();
        }
        let (ends, classes) = self.rows.parts();
        let mut head = self.header(images, classes.len(), self.digests.len() / DIGEST)?;
        head.resize(self.header_bytes, b' ');
        head[..8].copy_from_slice(&(self.header_bytes as u64 - 8).to_le_bytes());
        let ends = ends.iter().flat_map(|end| end.to_le_bytes());
        let classes = classes.iter().flat_map(|class| class.to_le_bytes());
        let tail: Vec<u8> = ends
            .chain(classes)
            .chain(self.digests.iter().copied())
            .collect();
        let mut write = || -> io::Result<()> {
            self.out.write_all(&tail)?;
            self.out.seek(SeekFrom::Start(0))?;
            self.out.write_all(&head)?;
            self.out.flush()
        };
        write().map_err(unwritten)?;
        let info = DatasetInfo {
            name: self.metadata["name"].clone(),
            images,
            sha256: vec![sha256_hex(&[head, tail].concat())],
            source: None,
        };
        Ok((info, self.out))
    }

    /// What is before the pixels, padded to 8 bytes.
    fn header(&self, images: usize, labels: usize, blocks: usize) -> Result<Vec<u8>> {
        let [channels, height, width] = self.shape;
        let mut end = 0usize;
        let mut entry = |name, dtype, shape: &[usize], value_bytes: usize| {
            let bytes = shape.iter().fold(value_bytes, |a, &b| a.saturating_mul(b));
            let start = end;
            end = end.saturating_add(bytes);
            let info = TensorInfo {
                dtype,
                shape: shape.to_vec(),
                data_offsets: (start, end),
            };
            (name, info)
        };
        let entries = vec![
            entry(
                "images_u8",
                Dtype::U8,
                &[images, channels, height, width],
                1,
            ),
            entry("row_ends", Dtype::U64, &[images], 8),
            entry("row_classes", Dtype::U16, &[labels], 2),
            entry("block_sha256", Dtype::U8, &[blocks, DIGEST], 1),
        ];
        let metadata = &self.metadata;
        let fields = Header { metadata, entries };
        match self.promised {
            Some(_) => header(&fields, 0),
            // as such files always were
            None => header(&sorted_json(&fields).map_err(unwritten)?, 0),
        }
    }
}

fn unwritten(error: impl std::fmt::Display) -> Error {
    Error::file("the file of packed images").not_writable(error)
}

/// A packed data set whose header and labels were checked; the pixels are for [`Pack::check_block`].
#[derive(Debug)]
pub struct Pack<'a> {
    /// What it is of.
    pub info: DatasetInfo,
    /// A name for each class.
    pub class_names: Vec<String>,
    /// What else its metadata say: how its images were made.
    pub notes: BTreeMap<String, String>,
    /// Channels, height and width.
    pub shape: [usize; 3],
    /// `[n, channels, height, width]`
    pub images_u8: &'a [u8],
    /// Labels of each image.
    pub rows: LabelRows,
    digests: &'a [u8],
}

impl<'a> Pack<'a> {
    /// Reads the bytes of a file, all but its pixels.
    ///
    /// # Errors
    /// If they are cut short or of another format or version, or labels do not fit the images or classes.
    pub fn open(bytes: &'a [u8]) -> Result<Self> {
        let file = container::open(bytes)?;
        for (key, expected) in [("format", FORMAT), ("format_version", VERSION)] {
            let found = file.metadata.get(key).map_or("missing", String::as_str);
            if found != expected {
                return Err(Error::file(key).found(found).expected(expected));
            }
        }
        let named = |key: &str| {
            let missing = || Error::file(key).found("missing from its metadata");
            file.metadata.get(key).ok_or_else(missing)
        };
        let class_names: Vec<String> = serde_json::from_str(named("class_names")?)
            .map_err(|error| Error::file("class_names").not_readable(error))?;
        let tensor = |name: &str, dtype: Dtype, rank: usize| {
            let missing = || Error::tensor(name).found("missing");
            let (_, info) = file
                .entries
                .iter()
                .find(|(found, _)| found == name)
                .ok_or_else(missing)?;
            if info.dtype != dtype || info.shape.len() != rank {
                return Err(Error::tensor(name)
                    .found(format_args!("{:?} {:?}", info.dtype, info.shape))
                    .expected(format_args!("{dtype:?} of rank {rank}")));
            }
            let (start, end) = info.data_offsets;
            Ok((&info.shape[..], &file.data[start..end])) // in range: the library checks offsets
        };
        let (shape, images_u8) = tensor("images_u8", Dtype::U8, 4)?;
        let [count, shape @ ..] = [shape[0], shape[1], shape[2], shape[3]];
        if ![1, 3].contains(&shape[0]) || shape[1] == 0 || shape[2] == 0 {
            return Err(Error::tensor("images_u8")
                .found(format_args!(
                    "of {} channels and {}x{} pixels",
                    shape[0], shape[2], shape[1]
                ))
                .expected("1 or 3 channels and a pixel or more"));
        }
        let (_, ends) = tensor("row_ends", Dtype::U64, 1)?;
        let (_, classes) = tensor("row_classes", Dtype::U16, 1)?;
        let (_, digests) = tensor("block_sha256", Dtype::U8, 2)?;
        let labels: Vec<u16> = words(classes).map(u16::from_le_bytes).collect();
        if let Some(label) = labels
            .iter()
            .find(|&&c| usize::from(c) >= class_names.len())
        {
            return Err(Error::file(format_args!("label {label}"))
                .found("out of range")
                .expected(format_args!("one of {} classes", class_names.len())));
        }
        let rows = LabelRows::new(words(ends).map(u64::from_le_bytes).collect(), labels)
            .filter(|rows| rows.len() == count)
            .ok_or_else(|| {
                Error::file("the table of labels")
                    .found("damaged")
                    .expected(format_args!("labels of {count} images"))
            })?;
        let blocks = count.div_ceil(BLOCK_IMAGES);
        if digests.len() != blocks * DIGEST {
            return Err(Error::tensor("block_sha256")
                .found(format_args!("{} bytes", digests.len()))
                .expected(format_args!("{} for {blocks} blocks", blocks * DIGEST)));
        }
        let header = &bytes[..bytes.len() - file.data.len()];
        let is_own = |key: &str| ["format", "format_version", "name", "class_names"].contains(&key);
        let notes = file.metadata.iter().filter(|(key, _)| !is_own(key));
        Ok(Self {
            info: DatasetInfo {
                name: named("name")?.clone(),
                images: count,
                sha256: vec![sha256_hex(&[header, ends, classes, digests].concat())],
                source: None,
            },
            class_names,
            notes: notes
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
            shape,
            images_u8,
            rows,
            digests,
        })
    }

    /// Blocks of images with a digest each.
    pub fn blocks(&self) -> usize {
        self.digests.len() / DIGEST
    }

    /// Compares the digest of a block.
    ///
    /// # Errors
    /// If its pixels are not those that were written.
    ///
    /// # Panics
    /// If there is no such block.
    pub fn check_block(&self, block: usize) -> Result<()> {
        let block_bytes = BLOCK_IMAGES * self.shape.iter().product::<usize>();
        let images = &self.images_u8[block * block_bytes..];
        let images = &images[..block_bytes.min(images.len())];
        if Sha256::digest(images)[..] == self.digests[block * DIGEST..][..DIGEST] {
            return Ok(());
        }
        Err(Error::file(format_args!(
            "the SHA-256 of images {} to {}",
            block * BLOCK_IMAGES,
            (block + 1) * BLOCK_IMAGES - 1
        ))
        .found("not the one stored: the file is damaged")
        .remedy("make it again"))
    }
}

/// Words of little-endian bytes.
fn words<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> + '_ {
    bytes.as_chunks::<N>().0.iter().copied()
}

#[cfg(test)]
mod tests;
