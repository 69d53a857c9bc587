//! Named tensors and metadata to and from safetensors bytes.
//!
//! Reading goes through the library, which validates every offset before memory is allocated. The header
//! is written here: the library keeps metadata in a hash map, so its files differ from run to
//! run, while these have the same bytes for the same content.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use half::f16;
use safetensors::SafeTensorError;
use safetensors::tensor::{Dtype as StDtype, Metadata, SafeTensors, TensorInfo};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::digests::{self, Digests};
use super::first_bytes::FirstBytes;
use crate::error::{Error, Result};
use crate::named::{HostTensor, HostTensors};

/// Largest header, as in the library.
const MOST_HEADER_BYTES: usize = 100_000_000;
/// End of the name of the scales of a weight that is stored as integers (`quantised`).
pub(super) const SCALE: &str = ".q8_scale";
/// Bytes that tell what a file is.
const FIRST_BYTES: usize = 512;

/// Type of the stored values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dtype {
    /// 32-bit floats.
    F32,
    /// 16-bit floats.
    F16,
    /// 8-bit integers, which the values must be: a model file makes them of its weights, with a scale for each output
    /// channel.
    Q8,
}

impl Dtype {
    /// Bytes of a value.
    pub fn size(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 => 2,
            Self::Q8 => 1,
        }
    }
}

/// The content of a file.
#[derive(Debug, Clone)]
pub struct StoredTensors {
    /// Values, widened to f32.
    pub tensors: HostTensors,
    /// `__metadata__`.
    pub metadata: BTreeMap<String, String>,
}

/// Tensors and metadata as the bytes of a safetensors file, all of one type.
///
/// # Errors
/// As [`encode_with`].
pub fn encode(
    tensors: &HostTensors,
    metadata: &BTreeMap<String, String>,
    dtype: Dtype,
) -> Result<Vec<u8>> {
    encode_with(tensors, metadata, |_| dtype)
}

/// Tensors and metadata as the bytes of a safetensors file; `dtype_of` names the type of each.
///
/// # Errors
/// If a value is too large for the type (f16).
pub fn encode_with(
    tensors: &HostTensors,
    metadata: &BTreeMap<String, String>,
    dtype_of: impl Fn(&str) -> Dtype,
) -> Result<Vec<u8>> {
    let entries = tensors.0.iter();
    let entries = entries.map(|(name, tensor)| (name.as_str(), tensor, dtype_of(name)));
    encode_sorted(&sorted(entries), metadata, true)
}

/// As [`encode_with`], for some tensors and without their digests.
pub(super) fn encode_entries<'a>(
    tensors: impl Iterator<Item = (&'a str, &'a HostTensor, Dtype)>,
    metadata: &BTreeMap<String, String>,
) -> Result<Vec<u8>> {
    encode_sorted(&sorted(tensors), metadata, false)
}

/// Large values first and then by name, as in the library, so that values are aligned.
fn sorted<'a>(
    tensors: impl Iterator<Item = (&'a str, &'a HostTensor, Dtype)>,
) -> Vec<(&'a str, &'a HostTensor, Dtype)> {
    let mut tensors: Vec<_> = tensors.collect();
    tensors.sort_by_key(|&(name, _, dtype)| (std::cmp::Reverse(dtype.size()), name));
    tensors
}

fn encode_sorted(
    tensors: &[(&str, &HostTensor, Dtype)],
    metadata: &BTreeMap<String, String>,
    with_digests: bool,
) -> Result<Vec<u8>> {
    let mut end = 0;
    let entries = tensors
        .iter()
        .map(|&(name, tensor, dtype)| {
            let start = end;
            end += tensor.values.len() * dtype.size();
            let info = TensorInfo {
                dtype: match dtype {
                    Dtype::F32 => StDtype::F32,
                    Dtype::F16 => StDtype::F16,
                    Dtype::Q8 => StDtype::I8,
                },
                shape: tensor.shape.clone(),
                data_offsets: (start, end),
            };
            (name, info)
        })
        .collect();
    let mut metadata = metadata.clone();
    if with_digests {
        // the header comes first: values are made twice rather than kept twice
        let mut digests = String::new();
        for &(name, tensor, dtype) in tensors {
            let mut values = Vec::new();
            write_values(&mut values, name, &tensor.values, dtype)?;
            digests += &digests::digest(&values);
        }
        metadata.insert(digests::KEY.to_owned(), digests);
    }
    let metadata = &metadata;
    let mut bytes = header(&Header { metadata, entries }, end)?;
    for &(name, tensor, dtype) in tensors {
        write_values(&mut bytes, name, &tensor.values, dtype)?;
    }
    Ok(bytes)
}

