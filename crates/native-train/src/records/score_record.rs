//! One line of `scores.jsonl`.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::number::number_or_nan;

/// One line of `scores.jsonl`. Numbers that are not finite are null, as in [`LogRecord`](super::log_record::LogRecord).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreRecord {
    /// Generator steps taken.
    pub g_step: u64,
    /// Real images seen by D.
    pub images_seen: u64,
    /// Frechet distance of the samples to all training images, in the classifier's features.
    #[serde(deserialize_with = "number_or_nan")]
    pub frechet: f64,
    /// Share of the samples that the classifier puts into their class.
    #[serde(deserialize_with = "number_or_nan")]
    pub recognised: f64,
    /// Spread within a class, divided by that of real images; none if no class has two samples or two real images
    /// that differ.
    pub spread: Option<f64>,
    /// The protocol of the numbers.
    pub protocol: String,
    /// What makes them say less than they seem to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

impl fmt::Display for ScoreRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} images: Frechet distance {:.3}, recognised {:.1} %, spread ",
            self.images_seen,
            self.frechet,
            self.recognised * 100.0,
        )?;
        match self.spread {
            Some(spread) => write!(f, "{spread:.3}"),
            None => f.write_str("none"),
        }
    }
}
