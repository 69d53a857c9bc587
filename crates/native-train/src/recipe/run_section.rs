//! `[run]` of a recipe: how long a run lasts, and what is written when.

use biggan::Error;
use serde::{Deserialize, Serialize};

use crate::recipe::collapse_section::CollapseSection;
use crate::recipe::keep_section::KeepSection;
use crate::recipe::score_section::ScoreSection;

/// Most samples of a score: their features are held in memory.
const MAX_SAMPLES: usize = 100_000;

/// How long a run lasts, and what is written when. These values may change on resume.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSection {
    /// Real images that D sees in the whole run.
    pub images: u64,
    /// Images between checkpoints.
    pub checkpoint_every_images: u64,
    /// Images between sample sheets.
    pub sample_every_images: u64,
    /// Generator steps between lines of the log.
    pub log_every_steps: u64,
    /// Generator steps between probes of the networks (singular values of all layers, D's accuracy), a multiple of
    /// `log_every_steps`; no probes by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch_every_steps: Option<u64>,
    /// Images of the training part, and of the test part, in D's accuracy at a probe.
    #[serde(default = "half_a_thousand")]
    pub watch_images: usize,
    /// Also write events for TensorBoard, to `tensorboard/` in the directory of the run: the numbers of the log and of
    /// scores, sheets of samples, histograms of singular values.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tensorboard: bool,
    /// Number of newest checkpoints that are kept.
    #[serde(default = "three")]
    pub keep_checkpoints: usize,
    /// Which other checkpoints are kept.
    #[serde(default)]
    pub keep: KeepSection,
    /// Scores during training; none by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<ScoreSection>,
    /// What counts as collapse, and the response.
    #[serde(default)]
    pub collapse: CollapseSection,
}

fn half_a_thousand() -> usize {
    512
}

fn three() -> usize {
    3
}

impl RunSection {
    /// Checks the values.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](biggan::ErrorKind::Config) naming the key, its value and the range.
    pub fn validate(&self) -> Result<(), Error> {
        let score = self.score.as_ref();
        let optional = |key, value: Option<u64>| value.map(|value| (key, value));
        for (key, value) in [
            ("run.images", self.images),
            ("run.checkpoint_every_images", self.checkpoint_every_images),
            ("run.sample_every_images", self.sample_every_images),
            ("run.log_every_steps", self.log_every_steps),
            ("run.watch_images", self.watch_images as u64),
            ("run.keep_checkpoints", self.keep_checkpoints as u64),
            ("run.keep.best", self.keep.best as u64),
        ]
        .into_iter()
        .chain(optional("run.keep.every_images", self.keep.every_images))
        .chain(optional(
            "run.score.every_images",
            score.map(|s| s.every_images),
        )) {
            if value == 0 {
                return Err(Error::config(key).found(0).expected("1 or more"));
            }
        }
        if let Some(samples) = score.map(|s| s.samples)
            && !(2..=MAX_SAMPLES).contains(&samples)
        {
            return Err(Error::config("run.score.samples")
                .found(samples)
                .expected(format_args!("2 to {MAX_SAMPLES}")));
        }
        self.collapse.validate()?;
        let logged = |watch: u64| watch > 0 && watch.is_multiple_of(self.log_every_steps);
        if let Some(watch) = self.watch_every_steps.filter(|&watch| !logged(watch)) {
            return Err(Error::config("run.watch_every_steps")
                .found(watch)
                .expected(format_args!(
                    "a multiple of run.log_every_steps {}",
                    self.log_every_steps
                )));
        }
        Ok(())
    }
}
