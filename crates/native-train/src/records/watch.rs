//! A probe of a run's networks at a step.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::number::{number_or_nan, numbers_or_nan};

/// A probe of the networks.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Watch {
    /// Largest first, by weight: `generator.<name>` and `discriminator.<name>`, before spectral norm.
    #[serde(default, deserialize_with = "numbers_or_nan")]
    pub singular_values: BTreeMap<String, Vec<f32>>,
    /// D on images that it trains on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d_training: Option<Judgement>,
    /// D on images that it never sees; `None` if the data set has no test part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d_held_out: Option<Judgement>,
    /// D on fakes of the live G with the statistics of their batches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d_fakes: Option<Judgement>,
}

/// D's verdict on some images.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// How many.
    pub images: u64,
    /// Share that it classifies correctly: reals with D(x) > 0, fakes with D(x) < 0.
    pub accuracy: f64,
    /// Mean of D(x).
    #[serde(deserialize_with = "number_or_nan")]
    pub mean_logit: f64,
}

impl Judgement {
    /// The verdict from logits; `None` without images.
    pub(crate) fn of(logits: &[f32], real: bool) -> Option<Self> {
        let sign = if real { 1.0 } else { -1.0 };
        let right = logits.iter().filter(|&&logit| sign * logit > 0.0).count();
        let sum: f64 = logits.iter().map(|&logit| f64::from(logit)).sum();
        let images = logits.len() as f64;
        (!logits.is_empty()).then(|| Self {
            images: logits.len() as u64,
            accuracy: right as f64 / images,
            mean_logit: sum / images,
        })
    }
}
