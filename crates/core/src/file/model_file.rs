//! The model file: everything that sampling needs, in one safetensors file (or in several:
//! [`shards`](super::shards)).
//!
//! Weights are those of the averaged generator with spectral norm folded in; batch norm statistics
//! are tables with one row per truncation (`stats.<layer>.mean`, `[rows, c]`).

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::container::{Dtype, encode_with, open, replace_metadata};
use super::quantised::{dtype_of, stored};
use crate::class_names::ClassNames;
use crate::config::GeneratorConfig;
use crate::error::{Error, Result};
use crate::named::HostTensors;
use crate::truncation::{Truncation, TruncationKind};

/// Value of the metadata key `format`.
pub const FORMAT: &str = "biggan";
/// Value of the metadata key `format_version` that this program writes and reads.
pub const FORMAT_VERSION: &str = "1";
/// Value of the metadata key `format` of a file that holds a part of a model's tensors.
pub(super) const SHARD_FORMAT: &str = "biggan-shard";

/// The content of the metadata key `config`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelInfo {
    /// Architecture; `spectral_norm` is false, since it is folded in.
    pub generator: GeneratorConfig,
    /// A name for each class, in the order of the labels.
    pub class_names: Vec<String>,
    /// An id for each class in an external vocabulary (WordNet's, e.g. `n02099601`); empty if there is
    /// none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class_ids: Vec<String>,
    /// What the thresholds of the statistics, and of requests, mean.
    #[serde(default)]
    pub truncation_kind: TruncationKind,
    /// Truncations of the statistics.
    pub statistics: StatisticsTable,
    /// What it was trained on.
    pub dataset: DatasetInfo,
    /// How it was trained.
    pub provenance: Provenance,
    /// Scores by protocol, e.g. `"FD-fashion-cnn n=5000 ref=train truncation=off": 12.3`. JSON has no numbers that are
    /// not finite: such scores are not stored, and null, which older programs wrote for them, is passed over.
    #[serde(
        default,
        serialize_with = "write_finite",
        deserialize_with = "read_finite"
    )]
    pub scores: BTreeMap<String, f64>,
}

fn write_finite<S: Serializer>(
    scores: &BTreeMap<String, f64>,
    serializer: S,
) -> core::result::Result<S::Ok, S::Error> {
    serializer.collect_map(scores.iter().filter(|(_, score)| score.is_finite()))
}

fn read_finite<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> core::result::Result<BTreeMap<String, f64>, D::Error> {
    let read = BTreeMap::<String, Option<f64>>::deserialize(deserializer)?;
    let mut finite = BTreeMap::new();
    for (name, score) in read {
        // one by one: to collect them takes a sort, 10 kB of wasm
        if let Some(score) = score {
            finite.insert(name, score);
        }
    }
    Ok(finite)
}

/// Rows of the statistics, and the number of samples they were computed from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatisticsTable {
    /// Truncation of each row; `null` is off, 0 is z = 0.
    pub truncations: Vec<Truncation>,
    /// Samples per row.
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
    /// SHA-256 of the decompressed files, in the order they were read. For folders of pictures: one of all
    /// names and contents, if these were read, and one, prefixed with [`LISTING`], of all names and sizes.
    pub sha256: Vec<String>,
    /// How they were read, so that they can be found again; unknown of imported models and older files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<DataSource>,
}

/// How images were read for training.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSource {
    /// Kind of the data set, `data.dataset` of the recipe.
    pub dataset: String,
    /// Name of its directory, if the recipe named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// Side in pixels of the networks that they were read for.
    pub resolution: usize,
    /// The keys of the recipe's section that change pixels (`fit`, `background`), where they were given.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub preparation: BTreeMap<String, String>,
}

/// Prefix of a SHA-256 of the names and sizes of files.
pub const LISTING: &str = "names-and-sizes:";

impl DatasetInfo {
    /// Whether both have the same images: by contents if both have that checksum, otherwise by names and sizes
    /// of files; `None` if they have no checksum of the same kind.
    pub fn same_images(&self, other: &Self) -> Option<bool> {
        let known = |info: &Self, listing: bool| -> Vec<String> {
            let kind = |sha256: &&String| sha256.starts_with(LISTING) == listing;
            info.sha256.iter().filter(kind).cloned().collect()
        };
        [false, true].into_iter().find_map(|listing| {
            let (ours, theirs) = (known(self, listing), known(other, listing));
            (!ours.is_empty() && !theirs.is_empty()).then(|| ours == theirs)
        })
    }
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
    /// The foreign file that it was imported from; the numbers above are then 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<ImportedFrom>,
}

