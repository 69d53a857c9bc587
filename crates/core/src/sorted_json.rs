//! JSON whose keys stand in the order of the alphabet, in files and messages.

use serde::Serialize;
use serde_json::{Result, Value};

/// A value as JSON, its keys sorted also where another crate switches on serde_json's `preserve_order`.
///
/// # Errors
/// If it cannot be JSON.
pub fn sorted_json(value: &impl Serialize) -> Result<Value> {
    let mut value = serde_json::to_value(value)?;
    value.sort_all_objects();
    Ok(value)
}
