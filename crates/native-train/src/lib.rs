//! Trains BigGANs on machines, samples them and writes the models that the page loads.
//!
//! A thin program around the core crate `biggan`, which computes everything; files, clocks, threads
//! and the terminal stand here. The path of a training run:
//!
//! ```text
//! args -> plan -> commands::train -> train_loop (loader -> round -> report) -> run_dir
//! ```
//!
//! It is a library so that integration tests can look inside; `main.rs` is the program.

pub mod args;
pub mod atomic_file;
pub mod batch_samples;
pub mod byte_size;
pub mod checkpoint;
pub mod class_choice;
pub mod collapse;
pub mod commands;
pub mod dataset;
pub mod device;
pub mod error;
#[cfg(feature = "faults")]
pub mod fault;
pub mod foreign_run;
pub mod interrupt;
pub mod job;
pub mod json_lines;
pub mod keep;
pub mod latents_file;
pub mod live_view;
pub mod log_tail;
pub mod memory;
pub mod model_files;
pub mod npz;
pub mod overrides;
pub mod parameters;
pub mod plan;
pub mod progress;
pub mod report;
pub mod round;
pub mod run_dir;
pub mod run_log;
pub mod run_section;
pub mod run_view;
pub mod scaling;
pub mod score;
pub mod sheet;
pub mod together;
pub mod train_loop;
pub mod watch;