/// The bytes of a file with other metadata; the tensors stay unchanged, bit for bit.
///
/// # Errors
/// If the bytes are not a safetensors file, or damaged.
pub(super) fn replace_metadata(
    bytes: &[u8],
    metadata: &BTreeMap<String, String>,
) -> Result<Vec<u8>> {
    let file = open(bytes)?;
    let entries = file
        .entries
        .iter()
        .map(|(name, info)| (name.as_str(), info.clone()))
        .collect();
    // values are checked as they are read: a digest of damaged ones would hide the damage
    let mut metadata = metadata.clone();
    let mut digests = String::new();
    for (name, info) in &file.entries {
        digests += &digests::digest(&file.bytes(name, info)?);
    }
    metadata.insert(digests::KEY.to_owned(), digests);
    let metadata = &metadata;
    let mut new = header(&Header { metadata, entries }, file.data.len())?;
    new.extend_from_slice(file.data);
    Ok(new)
}

/// The header: the metadata first, then the tensors in the order of their values.
pub(super) struct Header<'a> {
    pub metadata: &'a BTreeMap<String, String>,
    pub entries: Vec<(&'a str, TensorInfo)>,
}

impl Serialize for Header<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> core::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.entries.len() + 1))?;
        map.serialize_entry("__metadata__", self.metadata)?;
        for (name, info) in &self.entries {
            map.serialize_entry(name, info)?;
        }
        map.end()
    }
}

/// Length and header, padded to 8 bytes, with room for the values.
pub(super) fn header(header: &impl Serialize, data_bytes: usize) -> Result<Vec<u8>> {
    let mut json = serde_json::to_vec(header)
        .map_err(|error| Error::file("the safetensors header").not_writable(error))?;
    json.resize(json.len().next_multiple_of(8), b' ');
    let mut bytes = Vec::with_capacity(8 + json.len() + data_bytes);
    bytes.extend((json.len() as u64).to_le_bytes());
    bytes.extend(json);
    Ok(bytes)
}

fn write_values(bytes: &mut Vec<u8>, name: &str, values: &[f32], dtype: Dtype) -> Result<()> {
    match dtype {
        Dtype::F32 => bytes.extend(values.iter().flat_map(|v| v.to_le_bytes())),
        Dtype::F16 => {
            for &value in values {
                let half = f16::from_f32(value);
                if value.is_finite() && !half.is_finite() {
                    return Err(Error::tensor(name)
                        .found(value)
                        .expected("at most 65504, which f16 holds")
                        .remedy("store it as f32"));
                }
                bytes.extend(half.to_le_bytes());
            }
        }
        Dtype::Q8 => {
            for &value in values {
                if value != value.round() || value.abs() > 127.0 {
                    return Err(Error::tensor(name)
                        .found(value)
                        .expected("a whole number from -127 to 127")
                        .remedy("a weight that is not finite has none: store it as f32, and look for the cause"));
                }
                bytes.extend((value as i8).to_le_bytes());
            }
        }
    }
    Ok(())
}

/// A file whose header has been checked against its length; values are still bytes.
pub(super) struct OpenFile<V> {
    /// `__metadata__` without the digests.
    pub metadata: BTreeMap<String, String>,
    digests: Digests,
    /// Names and offsets of the tensors, in the order of their values.
    pub entries: Vec<(String, TensorInfo)>,
    /// The values of all tensors.
    pub data: V,
}

