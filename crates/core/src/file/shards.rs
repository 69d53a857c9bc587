//! A model in several files, in the form usual for Hugging Face's libraries: parts
//! `NAME-00001-of-00003.safetensors` with some of the tensors each, and an index
//! `NAME.safetensors.index.json` that says which part has which tensor (`weight_map`), their total size
//! (`metadata.total_size`), and, beyond that form, the model's info (`metadata.config`) and the
//! SHA-256 of each part (`metadata.sha256`).
//!
//! An index is untrusted: the parts that it names must be plain file names, and no part is
//! used before its SHA-256 has been verified.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::container::{Dtype, OpenFile, SCALE, encode_entries, open};
use super::first_bytes::FirstBytes;
use super::model_file::{FORMAT, FORMAT_VERSION, ModelFile, ModelInfo, SHARD_FORMAT, check_format};
use super::quantised::{dtype_of, restored, stored};
use crate::error::{Error, Result};
use crate::named::{HostTensor, HostTensors};
use crate::sorted_json::sorted_json;

/// End of an index's name; the part before it begins the names of the parts.
pub const INDEX_SUFFIX: &str = ".safetensors.index.json";
/// End of a part's name.
const PART_SUFFIX: &str = ".safetensors";

/// Bytes of a part's header besides its tensors' names: its length, metadata and padding; also the bytes of an
/// entry (type, a shape of rank 4, two offsets).
const HEADER_BYTES: usize = 128;
const ENTRY_BYTES: usize = 160;

#[derive(Serialize, Deserialize)]
pub(super) struct Index {
    metadata: IndexMetadata,
    #[serde(deserialize_with = "unique")]
    weight_map: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct IndexMetadata {
    #[serde(default)]
    format: Option<String>,
    #[serde(default)]
    format_version: Option<String>,
    total_size: usize,
    #[serde(default)]
    config: serde_json::Value,
    #[serde(default, deserialize_with = "unique")]
    sha256: BTreeMap<String, String>,
}

/// Names of the parts of a model, from its index.
///
/// # Errors
/// If the bytes are not an index, or a name is not a plain file name.
pub fn part_names(index: &[u8]) -> Result<Vec<String>> {
    let index = Index::read(index)?;
    Ok(index.parts()?.into_iter().map(str::to_owned).collect())
}

/// SHA-256 in lower-case hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl ModelFile {
    /// The files of a model with parts of at most `max_bytes` each (a larger tensor has its own part),
    /// by name: the parts first and the index last, which is the order to write them in.
    ///
    /// # Errors
    /// As [`ModelFile::encode`], and if the name begins with a dot or holds other than letters, digits,
    /// `.`, `_` and `-`.
    pub fn encode_shards(
        &self,
        name: &str,
        dtype: Dtype,
        max_bytes: usize,
    ) -> Result<Vec<(String, Vec<u8>)>> {
        check_part_name(&format!("{name}{PART_SUFFIX}"))?;
        let metadata = BTreeMap::from([
            ("format".to_owned(), SHARD_FORMAT.to_owned()),
            ("format_version".to_owned(), FORMAT_VERSION.to_owned()),
        ]);
        let tensors = stored(&self.tensors, dtype);
        let groups = groups(&tensors, dtype, max_bytes);
        let mut index = Index {
            metadata: IndexMetadata {
                format: Some(FORMAT.to_owned()),
                format_version: Some(FORMAT_VERSION.to_owned()),
                total_size: 0,
                config: config_value(&self.info)?,
                sha256: BTreeMap::new(),
            },
            weight_map: BTreeMap::new(),
        };
        let mut files = Vec::with_capacity(groups.len() + 1);
        for (number, group) in (1..).zip(&groups) {
            let part = format!("{name}-{number:05}-of-{:05}{PART_SUFFIX}", groups.len());
            for &(tensor, host, dtype) in group {
                index.metadata.total_size += host.values.len() * dtype.size();
                index.weight_map.insert(tensor.to_owned(), part.clone());
            }
            let bytes = encode_entries(group.iter().copied(), &metadata)?;
            index
                .metadata
                .sha256
                .insert(part.clone(), sha256_hex(&bytes));
            files.push((part, bytes));
        }
        files.push((format!("{name}{INDEX_SUFFIX}"), index.to_bytes()?));
        Ok(files)
    }

