//! The result of a row: one JSON file each, from which the table can be generated at any time.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use biggan::metrics::RANDOM_CLASSES;
use biggan::truncation::Truncation;
use serde::{Deserialize, Serialize};

use super::rows::Row;
use crate::error::bad_usage;
use crate::recipe::plan::Plan;
use crate::records::number::{list_or_nan, number_or_nan};
use crate::run::atomic_file;

/// A finished row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowResult {
    /// Its name.
    pub row: String,
    /// What ran.
    pub plan: Plan,
    /// Why the run ended early, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// How the program that ran differed from this one, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// Every checkpoint, scored with few samples.
    pub points: Vec<Point>,
    /// The checkpoint with the lowest of these, scored with all samples; `None` without checkpoints.
    pub best: Option<Point>,
    /// The last checkpoint, scored with all samples.
    pub last: Option<Point>,
    /// Singular values at the end, largest first.
    pub spectra: Spectra,
    /// Of D at the end.
    pub accuracy: Option<Accuracy>,
    /// The last checkpoint over truncations, scored with few samples.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub truncations: Vec<TruncationPoint>,
    /// The protocol of the scores.
    pub protocol: Protocol,
    /// Training time over all invocations.
    pub train_secs: f64,
}

/// The score of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// Real images seen by D.
    pub images_seen: u64,
    /// Generator steps taken.
    pub g_step: u64,
    /// Frechet distance to the training images.
    #[serde(deserialize_with = "number_or_nan")]
    pub frechet: f64,
}

/// Before spectral norm divides.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spectra {
    /// Of G's first layer, the linear one.
    #[serde(deserialize_with = "list_or_nan")]
    pub generator_first: Vec<f32>,
    /// Of D's last convolution: its last layer has one row, and so one value.
    #[serde(deserialize_with = "list_or_nan")]
    pub discriminator_last: Vec<f32>,
}

/// Shares of real images with D(x) > 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accuracy {
    /// Training images that D has seen, the first of the run.
    pub training: f64,
    /// Test images.
    pub held_out: f64,
}

/// The score at a truncation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TruncationPoint {
    /// Off, or the threshold.
    pub truncation: Truncation,
    /// Frechet distance to the training images.
    #[serde(deserialize_with = "number_or_nan")]
    pub frechet: f64,
    /// Share of values with |x| > 0.99.
    #[serde(deserialize_with = "number_or_nan")]
    pub saturated: f64,
}

/// The protocol of the scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protocol {
    /// Name of the classifier.
    pub classifier: String,
    /// Samples of `best` and `last`.
    pub samples: usize,
    /// Samples of the other scores.
    pub samples_on_the_way: usize,
    /// Samples for the batch norm statistics of each model and truncation.
    pub statistics_samples: usize,
    /// Name of the data set.
    pub dataset: String,
    /// Training images, all of which are the reference.
    pub real_images: usize,
    /// Share of their values with |x| > 0.99.
    pub real_saturated: f64,
    /// How the classes of the samples are chosen.
    #[serde(default = "in_turn")]
    pub classes: String,
}

/// How earlier versions chose classes.
fn in_turn() -> String {
    "classes in turn".to_owned()
}

impl RowResult {
    /// The path of a row's result.
    pub fn path(out: &Path, row: &str) -> PathBuf {
        out.join(format!("{row}.json"))
    }

    /// The result of a row, if it exists.
    ///
    /// # Errors
    /// If the file cannot be read, or is of another row.
    pub fn read(out: &Path, row: &Row) -> Result<Option<Self>> {
        let path = Self::path(out, row.name);
        let named = || format!("result {}; remove it to run the row again", path.display());
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(named),
        };
        let result: Self = serde_json::from_slice(&text).with_context(named)?;
        if result.row != row.name {
            return Err(bad_usage(format!("it is that of row {:?}", result.row)))
                .with_context(named);
        }
        Ok(Some(result))
    }

    /// Refuses a result of another plan or of other scores than this row would have now.
    ///
    /// # Errors
    /// If they differ; the message names what differs.
    pub fn check(&self, plan: &Plan, samples: usize) -> Result<()> {
        let mut differences = self.plan.differences(plan);
        for (key, there, here) in [
            ("images", self.plan.run().images, plan.run().images),
            ("samples", self.protocol.samples as u64, samples as u64),
        ] {
            if there != here {
                differences.push(format!("{key} {there} -> {here}"));
            }
        }
        if differences.is_empty() {
            return Ok(());
        }
        Err(bad_usage(format!(
            "row {} is there already and differs: {}; choose another --out, or remove its result",
            self.row,
            differences.join(", ")
        )))
    }

    /// Refuses a result of another protocol than a row has that is measured now, so that no table compares the two.
    ///
    /// # Errors
    /// If the classes of its samples were chosen in another way.
    pub fn check_protocol(&self) -> Result<()> {
        let classes = &self.protocol.classes;
        if classes == RANDOM_CLASSES {
            return Ok(());
        }
        Err(bad_usage(format!(
            "row {} was scored with {classes}, a row would be scored now with {RANDOM_CLASSES}: they cannot be compared; \
             choose another --out, or give --table-only",
            self.row
        )))
    }

    /// Writes it.
    ///
    /// # Errors
    /// If the write fails.
    pub fn write(&self, out: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        atomic_file::write(&Self::path(out, &self.row), text.as_bytes())
    }
}
