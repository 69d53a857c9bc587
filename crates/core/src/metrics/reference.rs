//! Mean and covariance of a reference set, stored in a file with what they were computed from.

use std::collections::HashMap;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use super::protocol::short;
use super::{NetworkInfo, Normal};
use crate::error::{Error, Result};
use crate::file::{DatasetInfo, LISTING};

/// Metadata key of the info: the only key, so that the same content always gives the same bytes.
const KEY: &str = "biggan-reference";
/// Tensors of the file.
const MEAN: &str = "mean";
const COVARIANCE: &str = "covariance";

/// What the statistics were computed from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferenceInfo {
    /// Name of the feature network.
    pub network: String,
    /// SHA-256 of its file.
    pub network_sha256: String,
    /// How pictures are resized to the network's input.
    pub resizer: String,
    /// Side of the pictures before that.
    pub resolution: usize,
    /// The data set.
    pub dataset: DatasetInfo,
    /// Which part of it.
    pub split: String,
    /// Number of images.
    pub count: usize,
}

/// Statistics of a reference set.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    /// What they were computed from.
    pub info: ReferenceInfo,
    /// Mean and covariance.
    pub normal: Normal,
}

impl ReferenceInfo {
    /// For a data set at a resolution, seen by a network.
    pub fn new(
        network: &NetworkInfo,
        resolution: usize,
        dataset: DatasetInfo,
        split: &str,
        count: usize,
    ) -> Self {
        Self {
            network: network.name.clone(),
            network_sha256: network.sha256.clone(),
            resizer: network.input.to_string(),
            resolution,
            dataset,
            split: split.to_owned(),
            count,
        }
    }

    /// Refuses statistics that a score of `expected` cannot be measured against.
    ///
    /// Data sets are compared by their checksums, or by name where they have none of the same kind.
    ///
    /// # Errors
    /// If network, resizer, resolution or data set differ; the message names what and both protocols.
    pub fn check(&self, expected: &Self) -> Result<()> {
        let (ours, wanted) = (&self.dataset, &expected.dataset);
        let same_data = ours.same_images(wanted);
        let same_data = same_data.unwrap_or(ours.name == wanted.name);
        let what = if self.network_sha256 != expected.network_sha256 {
            "another network"
        } else if self.resizer != expected.resizer {
            "another resizer"
        } else if self.resolution != expected.resolution {
            "another resolution"
        } else if !same_data {
            "another data set"
        } else {
            return Ok(());
        };
        Err(Error::request("the reference")
            .found(format_args!("of {what}: [{self}]"))
            .expected(format_args!("[{expected}], by the model"))
            .remedy("recompute it with `native-train reference`"))
    }
}

/// The protocol on one line.
impl std::fmt::Display for ReferenceInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let data = self.dataset.sha256.first().map_or("no checksum", |sha256| {
            short(sha256.trim_start_matches(LISTING))
        });
        write!(
            f,
            "{} {} n={} ({}), {4}x{4} {5}, network {6} {7}",
            self.dataset.name,
            self.split,
            self.count,
            data,
            self.resolution,
            self.resizer,
            self.network,
            short(&self.network_sha256)
        )
    }
}