    /// Reads and checks a model from its index; `part` returns the bytes of a part, a file next to the
    /// index, by its name.
    ///
    /// # Errors
    /// If the index is broken, of another format or version, or names a part that is not a plain file
    /// name; if a part is missing, has another SHA-256, or holds other tensors than the index says.
    pub fn decode_shards<B: AsRef<[u8]>>(
        index: &[u8],
        mut part: impl FnMut(&str) -> Result<B>,
    ) -> Result<Self> {
        let index = Index::read(index)?;
        let info = index.info()?;
        let mut tensors = BTreeMap::new();
        let mut total_size = 0;
        for name in index.parts()? {
            let bytes = part(name)?;
            let file = index.open_part(name, bytes.as_ref())?;
            total_size += file.data.len();
            tensors.extend(file.tensors()?.0);
        }
        index.check_total(total_size)?;
        Ok(Self {
            info,
            tensors: restored(HostTensors(tensors))?,
        })
    }

    /// The bytes of an index with another info; the parts stay unchanged.
    ///
    /// # Errors
    /// If the bytes are not an index of a model.
    pub fn replace_info_in_index(index: &[u8], info: &ModelInfo) -> Result<Vec<u8>> {
        let mut index = Index::read(index)?;
        index.info()?;
        index.metadata.config = config_value(info)?;
        index.to_bytes()
    }
}

/// Tensors by part, in the order of their names; scales in the part of their weight.
fn groups(
    tensors: &HostTensors,
    dtype: Dtype,
    max_bytes: usize,
) -> Vec<Vec<(&str, &HostTensor, Dtype)>> {
    let mut groups = vec![vec![]];
    let mut filled = HEADER_BYTES;
    for (name, tensor) in &tensors.0 {
        let dtype = dtype_of(name, dtype, tensors);
        let bytes = ENTRY_BYTES + name.len() + tensor.values.len() * dtype.size();
        let last = groups.len() - 1;
        if filled + bytes > max_bytes && !groups[last].is_empty() && !name.ends_with(SCALE) {
            groups.push(vec![]);
            filled = HEADER_BYTES;
        }
        filled += bytes;
        let last = groups.len() - 1;
        groups[last].push((name.as_str(), tensor, dtype));
    }
    groups
}

impl Index {
    pub(super) fn read(bytes: &[u8]) -> Result<Self> {
        serde_json::from_slice(bytes).map_err(|error| {
            let index = Error::file("the index");
            match FirstBytes::of(bytes) {
                Some(other) => index
                    .found(other.what)
                    .expected("an index of safetensors files, in JSON")
                    .remedy(other.remedy),
                None => index
                    .found(format_args!("not an index of safetensors files: {error}"))
                    .remedy("fetch or export the model again"),
            }
        })
    }

    fn to_bytes(&self) -> Result<Vec<u8>> {
        serde_json::to_vec_pretty(self)
            .map_err(|error| Error::file("the model's index").not_writable(error))
    }

    pub(super) fn info(&self) -> Result<ModelInfo> {
        let IndexMetadata {
            format,
            format_version,
            config,
            ..
        } = &self.metadata;
        check_format(format.as_deref(), format_version.as_deref())?;
        let info = ModelInfo::deserialize(config)
            .map_err(|error| Error::file("the model's config").not_readable(error))?;
        info.check()?;
        Ok(info)
    }

    /// Names of all parts.
    pub(super) fn parts(&self) -> Result<BTreeSet<&str>> {
        let parts: BTreeSet<&str> = self.weight_map.values().map(String::as_str).collect();
        for name in &parts {
            check_part_name(name)?;
        }
        Ok(parts)
    }

