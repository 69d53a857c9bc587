//! Trains BigGANs natively, samples them and writes the models that the page loads.
//!
//! A thin program around the core crate `biggan`, which computes everything; files, clocks, threads
//! and the terminal are here. The path of a training run:
//!
//! ```text
//! args -> commands::train -> plan -> training::run -> train_loop (loader -> round -> report) -> run_dir
//! ```
//!
//! It is a library so that integration tests have access to it; `main.rs` is the program.

// text must never end a command: it goes through `terminal`
#![deny(clippy::print_stdout, clippy::print_stderr)]

// first: its macros are known below
#[macro_use]
pub mod terminal;

pub mod args;
pub mod checksum;
pub mod commands;
pub mod dataset;
pub mod device;
pub mod environment;
pub mod error;
pub mod evaluation;
pub mod files;
pub mod hub;
pub mod input_file;
pub mod memory;
pub mod network;
pub mod recipe;
pub mod records;
pub mod research;
pub mod run;
pub mod show;
pub mod system_fault;
pub mod training;
