//! The run directory: all code that writes or reads its files.

pub mod atomic_file;
pub mod checkpoint;
pub mod destination;
pub mod json_lines;
pub mod keep;
mod lock;
pub mod log_tail;
pub mod plan_file;
pub mod run_dir;
pub mod run_log;
pub mod run_view;
pub mod score_log;
pub mod tensorboard;
mod view_files;
