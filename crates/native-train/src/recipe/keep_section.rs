//! `[run.keep]` of a recipe.

use serde::{Deserialize, Serialize};

use super::byte_size::ByteSize;

/// What is kept besides the newest checkpoints: `[run.keep]` of a recipe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeepSection {
    /// Number of best checkpoints by score, if the run is scored (`[run.score]`).
    pub best: usize,
    /// The first checkpoint of every interval of this many images is kept permanently.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_images: Option<u64>,
    /// Limit on the bytes of all checkpoints together, e.g. "20GiB".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<ByteSize>,
}

impl Default for KeepSection {
    fn default() -> Self {
        Self {
            best: 1,
            every_images: None,
            max_bytes: None,
        }
    }
}
