//! A model on disk: one `.safetensors` file, or an index with its parts next to it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use biggan::file::{Dtype, INDEX_SUFFIX, ModelFile, ModelInfo, check_part_name};
use biggan::named::HostTensors;
use biggan::sampler::Sampler;
use burn::tensor::Device;
use half::f16;

use crate::error::bad_usage;
use crate::input_file;
use crate::run::atomic_file;

/// End of the name of a model in one file.
const SUFFIX: &str = ".safetensors";

/// Name of a discriminator beside the model of its generator.
pub const DISCRIMINATOR: &str = "discriminator.safetensors";

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
    of_bytes(path, &input_file::read("model", path)?)
}

/// The model of the bytes that were read from a path.
///
/// # Errors
/// As [`read`].
pub fn of_bytes(path: &Path, bytes: &[u8]) -> Result<ModelFile> {
    decode(path, bytes).with_context(|| named(path))
}

/// The model of these bytes; of an index, with the parts that lie next to `path`.
fn decode(path: &Path, bytes: &[u8]) -> biggan::Result<ModelFile> {
    if !is_index(path) {
        return ModelFile::decode(bytes);
    }
    ModelFile::decode_shards(bytes, |part| {
        std::fs::read(path.with_file_name(part))
            .map_err(|error| biggan::Error::file(part).not_readable(error))
    })
}

/// Replaces the info of a model; its tensors stay unchanged.
///
/// # Errors
/// If it cannot be read or written, is not a model, or would not be one afterwards: it then stays as it is.
pub fn write_info(path: &Path, info: &ModelInfo) -> Result<()> {
    let bytes = input_file::read("model", path)?;
    let replaced = if is_index(path) {
        ModelFile::replace_info_in_index(&bytes, info)
    } else {
        ModelFile::replace_info(&bytes, info)
    };
    let new = replaced.with_context(|| named(path))?;
    decode(path, &new).with_context(|| named(path))?;
    atomic_file::write(path, &new)
}

/// f16 if that keeps every weight exactly, as it does if the model was stored in f16.
pub fn stored_type(tensors: &HostTensors) -> Dtype {
    let weights = tensors
        .0
        .iter()
        .filter(|(name, _)| !name.starts_with("stats."));
    let mut values = weights.flat_map(|(_, tensor)| &tensor.values);
    if values.all(|&v| f16::from_f32(v).to_f32() == v) {
        Dtype::F16
    } else {
        Dtype::F32
    }
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
        let files: Vec<(PathBuf, Vec<u8>)> = match &self.parts {
            None => vec![(self.path.clone(), file.encode(dtype)?)],
            Some((stem, shard_bytes)) => file
                .encode_shards(stem, dtype, *shard_bytes)?
                .into_iter()
                .map(|(name, bytes)| (self.path.with_file_name(name), bytes))
                .collect(),
        };
        let stem = self.parts.as_ref().map(|(stem, _)| stem.clone());
        Ok(EncodedModel { files, stem })
    }
}

/// The files of a model before they are written.
#[derive(Debug)]
pub struct EncodedModel {
    /// Paths and bytes, the parts first and the index last.
    files: Vec<(PathBuf, Vec<u8>)>,
    /// What the names of the parts begin with, of a model in parts.
    stem: Option<String>,
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

    /// Writes the files, the index last, and then removes parts of an older model of the same name. If a file cannot be
    /// written, the older model stays whole.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self) -> Result<()> {
        let older = self.older_parts();
        let all = self.files.iter();
        let all: Vec<(&Path, &[u8])> = all.map(|(path, bytes)| (&**path, &**bytes)).collect();
        atomic_file::write_all(&all)?;
        for path in older {
            if let Err(error) = std::fs::remove_file(&path) {
                note!(
                    "warning: {} of the older model stays: {error}",
                    path.display()
                );
            }
        }
        Ok(())
    }

    /// Files that the index to be replaced names, and the new one does not. Only names that the program gives itself
    /// count: an index is untrusted.
    fn older_parts(&self) -> Vec<PathBuf> {
        let (Some(stem), index) = (&self.stem, self.path()) else {
            return Vec::new();
        };
        let names = std::fs::read(index).ok();
        let names = names.and_then(|bytes| biggan::file::part_names(&bytes).ok());
        let names = names
            .into_iter()
            .flatten()
            .filter(|name| is_part(stem, name));
        let paths = names.map(|name| index.with_file_name(name));
        paths
            .filter(|old| !self.files.iter().any(|(new, _)| new == old))
            .collect()
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

/// Whether a file is a part of the model in parts of this stem, by its name.
pub fn is_part(stem: &str, name: &str) -> bool {
    let numbers = name
        .strip_prefix(stem)
        .and_then(|rest| rest.strip_prefix('-'))
        .and_then(|rest| rest.strip_suffix(SUFFIX))
        .and_then(|rest| rest.split_once("-of-"));
    let is_number = |text: &str| text.len() >= 5 && text.bytes().all(|b| b.is_ascii_digit());
    numbers.is_some_and(|(number, of)| is_number(number) && is_number(of))
}

/// Reads a model, from its file or index, onto a device.
///
/// # Errors
/// If it cannot be read, is cut short, or of another format or version; the message names the file.
pub fn load(path: &Path, device: &Device) -> Result<Sampler> {
    let file = read(path)?;
    Sampler::new(file, device).with_context(|| format!("model {}", path.display()))
}
