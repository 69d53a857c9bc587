//! `[run.keep]` of a recipe.

use serde::{Deserialize, Serialize};

use super::byte_size::ByteSize;

/// What is kept beside the newest checkpoints: `[run.keep]` of a recipe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeepSection {
    /// Best checkpoints by score, where scores are made (`[run.score]`).
    pub best: usize,
    /// The first checkpoint of every so many images, for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_images: Option<u64>,
    /// Most bytes of all checkpoints together, e.g. "20GiB".
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
