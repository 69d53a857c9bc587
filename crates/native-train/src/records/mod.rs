//! Plain data that a run writes and readers read.

pub mod alarm;
pub mod event;
pub mod intervention;
pub mod log_record;
pub(crate) mod number;
pub mod probe_record;
pub mod score_record;
pub mod vitals;
