//! The model file: everything that sampling needs, in one safetensors file.
//!
//! Weights are those of the averaged generator with spectral norm folded in; batch norm statistics
//! stand in tables with one row a truncation ("stats.<layer>.mean", `[rows, c]`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::container::{Dtype, decode, encode_with};
use crate::config::GeneratorConfig;
use crate::error::{Error, Result};
use crate::named::HostTensors;
use crate::truncation::Truncation;

/// Value of the metadata key `format`.
pub const FORMAT: &str = "biggan";
/// Value of the metadata key `format_version` that this program writes and reads.
pub const FORMAT_VERSION: &str = "1";

/// What stands in the metadata key `config`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelInfo {
    /// Architecture; `spectral_norm` is false, since it is folded in.
    pub generator: GeneratorConfig,
    /// A name for each class, in the order of the labels.
    pub class_names: Vec<String>,
    /// Truncations of the statistics.
    pub statistics: StatisticsTable,
    /// What it was trained on.
    pub dataset: DatasetInfo,
    /// How it was trained.
    pub provenance: Provenance,
    /// Scores by protocol, e.g. `"FD-fashion-cnn n=5000 ref=train truncation=off": 12.3`.
    #[serde(default)]
    pub scores: BTreeMap<String, f64>,
}

/// Rows of the statistics and how they came about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatisticsTable {
    /// Truncation of each row; `null` is off.
    pub truncations: Vec<Truncation>,
    /// Samples behind each row.
    pub samples: usize,
}

/// Data set of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetInfo {
    /// Name.
    pub name: String,
    /// Training images.
    pub images: usize,
    /// SHA-256 of the decompressed files, in the order they were read.
    pub sha256: Vec<String>,
}

/// Where a model comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Program and version.
    pub program: String,
    /// Name of the recipe.
    pub recipe: String,
    /// Real images seen by D.
    pub images_seen: u64,
    /// Generator steps.
    pub g_step: u64,
    /// Seed of the run.
    pub seed: u64,
    /// Weight of the initial weights in the average.
    pub ema_initial_share: f64,
}

/// A model file in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelFile {
    /// Metadata.
    pub info: ModelInfo,
    /// Weights, and `stats.<layer>.{mean,variance}` tables `[rows, c]`.
    pub tensors: HostTensors,
}

impl ModelFile {
    /// The bytes of the file, with weights of the given type. Statistics are few and small: they
    /// stay f32.
    ///
    /// # Errors
    /// As [`encode_with`].
    pub fn encode(&self, dtype: Dtype) -> Result<Vec<u8>> {
        let config = serde_json::to_string(&self.info)
            .map_err(|error| Error::File(format!("writing the model's config failed: {error}")))?;
        let metadata = BTreeMap::from([
            ("format".to_owned(), FORMAT.to_owned()),
            ("format_version".to_owned(), FORMAT_VERSION.to_owned()),
            ("config".to_owned(), config),
        ]);
        encode_with(&self.tensors, &metadata, |name| {
            if name.starts_with("stats.") {
                Dtype::F32
            } else {
                dtype
            }
        })
    }

    /// Reads and checks a model file.
    ///
    /// # Errors
    /// If it is cut short, of another format or version, or its config is not valid; the message
    /// names both values.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let stored = decode(bytes)?;
        let field = |key: &str| stored.metadata.get(key).map(String::as_str);
        match field("format") {
            Some(FORMAT) => {}
            other => {
                return Err(Error::File(format!(
                    "not a model of this program: its format is {}, expected {FORMAT:?}; make one \
                     with `native-train export`",
                    other.map_or_else(|| "not stated".to_owned(), |found| format!("{found:?}")),
                )));
            }
        }
        match field("format_version") {
            Some(FORMAT_VERSION) => {}
            other => {
                return Err(Error::File(format!(
                    "the model's format_version is {}, this program reads {FORMAT_VERSION:?}; \
                     export the model again, or use a matching version of the program",
                    other.unwrap_or("missing"),
                )));
            }
        }
        let config = field("config")
            .ok_or_else(|| Error::File("the model has no config in its metadata".into()))?;
        let info: ModelInfo = serde_json::from_str(config)
            .map_err(|error| Error::File(format!("the model's config is not readable: {error}")))?;
        info.generator.validate()?;
        if info.class_names.len() != info.generator.classes {
            return Err(Error::File(format!(
                "the model names {} classes but its generator has {}",
                info.class_names.len(),
                info.generator.classes
            )));
        }
        if info.statistics.truncations.is_empty() {
            return Err(Error::File(
                "the model's statistics table has no rows".into(),
            ));
        }
        Ok(Self {
            info,
            tensors: stored.tensors,
        })
    }
}
