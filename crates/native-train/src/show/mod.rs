//! Displays of a run: a page, a terminal view, sheets of samples. Readers only.

pub mod live_view;
pub mod moving;
pub mod parameters;
pub mod report;
pub mod sheet;
pub mod summary;
pub mod time_left;
