//! What happened to a run besides training.

use serde::{Deserialize, Serialize};

use super::intervention::Intervention;

/// One line of `events.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Training collapsed.
    Collapse(Intervention),
    /// The run starts from trained networks.
    Initialised {
        /// The model, checkpoint or run.
        from: String,
        /// What starts from what.
        parts: Vec<String>,
    },
    /// A resumed run continues with another recipe.
    Amended {
        /// Images seen at the checkpoint that it continued from.
        images_seen: u64,
        /// Key, old and new value.
        changes: Vec<String>,
    },
}