/// A foreign file of weights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportedFrom {
    /// The program that wrote it, by the name of [`crate::import::Source`].
    pub source: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

/// A model file in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelFile {
    /// Metadata.
    pub info: ModelInfo,
    /// Weights, and `stats.<layer>.{mean,variance}` tables `[rows, c]`.
    pub tensors: HostTensors,
}

impl ModelInfo {
    /// The classes, by what people type.
    pub fn classes(&self) -> ClassNames<'_> {
        ClassNames {
            names: &self.class_names,
            ids: &self.class_ids,
        }
    }

    /// The metadata of a file with this info.
    pub(super) fn metadata(&self) -> Result<BTreeMap<String, String>> {
        let unwritable =
            |error: serde_json::Error| Error::file("the model's config").not_writable(error);
        let config = serde_json::to_string(self).map_err(unwritable)?;
        // what cannot be read again, such as a number that is not finite, is not written
        serde_json::from_str::<Self>(&config).map_err(unwritable)?;
        Ok(BTreeMap::from([
            ("format".to_owned(), FORMAT.to_owned()),
            ("format_version".to_owned(), FORMAT_VERSION.to_owned()),
            ("config".to_owned(), config),
        ]))
    }

    pub(super) fn from_metadata(metadata: &BTreeMap<String, String>) -> Result<Self> {
        let field = |key: &str| metadata.get(key).map(String::as_str);
        check_format(field("format"), field("format_version"))?;
        let config = field("config")
            .ok_or_else(|| Error::file("the model's config").found("missing from its metadata"))?;
        let info: Self = serde_json::from_str(config)
            .map_err(|error| Error::file("the model's config").not_readable(error))?;
        info.check()?;
        Ok(info)
    }

    /// Refuses what contradicts itself.
    pub(super) fn check(&self) -> Result<()> {
        self.generator.validate()?;
        let classes = self.generator.classes;
        if self.class_names.len() != classes {
            return Err(Error::file("the number of class names")
                .found(self.class_names.len())
                .expected(format_args!("{classes}, the generator's classes")));
        }
        if ![0, classes].contains(&self.class_ids.len()) {
            return Err(Error::file("the number of class ids")
                .found(self.class_ids.len())
                .expected(format_args!("0 or {classes}, the generator's classes")));
        }
        if self.statistics.truncations.is_empty() {
            return Err(Error::file("the model's statistics table").found("empty"));
        }
        Ok(())
    }
}

/// Refuses files that are not models of this program and version.
pub(super) fn check_format(format: Option<&str>, version: Option<&str>) -> Result<()> {
    match format {
        Some(FORMAT) => {}
        Some(SHARD_FORMAT) => {
            return Err(Error::file("the file")
                .found("one shard of a model")
                .remedy("give the model's .safetensors.index.json, which lies next to it"));
        }
        other => {
            return Err(Error::file("the file's format")
                .found(other.map_or_else(|| "not stated".to_owned(), |found| format!("{found:?}")))
                .expected(format_args!("{FORMAT:?}"))
                .remedy("make a model with `native-train export`"));
        }
    }
    match version {
        Some(FORMAT_VERSION) => Ok(()),
        other => Err(Error::file("the model's format_version")
            .found(other.unwrap_or("missing"))
            .expected(FORMAT_VERSION)
            .remedy("export the model again, or use a matching version of the program")),
    }
}

impl ModelFile {
    /// The bytes of the file, with weights of the given type.
    ///
    /// # Errors
    /// As [`encode_with`].
    pub fn encode(&self, dtype: Dtype) -> Result<Vec<u8>> {
        let tensors = stored(&self.tensors, dtype);
        encode_with(&tensors, &self.info.metadata()?, |name| {
            dtype_of(name, dtype, &tensors)
        })
    }

    /// The bytes of a model file with another info; the tensors stay unchanged, bit for bit.
    ///
    /// # Errors
    /// If the bytes are not a model file.
    pub fn replace_info(bytes: &[u8], info: &ModelInfo) -> Result<Vec<u8>> {
        ModelInfo::from_metadata(&open(bytes)?.metadata)?;
        replace_metadata(bytes, &info.metadata()?)
    }
}

#[cfg(test)]
pub(super) mod tests;
