//! A model on disk: one `.safetensors` file, or an index with its parts next to it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use biggan::file::{Dtype, INDEX_SUFFIX, ModelFile, ModelInfo, check_part_name};
use biggan::sampler::Sampler;
use burn::tensor::Device;

use crate::error::bad_usage;
use crate::input_file;
use crate::run::atomic_file;

/// End of the name of a model in one file.
const SUFFIX: &str = ".safetensors";

/// Whether a path names an index, not a model.
pub fn is_index(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "json")
}

/// Reads a model from its file or its index.
///
/// # Errors
/// If it cannot be read, is truncated, or of another format or version; the message names the file.
pub fn read(path: &Path) -> Result<ModelFile> {
    let bytes = input_file::read("model", path)?;
    let file = if is_index(path) {
        ModelFile::decode_shards(&bytes, |part| {
            std::fs::read(path.with_file_name(part))
                .map_err(|error| biggan::Error::file(part).not_readable(error))
        })
    } else {
        ModelFile::decode(&bytes)
    };
    file.with_context(|| named(path))
}

/// Replaces the info of a model; its tensors stay unchanged.
///
/// # Errors
/// If it cannot be read or written, or is not a model.
pub fn write_info(path: &Path, info: &ModelInfo) -> Result<()> {
    let bytes = input_file::read("model", path)?;
    let new = if is_index(path) {
        ModelFile::replace_info_in_index(&bytes, info)
    } else {
        ModelFile::replace_info(&bytes, info)
    };
    atomic_file::write(path, &new.with_context(|| named(path))?)
}

fn named(path: &Path) -> String {
    format!("model {}", path.display())
}

/// Where a model will be written, checked before it is computed.
#[derive(Debug, Clone)]
pub struct Target {
    path: PathBuf,
    /// Prefix of the names of the parts, and their largest size.
    parts: Option<(String, usize)>,
}

impl Target {
    /// One file, or parts of at most `shard_bytes`: `NAME.safetensors` then means
    /// `NAME-00001-of-00002.safetensors` and so on, and `NAME.safetensors.index.json`.
    ///
    /// # Errors
    /// If the name suits neither one file nor parts.
    pub fn new(path: &Path, shard_bytes: Option<usize>) -> Result<Self> {
        let parts = match shard_bytes {
            None if is_index(path) => {
                return Err(bad_usage(format!(
                    "{} names an index; give --shard-size, or a name that ends in {SUFFIX}",
                    path.display()
                )));
            }
            None => None,
            Some(shard_bytes) => {
                let name = path.file_name().and_then(|name| name.to_str());
                let stem = name.and_then(|name| {
                    name.strip_suffix(INDEX_SUFFIX)
                        .or_else(|| name.strip_suffix(SUFFIX))
                });
                let stem = stem.ok_or_else(|| {
                    bad_usage(format!(
                        "{}: with --shard-size give a name that ends in {SUFFIX} or {INDEX_SUFFIX}",
                        path.display()
                    ))
                })?;
                check_part_name(&format!("{stem}{SUFFIX}"))
                    .map_err(|error| bad_usage(error.to_string()))?;
                Some((stem.to_owned(), shard_bytes))
            }
        };
        Ok(Self {
            path: path.to_owned(),
            parts,
        })
    }

    /// The bytes of a model for this target.
    ///
    /// # Errors
    /// If a value does not fit the type.
    pub fn encode(&self, file: &ModelFile, dtype: Dtype) -> Result<EncodedModel> {
        let files = match &self.parts {
            None => vec![(self.path.clone(), file.encode(dtype)?)],
            Some((stem, shard_bytes)) => file
                .encode_shards(stem, dtype, *shard_bytes)?
                .into_iter()
                .map(|(name, bytes)| (self.path.with_file_name(name), bytes))
                .collect(),
        };
        Ok(EncodedModel { files })
    }
}

/// The files of a model before they are written.
#[derive(Debug)]
pub struct EncodedModel {
    /// Paths and bytes, the parts first and the index last.
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl EncodedModel {
    /// The model as it will be read back.
    ///
    /// # Errors
    /// If the bytes do not decode, so that a broken model is never written.
    pub fn decode(&self) -> Result<ModelFile> {
        let (path, bytes) = self.last();
        if !is_index(path) {
            return Ok(ModelFile::decode(bytes)?);
        }
        let part = |name: &str| {
            self.files
                .iter()
                .find(|(path, _)| path.file_name().is_some_and(|found| found == name))
                .map(|(_, bytes)| bytes)
                .ok_or_else(|| biggan::Error::file(name).found("not made"))
        };
        Ok(ModelFile::decode_shards(bytes, part)?)
    }

    /// Writes the files. A reader sees no model before it is complete: the index comes last.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self) -> Result<()> {
        for (path, bytes) in &self.files {
            atomic_file::write(path, bytes)?;
        }
        Ok(())
    }

    /// The path to read the model from.
    pub fn path(&self) -> &Path {
        &self.last().0
    }

    /// Size of all files together.
    pub fn bytes(&self) -> usize {
        self.files.iter().map(|(_, bytes)| bytes.len()).sum()
    }

    /// Number of files.
    pub fn count(&self) -> usize {
        self.files.len()
    }

    fn last(&self) -> &(PathBuf, Vec<u8>) {
        self.files.last().expect("a target makes a file or more")
    }
}

/// Reads a model, from its file or index, onto a device.
///
/// # Errors
/// If it cannot be read, is cut short, or of another format or version; the message names the file.
pub fn load(path: &Path, device: &Device) -> Result<Sampler> {
    let file = read(path)?;
    Sampler::new(file, device).with_context(|| format!("model {}", path.display()))
}