    /// Refuses parts whose total size differs.
    pub(super) fn check_total(&self, total_size: usize) -> Result<()> {
        if total_size == self.metadata.total_size {
            return Ok(());
        }
        Err(Error::file("the size of the tensors in all parts")
            .found(format_args!("{total_size} bytes"))
            .expected(format_args!(
                "{} bytes, by the index",
                self.metadata.total_size
            ))
            .remedy("fetch or export the model again"))
    }

    /// Opens a part after checking it against the index.
    pub(super) fn open_part<'a>(&self, name: &str, bytes: &'a [u8]) -> Result<OpenFile<&'a [u8]>> {
        self.checked_part(name, bytes)
            .map_err(|error| error.within(name))
    }

    fn checked_part<'a>(&self, name: &str, bytes: &'a [u8]) -> Result<OpenFile<&'a [u8]>> {
        let stated = self.metadata.sha256.get(name).ok_or_else(|| {
            Error::file("its SHA-256")
                .found("not in the index")
                .remedy("export the model again")
        })?;
        let found = sha256_hex(bytes);
        if !found.eq_ignore_ascii_case(stated) {
            return Err(Error::file("its SHA-256")
                .found(found)
                .expected(format_args!("{stated}, by the index"))
                .remedy("fetch or export the model again"));
        }
        let file = open(bytes)?;
        for (tensor, _) in &file.entries {
            match self.weight_map.get(tensor).map(String::as_str) {
                Some(place) if place == name => {}
                Some(place) => {
                    return Err(Error::tensor(tensor)
                        .found("in this part")
                        .expected(format_args!("in {place}, by the index")));
                }
                None => return Err(Error::tensor(tensor).found("not in the index")),
            }
        }
        let held: BTreeSet<&str> = file.entries.iter().map(|(name, _)| name.as_str()).collect();
        let missing = self
            .weight_map
            .iter()
            .find(|(tensor, place)| *place == name && !held.contains(tensor.as_str()));
        match missing {
            None => Ok(file),
            Some((tensor, _)) => Err(Error::tensor(tensor)
                .found("missing")
                .expected("in this part, by the index")),
        }
    }
}

fn config_value(info: &ModelInfo) -> Result<serde_json::Value> {
    let unwritable =
        |error: serde_json::Error| Error::file("the model's config").not_writable(error);
    let value = sorted_json(info).map_err(unwritable)?;
    // as in a model of one file
    ModelInfo::deserialize(&value).map_err(unwritable)?;
    Ok(value)
}

/// Refuses names that could lead out of the index's directory.
///
/// # Errors
/// If a part cannot have the name.
pub fn check_part_name(name: &str) -> Result<()> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if name.ends_with(PART_SUFFIX) && !name.starts_with('.') && name.bytes().all(plain) {
        return Ok(());
    }
    Err(Error::file("the name of a part")
        .found(format_args!("{name:?}"))
        .expected(format_args!(
            "letters, digits, \".\", \"_\" and \"-\", not a dot first, \
             with {PART_SUFFIX} at the end"
        )))
}

/// A map of strings without duplicate keys.
fn unique<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> core::result::Result<BTreeMap<String, String>, D::Error> {
    struct Unique;
    impl<'de> Visitor<'de> for Unique {
        type Value = BTreeMap<String, String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map of strings")
        }

        fn visit_map<A: MapAccess<'de>>(
            self,
            mut entries: A,
        ) -> core::result::Result<Self::Value, A::Error> {
            let mut map = BTreeMap::new();
            while let Some((key, value)) = entries.next_entry::<String, String>()? {
                if map.contains_key(&key) {
                    return Err(A::Error::custom(format!("{key:?} is listed twice")));
                }
                map.insert(key, value);
            }
            Ok(map)
        }
    }
    deserializer.deserialize_map(Unique)
}

#[cfg(test)]
mod tests;
