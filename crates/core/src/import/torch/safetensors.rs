//! A safetensors file, as the value that the same weights have in a file of `torch.save`: a dictionary of tensors.

use std::collections::BTreeMap;

use safetensors::tensor::{Dtype, SafeTensors};
use serde::de::IgnoredAny;

use super::StorageBytes;
use super::value::{Arena, Element, Id, Storage, TensorRecord, Value};
use crate::error::{Error, Result};

/// Bytes before the header: its length.
const LENGTH: usize = 8;

/// Longest header: the largest known file has 700 tensors in 100 kB. It bounds the memory that names take.
const MAX_HEADER: u64 = 4 << 20;

/// Whether the bytes begin as such a file does.
pub(super) fn is_safetensors(bytes: &[u8]) -> bool {
    bytes.get(LENGTH) == Some(&b'{')
}

/// The dictionary, and the bytes of its storages: one for each tensor.
///
/// # Errors
/// If the header is malformed, or tensors do not fill the file exactly, or have a type that PyTorch's files of weights
/// do not have.
pub(super) fn read<'a>(bytes: &'a [u8]) -> Result<(Arena<'a>, Id, Vec<StorageBytes<'a>>)> {
    let broken = |why: &dyn std::fmt::Display| {
        Error::file(format_args!(
            "the safetensors file of {} bytes",
            bytes.len()
        ))
        .not_readable(why)
    };
    let length = bytes.first_chunk().copied().map_or(0, u64::from_le_bytes);
    if length > MAX_HEADER {
        return Err(broken(&format_args!(
            "a header of {length} bytes, at most {MAX_HEADER} are read"
        )));
    }
    // the library checks that every offset lies in the file
    let (header, metadata) =
        SafeTensors::read_metadata(bytes).map_err(|error| broken(&error.to_string()))?;
    let data = &bytes[LENGTH + header..];
    // its names again, borrowed from the file
    let names: BTreeMap<&str, IgnoredAny> =
        serde_json::from_slice(&bytes[LENGTH..LENGTH + header]).map_err(|error| broken(&error))?;
    let mut arena = Arena::default();
    let (mut entries, mut storages) = (Vec::new(), Vec::new());
    for name in names.into_keys() {
        let Some(info) = metadata.info(name) else {
            continue; // the metadata
        };
        let element = element(info.dtype).ok_or_else(|| {
            Error::tensor(name)
                .found(format_args!("stored as {:?}", info.dtype))
                .expected("floats or integers of whole bytes")
        })?;
        let (start, end) = info.data_offsets;
        let data = data
            .get(start..end)
            .ok_or_else(|| broken(&format_args!("tensor {name} passes its end")))?;
        let (storage, len) = (arena.storages.len(), data.len() / element.size());
        arena.storages.push(Storage {
            key: name,
            element,
            len,
        });
        arena.tensors.push(TensorRecord {
            storage,
            first: 0,
            end: len,
            strides: strides(&info.shape),
            shape: info.shape.clone(),
        });
        storages.push(StorageBytes { data, crc: 0 });
        let tensor = arena.tensors.len() - 1;
        let key = arena.add(Value::Text(name));
        entries.push((key, arena.add(Value::Tensor(tensor))));
    }
    if entries.is_empty() {
        return Err(broken(&"it has no tensors"));
    }
    let root = arena.add(Value::Dict(entries));
    Ok((arena, root, storages))
}

/// Of a row-major tensor.
fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1usize; shape.len()];
    for dim in (1..shape.len()).rev() {
        strides[dim - 1] = strides[dim].saturating_mul(shape[dim]);
    }
    strides
}

fn element(dtype: Dtype) -> Option<Element> {
    Some(match dtype {
        Dtype::F64 => Element::F64,
        Dtype::F32 => Element::F32,
        Dtype::F16 => Element::F16,
        Dtype::BF16 => Element::Bf16,
        Dtype::I64 => Element::I64,
        Dtype::I32 => Element::I32,
        Dtype::I16 => Element::I16,
        Dtype::I8 => Element::I8,
        Dtype::U8 => Element::U8,
        Dtype::BOOL => Element::Bool,
        _ => return None,
    })
}
