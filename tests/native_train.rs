//! The program `native-train` from outside: commands, files, exit codes.
//!
//! Everything runs on a data set of a few random images and networks of the smallest width, made by
//! the tests themselves: no network, no GPU, no big weights.

// a panic is how a test fails, in its helpers too
#![allow(clippy::unwrap_used)]

#[path = "native_train/bad_input.rs"]
mod bad_input;
#[cfg(all(unix, feature = "mpi", feature = "faults"))]
#[path = "native_train/clusters.rs"]
mod clusters;
#[path = "native_train/collapse.rs"]
mod collapse;
#[path = "native_train/collapse_replay.rs"]
mod collapse_replay;
#[path = "native_train/data.rs"]
mod data;
#[path = "native_train/data_check.rs"]
mod data_check;
#[path = "native_train/import.rs"]
mod import;
#[path = "native_train/interruption.rs"]
mod interruption;
#[path = "native_train/keep.rs"]
mod keep;
#[path = "native_train/latents.rs"]
mod latents;
#[path = "native_train/model.rs"]
mod model;
#[path = "native_train/monotone.rs"]
mod monotone;
#[path = "native_train/parts.rs"]
mod parts;
#[path = "native_train/resume.rs"]
mod resume;
#[path = "native_train/score.rs"]
mod score;
#[path = "native_train/scores.rs"]
mod scores;
#[path = "native_train/setting.rs"]
mod setting;
#[path = "native_train/sheets.rs"]
mod sheets;
#[path = "native_train/streaming.rs"]
mod streaming;
#[path = "native_train/table1.rs"]
mod table1;
#[path = "torch_writer.rs"]
mod torch_writer;
#[path = "native_train/usage.rs"]
mod usage;
#[path = "native_train/watching.rs"]
mod watching;
#[cfg(feature = "wgpu")]
#[path = "native_train/wgpu.rs"]
mod wgpu;