/// Reads and checks the header of a file.
///
/// # Errors
/// If the bytes are not a safetensors file or are truncated.
pub(super) fn open(bytes: &[u8]) -> Result<OpenFile<&[u8]>> {
    let (header_bytes, header) =
        SafeTensors::read_metadata(bytes).map_err(|error| not_safetensors(bytes, &error))?;
    with_header(&header, &bytes[8 + header_bytes..])
}

/// As [`open`], of a file that is read where it lies: its header now, each tensor when it is asked for.
///
/// # Errors
/// As [`open`]; or if the file cannot be read.
pub(super) fn open_at<'a>(file: &'a dyn ReadAt) -> Result<OpenFile<ValuesAt<'a>>> {
    let length = file.length();
    let beginning = file.read_at(0..length.min(FIRST_BYTES))?;
    let refused = |error: SafeTensorError| not_safetensors_of(length, &beginning, &error);
    // what the library checks of a whole file (`SafeTensors::read_metadata`), in its order
    let stated = beginning
        .first_chunk()
        .ok_or_else(|| refused(SafeTensorError::HeaderTooSmall))?;
    let header_bytes = usize::try_from(u64::from_le_bytes(*stated))
        .ok()
        .filter(|bytes| *bytes <= MOST_HEADER_BYTES)
        .ok_or_else(|| refused(SafeTensorError::HeaderTooLarge))?;
    let start = 8 + header_bytes;
    if start > length {
        return Err(refused(SafeTensorError::InvalidHeaderLength));
    }
    let header: Metadata = serde_json::from_slice(&file.read_at(8..start)?)
        .map_err(|error| refused(SafeTensorError::InvalidHeaderDeserialization(error)))?;
    if start + header.data_len() != length {
        return Err(refused(SafeTensorError::MetadataIncompleteBuffer));
    }
    with_header(&header, ValuesAt { file, start })
}

fn with_header<V>(header: &Metadata, data: V) -> Result<OpenFile<V>> {
    let entries: Vec<(String, TensorInfo)> = header
        .offset_keys()
        .into_iter()
        .filter_map(|name| header.info(&name).cloned().map(|info| (name, info)))
        .collect();
    let metadata = header.metadata().iter().flatten().map(owned);
    let mut metadata: BTreeMap<String, String> = metadata.collect();
    let names = entries.iter().map(|(name, _)| name.as_str());
    Ok(OpenFile {
        digests: Digests::take(&mut metadata, names)?,
        metadata,
        data,
        entries,
    })
}

/// What bytes are that cannot be read as a safetensors file.
pub fn not_safetensors(bytes: &[u8], error: &SafeTensorError) -> Error {
    not_safetensors_of(bytes.len(), bytes, error)
}

fn not_safetensors_of(length: usize, beginning: &[u8], error: &SafeTensorError) -> Error {
    let file = Error::file(format_args!("the file of {length} bytes"));
    match FirstBytes::of_binary(beginning) {
        Some(other) => file
            .found(other.what)
            .expected("a safetensors file")
            .remedy(other.remedy),
        None => file
            .found(format_args!("not a whole safetensors file: {error}"))
            .remedy("fetch or export it again"),
    }
}

fn owned((key, value): (&String, &String)) -> (String, String) {
    (key.clone(), value.clone())
}

/// A file that is read in pieces.
pub trait ReadAt {
    /// Bytes of the file.
    fn length(&self) -> usize;

    /// The bytes of a range.
    ///
    /// # Errors
    /// If they cannot be read.
    fn read_at(&self, range: Range<usize>) -> Result<Vec<u8>>;
}

/// The values of a file that is read in pieces.
pub(super) struct ValuesAt<'a> {
    file: &'a dyn ReadAt,
    /// Where they begin.
    start: usize,
}

/// The values of a file.
pub(super) trait Values {
    /// Those at the offsets of a tensor.
    fn range(&self, range: Range<usize>) -> Result<Cow<'_, [u8]>>;
}