impl Reference {
    /// The bytes of the file: safetensors with f64 values.
    ///
    /// # Errors
    /// If the info cannot be written as JSON.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let failed = |error: &dyn std::fmt::Display| {
            Error::file("the reference statistics").not_writable(error)
        };
        let info = serde_json::to_string(&self.info).map_err(|error| failed(&error))?;
        let bytes =
            |values: &[f64]| -> Vec<u8> { values.iter().flat_map(|v| v.to_le_bytes()).collect() };
        let dim = self.normal.dim();
        let (mean, covariance) = (bytes(self.normal.mean()), bytes(self.normal.covariance()));
        let views = [
            (MEAN, vec![dim], &mean),
            (COVARIANCE, vec![dim, dim], &covariance),
        ];
        let views: Vec<(&str, TensorView<'_>)> = views
            .into_iter()
            .map(|(name, shape, data)| Ok((name, TensorView::new(Dtype::F64, shape, data)?)))
            .collect::<core::result::Result<_, safetensors::SafeTensorError>>()
            .map_err(|error| failed(&error))?;
        let metadata = HashMap::from([(KEY.to_owned(), info)]);
        safetensors::serialize(views, Some(metadata)).map_err(|error| failed(&error))
    }

    /// Reads the file.
    ///
    /// # Errors
    /// If it is truncated, of another kind, or its numbers are not a mean and covariance.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let refused = |problem: String| {
            Error::file(format_args!("the file of {} bytes", bytes.len()))
                .found(format_args!("not reference statistics: {problem}"))
                .remedy("make them with `native-train reference`")
        };
        let file = SafeTensors::deserialize(bytes).map_err(|error| refused(error.to_string()))?;
        let (_, header) =
            SafeTensors::read_metadata(bytes).map_err(|error| refused(error.to_string()))?;
        let metadata = header.metadata().as_ref();
        let field = |key: &str| metadata.and_then(|all| all.get(key));
        let info = field(KEY).ok_or_else(|| {
            let format = field("format").map_or("not stated", String::as_str);
            refused(format!("its format is {format}, expected {KEY}"))
        })?;
        let info: ReferenceInfo = serde_json::from_str(info)
            .map_err(|error| refused(format!("its info is not readable: {error}")))?;
        let values = |name: &str| -> Result<Vec<f64>> {
            let tensor = file
                .tensor(name)
                .map_err(|error| refused(error.to_string()))?;
            if tensor.dtype() != Dtype::F64 {
                return Err(refused(format!(
                    "{name} is {:?}, expected F64",
                    tensor.dtype()
                )));
            }
            let (values, _) = tensor.data().as_chunks::<8>();
            Ok(values
                .iter()
                .map(|&bytes| f64::from_le_bytes(bytes))
                .collect())
        };
        Ok(Self {
            normal: Normal::new(values(MEAN)?, values(COVARIANCE)?)?,
            info,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info() -> ReferenceInfo {
        ReferenceInfo {
            network: "tiny".into(),
            network_sha256: "0123456789abcdef".into(),
            resizer: "not resized".into(),
            resolution: 32,
            dataset: DatasetInfo {
                name: "some".into(),
                images: 5,
                sha256: vec!["fedcba9876543210".into()],
                source: None,
            },
            split: "train".into(),
            count: 5,
        }
    }

    #[test]
    fn every_digit_survives_and_the_same_content_is_the_same_bytes() {
        let reference = Reference {
            info: info(),
            normal: Normal::new(vec![0.1, 1.0 / 3.0], vec![2.0, 1e-9, 1e-9, 0.7]).unwrap(),
        };
        let bytes = reference.encode().unwrap();
        assert_eq!(bytes, reference.encode().unwrap());
        assert_eq!(Reference::decode(&bytes).unwrap(), reference);
        for len in [0, 7, 40, bytes.len() - 1] {
            assert!(Reference::decode(&bytes[..len]).is_err(), "{len}");
        }
    }

    #[test]
    fn another_protocol_is_refused_with_both() {
        let expected = info();
        expected.check(&expected).unwrap();
        let refused = |change: &dyn Fn(&mut ReferenceInfo), what: &str| {
            let mut other = info();
            change(&mut other);
            let message = other.check(&expected).unwrap_err().to_string();
            for part in [what, &other.to_string(), &expected.to_string()] {
                assert!(message.contains(part), "{message} lacks {part}");
            }
        };
        refused(&|i| i.network_sha256 = "f00".into(), "another network");
        refused(&|i| i.resizer = "resized".into(), "another resizer");
        refused(&|i| i.resolution = 64, "another resolution");
        refused(&|i| i.dataset.sha256[0] = "f00".into(), "another data set");
        // by name where one has no checksum
        let mut plain = info();
        plain.dataset.sha256.clear();
        plain.check(&expected).unwrap();
        plain.dataset.name = "other".into();
        assert!(plain.check(&expected).is_err());
    }
}
