//! A collapse and the response to it.

use serde::{Deserialize, Serialize};

use super::alarm::Alarm;
use crate::recipe::collapse_action::Action;

/// A collapse of a run and the response. It is part of every later checkpoint, and a line of
/// `events.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intervention {
    /// The alarm.
    pub alarm: Alarm,
    /// Images seen at the checkpoint that training returned to; 0 for the start.
    pub back_to_images: u64,
    /// The action taken there.
    pub action: Action,
}
