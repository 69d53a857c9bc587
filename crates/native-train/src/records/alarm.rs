//! An alarm of the collapse detector.

use serde::{Deserialize, Serialize};

/// The signal that fired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// The largest singular value of a layer left its running median.
    SigmaJump,
    /// D's loss is near 0 and its logits are far apart.
    DiscriminatorWins,
    /// D's logits of reals and fakes agree.
    DiscriminatorLoses,
    /// G's loss runs away.
    GeneratorLoss,
    /// The samples of a class have become alike.
    SampleVariance,
    /// The score has worsened.
    WorseScore,
    /// A value is not finite.
    NotFinite,
}

/// An alarm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alarm {
    /// The signal.
    pub signal: Signal,
    /// In words.
    pub what: String,
    /// The value; none where it is not finite.
    pub value: Option<f64>,
    /// What it may be; none where it is not finite.
    pub threshold: Option<f64>,
    /// Generator steps taken.
    pub g_step: u64,
    /// Real images seen by D.
    pub images_seen: u64,
    /// Images seen when the value last looked healthy.
    pub since_images: u64,
}

impl Alarm {
    /// A value that is not finite.
    pub fn not_finite(g_step: u64, images_seen: u64, since_images: u64, what: &str) -> Self {
        Self {
            signal: Signal::NotFinite,
            what: what.to_owned(),
            value: None,
            threshold: None,
            g_step,
            images_seen,
            since_images,
        }
    }
}
