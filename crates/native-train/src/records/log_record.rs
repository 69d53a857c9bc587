//! One line of `log.jsonl`.

use serde::{Deserialize, Serialize};

use super::number::number_or_nan;
use super::probe_record::ProbeRecord;
use super::vitals::Vitals;
use crate::memory::Memory;

/// One line: means over the steps since the previous line, unless stated otherwise. JSON has no
/// values that are not finite: they are written as null and read as NaN. docs/watching.md says how to
/// read each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogRecord {
    /// Generator steps taken.
    pub g_step: u64,
    /// Real images seen by D.
    pub images_seen: u64,
    /// Loss of D.
    #[serde(deserialize_with = "number_or_nan")]
    pub loss_d: f64,
    /// Loss of G.
    #[serde(deserialize_with = "number_or_nan")]
    pub loss_g: f64,
    /// Logit of real images.
    #[serde(deserialize_with = "number_or_nan")]
    pub d_real: f64,
    /// Logit of fake images.
    #[serde(deserialize_with = "number_or_nan")]
    pub d_fake: f64,
    /// Norm of the gradient of the whole of D at the last of its steps, regularisers included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradient_norm_d: Option<f64>,
    /// Norm of the gradient of the whole of G at the last step, regularisers included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradient_norm_g: Option<f64>,
    /// Speed, real images seen by D.
    #[serde(deserialize_with = "number_or_nan")]
    pub images_per_sec: f64,
    /// Speed of each rank without waiting for the others, if several train together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images_per_sec_of_ranks: Option<Vec<f64>>,
    /// Time since the start of the run, without the pauses between its parts.
    #[serde(deserialize_with = "number_or_nan")]
    pub elapsed_secs: f64,
    /// Memory of the process, if the system reports it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
    /// A probe of the networks at this step, if the plan has them.
    #[serde(rename = "watch", default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<ProbeRecord>,
    /// The collapse detector's inputs besides the losses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vitals: Option<Vitals>,
}