impl Values for &[u8] {
    fn range(&self, range: Range<usize>) -> Result<Cow<'_, [u8]>> {
        Ok(self[range].into()) // in range: the library checks offsets against the length
    }
}

impl Values for ValuesAt<'_> {
    fn range(&self, Range { start, end }: Range<usize>) -> Result<Cow<'_, [u8]>> {
        let range = self.start + start..self.start + end;
        let found = self.file.read_at(range.clone())?;
        if found.len() == range.len() {
            return Ok(found.into());
        }
        Err(
            Error::file(format_args!("bytes {} to {}", range.start, range.end))
                .found(format_args!("{} of them", found.len()))
                .remedy("open the file again"),
        )
    }
}

impl Values for Box<dyn Values + '_> {
    fn range(&self, range: Range<usize>) -> Result<Cow<'_, [u8]>> {
        self.as_ref().range(range)
    }
}

impl<V: Values> OpenFile<V> {
    /// The same, of any kind of values.
    pub fn boxed<'a>(self) -> OpenFile<Box<dyn Values + 'a>>
    where
        V: 'a,
    {
        OpenFile {
            metadata: self.metadata,
            digests: self.digests,
            entries: self.entries,
            data: Box::new(self.data),
        }
    }

    /// All tensors, widened to f32.
    ///
    /// # Errors
    /// As [`OpenFile::tensor`].
    pub fn tensors(&self) -> Result<HostTensors> {
        let tensors = self
            .entries
            .iter()
            .map(|(name, info)| Ok((name.clone(), self.tensor(name, info)?)));
        Ok(HostTensors(tensors.collect::<Result<_>>()?))
    }

    fn has_scales(&self, name: &str) -> bool {
        let scales = |entry: &str| entry.strip_suffix(SCALE) == Some(name);
        self.entries.iter().any(|(entry, _)| scales(entry))
    }

    /// The bytes of a tensor, checked against its digest.
    fn bytes(&self, name: &str, info: &TensorInfo) -> Result<Cow<'_, [u8]>> {
        let (start, end) = info.data_offsets;
        let bytes = self.data.range(start..end)?;
        self.digests.check(name, &bytes)?;
        Ok(bytes)
    }

    /// The values of a tensor, widened to f32.
    ///
    /// # Errors
    /// If they have another type than f32, f16 and 8-bit integers with scales, or another digest than the file states.
    pub fn tensor(&self, name: &str, info: &TensorInfo) -> Result<HostTensor> {
        let data = self.bytes(name, info)?;
        let values = match info.dtype {
            StDtype::F32 => data
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect(),
            StDtype::F16 => data
                .chunks_exact(2)
                .map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32())
                .collect(),
            // integers of weights, not yet multiplied by their scales
            StDtype::I8 if self.has_scales(name) => {
                data.iter().map(|&b| f32::from(b as i8)).collect()
            }
            StDtype::I8 => {
                return Err(Error::tensor(name)
                    .found(format_args!("I8 without {name}{SCALE}"))
                    .expected("F32, F16, or I8 with scales"));
            }
            other => {
                return Err(Error::tensor(name)
                    .found(format_args!("{other:?}"))
                    .expected("F32 or F16"));
            }
        };
        Ok(HostTensor {
            shape: info.shape.clone(),
            values,
        })
    }
}

/// The inverse of [`encode`].
///
/// # Errors
/// If the bytes are not a safetensors file, are truncated or damaged, or hold another type than f32 and f16.
pub fn decode(bytes: &[u8]) -> Result<StoredTensors> {
    let file = open(bytes)?;
    Ok(StoredTensors {
        tensors: file.tensors()?,
        metadata: file.metadata,
    })
}

/// The `__metadata__` of a file, without reading its tensors.
///
/// # Errors
/// If the bytes are not a safetensors file or are truncated.
pub fn read_metadata(bytes: &[u8]) -> Result<BTreeMap<String, String>> {
    Ok(open(bytes)?.metadata)
}

#[cfg(test)]
mod tests;
