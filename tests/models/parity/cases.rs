//! Inputs and expected outputs of a fixture, and comparisons.

use std::collections::BTreeMap;
use std::path::Path;

use biggan::file::decode;
use biggan::import::{Fate, Report};
use biggan::latent::one_hot;
use biggan::named::{HostTensor, HostTensors};
use burn::tensor::{Device, Tensor, TensorData};

/// Images and logits, absolute: f32 through about 20 layers (fixtures/README.md).
pub const FORWARD: f32 = 1e-4;

/// The cases: floats by name, and labels (i64) by name.
pub struct Cases {
    pub floats: HostTensors,
    labels: BTreeMap<String, Vec<usize>>,
    pub device: Device,
}

impl Cases {
    pub fn read(path: &Path, device: &Device) -> Self {
        let bytes = std::fs::read(path).expect("cases.safetensors");
        let file = safetensors::SafeTensors::deserialize(&bytes).expect("safetensors");
        let mut floats = Vec::new();
        let mut labels = BTreeMap::new();
        for (name, view) in file.tensors() {
            if view.dtype() == safetensors::Dtype::I64 {
                let values = view.data().chunks_exact(8).map(|b| {
                    usize::try_from(i64::from_le_bytes(b.try_into().expect("8 bytes")))
                        .expect("a label")
                });
                labels.insert(name, values.collect());
            } else {
                floats.push((name, view));
            }
        }
        let floats = safetensors::serialize(floats, None).expect("safetensors");
        Self {
            floats: decode(&floats).expect("float cases").tensors,
            labels,
            device: device.clone(),
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.floats.0.contains_key(name)
    }

    pub fn tensor<const D: usize>(&self, name: &str) -> Tensor<D> {
        let tensor = &self.floats.0[name];
        let shape: [usize; D] = tensor.shape.clone().try_into().expect("the rank");
        Tensor::from_data(TensorData::new(tensor.values.clone(), shape), &self.device)
    }

    pub fn classes(&self, name: &str, classes: usize) -> Tensor<2> {
        one_hot(&self.labels[name], classes, &self.device)
    }

    pub fn values(&self, name: &str) -> &[f32] {
        &self.floats.0[name].values
    }

    /// All tensors under a prefix, by our names, which an import's report knows.
    pub fn under(&self, prefix: &str, report: &Report) -> HostTensors {
        let ours: BTreeMap<&str, &Fate> = report
            .lines
            .iter()
            .map(|line| (line.name.as_str(), &line.fate))
            .collect();
        let tensors = self.floats.clone().take_under(prefix).0.into_iter();
        HostTensors(
            tensors
                .filter_map(|(name, tensor)| match ours[name.as_str()] {
                    Fate::Stored { name: ours, .. } => {
                        Some((ours.clone(), our_shape(ours, tensor)))
                    }
                    _ => None,
                })
                .collect(),
        )
    }
}

/// Singular vectors are `[1, out]` there and `[out]` here; gamma is 0-dimensional there.
fn our_shape(name: &str, mut tensor: HostTensor) -> HostTensor {
    if name.ends_with(".u") || name.ends_with(".gamma") {
        tensor.shape = vec![tensor.values.len()];
    }
    tensor
}

pub fn max_error(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    found
        .iter()
        .zip(expected)
        .map(|(a, b)| {
            if a.is_finite() {
                (a - b).abs()
            } else {
                f32::INFINITY
            }
        })
        .fold(0.0, f32::max)
}

pub fn close(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    let error = max_error(found, expected);
    println!("  {what}: error {error:.1e}");
    assert!(
        error <= tolerance,
        "{what}: error {error} above {tolerance}"
    );
}
