//! Named tensors and metadata to and from safetensors bytes.

use std::collections::{BTreeMap, HashMap};

use half::f16;
use safetensors::tensor::{Dtype as StDtype, SafeTensors, TensorView};

use crate::error::{Error, Result};
use crate::named::{HostTensor, HostTensors};

/// Type of the stored values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dtype {
    /// 32-bit floats.
    F32,
    /// 16-bit floats.
    F16,
}

/// What a file held.
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
/// If a value is too large for the type (f16), or the writer refuses a name.
pub fn encode_with(
    tensors: &HostTensors,
    metadata: &BTreeMap<String, String>,
    dtype_of: impl Fn(&str) -> Dtype,
) -> Result<Vec<u8>> {
    let mut bytes: Vec<(&str, &[usize], Dtype, Vec<u8>)> = Vec::with_capacity(tensors.0.len());
    for (name, tensor) in &tensors.0 {
        let dtype = dtype_of(name);
        bytes.push((name, &tensor.shape, dtype, to_bytes(name, tensor, dtype)?));
    }
    let views = bytes
        .iter()
        .map(|(name, shape, dtype, data)| {
            let dtype = match dtype {
                Dtype::F32 => StDtype::F32,
                Dtype::F16 => StDtype::F16,
            };
            TensorView::new(dtype, shape.to_vec(), data)
                .map(|view| (*name, view))
                .map_err(|error| Error::tensor(*name, error.to_string()))
        })
        .collect::<Result<Vec<_>>>()?;
    let metadata: HashMap<String, String> = metadata
        .iter()
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    safetensors::serialize(views, Some(metadata))
        .map_err(|error| Error::File(format!("writing safetensors failed: {error}")))
}

/// Type of a file's weights: f16 if any tensor is stored so.
///
/// # Errors
/// As [`decode`].
pub fn weights_dtype(bytes: &[u8]) -> Result<Dtype> {
    let (_, header) = SafeTensors::read_metadata(bytes)
        .map_err(|error| Error::File(format!("not a safetensors file: {error}")))?;
    let half = header
        .tensors()
        .values()
        .any(|info| info.dtype == StDtype::F16);
    Ok(if half { Dtype::F16 } else { Dtype::F32 })
}

fn to_bytes(name: &str, tensor: &HostTensor, dtype: Dtype) -> Result<Vec<u8>> {
    if dtype == Dtype::F32 {
        return Ok(tensor.values.iter().flat_map(|v| v.to_le_bytes()).collect());
    }
    let mut bytes = Vec::with_capacity(tensor.values.len() * 2);
    for &value in &tensor.values {
        let half = f16::from_f32(value);
        if value.is_finite() && !half.is_finite() {
            return Err(Error::tensor(
                name,
                format!("holds {value}, which f16 (at most 65504) cannot; store it as f32"),
            ));
        }
        bytes.extend(half.to_le_bytes());
    }
    Ok(bytes)
}

/// The inverse of [`encode`].
///
/// # Errors
/// If the bytes are no safetensors file, are cut short, or hold another type than f32 and f16.
pub fn decode(bytes: &[u8]) -> Result<StoredTensors> {
    let broken = |error: &dyn std::fmt::Display| {
        Error::File(format!(
            "not a whole safetensors file of {} bytes: {error}; fetch or export it again",
            bytes.len()
        ))
    };
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| broken(&error))?;
    let file = SafeTensors::deserialize(bytes).map_err(|error| broken(&error))?;
    let mut tensors = BTreeMap::new();
    for (name, view) in file.tensors() {
        let data = view.data();
        let values = match view.dtype() {
            StDtype::F32 => data
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect(),
            StDtype::F16 => data
                .chunks_exact(2)
                .map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32())
                .collect(),
            other => {
                return Err(Error::tensor(
                    name,
                    format!("is stored as {other:?}; only F32 and F16 are read"),
                ));
            }
        };
        let shape = view.shape().to_vec();
        tensors.insert(name, HostTensor { shape, values });
    }
    let metadata = header.metadata().clone().unwrap_or_default();
    Ok(StoredTensors {
        tensors: HostTensors(tensors),
        metadata: metadata.into_iter().collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> HostTensors {
        HostTensors(BTreeMap::from([(
            "w".to_owned(),
            HostTensor {
                shape: vec![2, 2],
                values: vec![1.0, -0.5, 0.25, 3.0],
            },
        )]))
    }

    #[test]
    fn round_trips() {
        let metadata = BTreeMap::from([("format".to_owned(), "test".to_owned())]);
        for dtype in [Dtype::F32, Dtype::F16] {
            let bytes = encode(&sample(), &metadata, dtype).unwrap();
            let back = decode(&bytes).unwrap();
            assert_eq!(back.tensors, sample());
            assert_eq!(back.metadata, metadata);
        }
    }

    #[test]
    fn every_cut_is_an_error() {
        let bytes = encode(&sample(), &BTreeMap::new(), Dtype::F32).unwrap();
        for len in 0..bytes.len() {
            assert!(decode(&bytes[..len]).is_err(), "cut at {len}");
        }
    }

    #[test]
    fn f16_refuses_what_it_cannot_hold() {
        let mut tensors = sample();
        tensors.0.get_mut("w").unwrap().values[0] = 1e6;
        let message = encode(&tensors, &BTreeMap::new(), Dtype::F16)
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("tensor w") && message.contains("65504"),
            "{message}"
        );
    }
}
