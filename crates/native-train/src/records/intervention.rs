//! A collapse and the answer to it.

use serde::{Deserialize, Serialize};

use super::alarm::Alarm;
use crate::recipe::collapse_action::Action;

/// A collapse of a run and what was done. It is part of every later checkpoint, and a line of
/// `events.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intervention {
    /// What was seen.
    pub alarm: Alarm,
    /// Images seen at the checkpoint that training went back to; 0 for the beginning.
    pub back_to_images: u64,
    /// What was done there.
    pub action: Action,
}
