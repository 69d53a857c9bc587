//! Collapse of a run (BigGAN sec. 4): detection, evidence, rollback.
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
