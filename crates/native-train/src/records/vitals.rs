//! The collapse detector's inputs besides the losses.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::number::{named_or_nan, number_or_nan};

/// Measurements of the networks.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Vitals {
    /// Largest singular value, before spectral norm, of `generator.linear.weight` and of every weight of
    /// D, `discriminator.<name>`.
    #[serde(deserialize_with = "named_or_nan")]
    pub sigma: BTreeMap<String, f32>,
    /// Variance between samples of the same class of G itself, not its average: of each value of a pixel
    /// in [-1, 1], averaged over pixels and classes.
    #[serde(deserialize_with = "number_or_nan")]
    pub sample_variance: f64,
}
