//! What a probe of the networks found at a step of a run.

use std::collections::BTreeMap;

use biggan::train::probe::Judgement;
use serde::{Deserialize, Serialize};

use super::number::numbers_or_nan;

/// What a probe found.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ProbeRecord {
    /// Largest first, by weight: `generator.<name>` and `discriminator.<name>`, before spectral norm.
    #[serde(default, deserialize_with = "numbers_or_nan")]
    pub singular_values: BTreeMap<String, Vec<f32>>,
    /// D on images that it trains on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d_training: Option<Judgement>,
    /// D on images that it never sees; none where the data set has no test part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d_held_out: Option<Judgement>,
    /// D on fakes of the live G with the statistics of their batches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d_fakes: Option<Judgement>,
}
