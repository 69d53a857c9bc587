//! Collapse of a training (BigGAN sec. 4): seen, kept as evidence, gone back from.
//!
//! ```text
//! line of the log -> detector (signals) -> alarm -> evidence, rollback, action -> training again
//! ```

pub mod answer;
pub mod detector;
pub mod evidence;
pub mod intervention;
pub mod signal;
pub mod vitals;

pub use detector::Detector;
pub use intervention::{effective, is_frozen};
