//! `[run.score]` of a recipe.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// When and with what a run is scored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreSection {
    /// Images between scores. Every scored state is also a checkpoint.
    pub every_images: u64,
    /// Classifier file, as for `evaluate --classifier`.
    pub classifier: PathBuf,
    /// Samples of a score.
    #[serde(default = "two_thousand")]
    pub samples: usize,
}

fn two_thousand() -> usize {
    2000
}
