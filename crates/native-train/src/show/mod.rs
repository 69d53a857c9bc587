//! A run as people see it: a page, a terminal, sheets of samples. Readers only.

pub mod live_view;
pub mod parameters;
pub mod report;
pub mod sheet;
pub mod summary;
pub mod time_left;
