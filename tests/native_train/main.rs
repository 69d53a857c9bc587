//! The program `native-train` from outside: commands, files, exit codes.
//!
//! Everything runs on a data set of a few random images and networks of the smallest width, made by
//! the tests themselves: no network, no GPU, no big weights.

// a panic is how a test fails, in its helpers too
#![allow(clippy::unwrap_used)]

mod avatars;
mod bad_input;
mod class_names;
#[cfg(all(unix, feature = "mpi", feature = "faults"))]
mod clusters;
mod collapse;
mod collapse_replay;
mod data;
mod data_check;
mod file_systems;
mod fine_tuning;
mod hub;
mod import;
mod interruption;
mod keep;
mod latents;
mod launchers;
mod layouts;
mod loops;
mod model;
mod monotone;
mod nothing_lost;
mod older_files;
mod onnx;
mod other_files;
mod output;
mod outside_names;
mod parts;
mod pictures;
mod resume;
mod sample_each;
mod score;
mod scores;
mod sheets;
mod streaming;
/// What test programs share.
#[path = "../support"]
mod support {
    pub mod fixtures;
    pub mod hub;
    pub mod models;
    pub mod pictures;
    pub mod processes;
    #[cfg(target_os = "linux")]
    pub mod pty;
    pub mod random_model;
    pub mod runs;
    pub mod setting;
    pub mod torch_writer;
}
#[cfg(feature = "wgpu")]
mod gpu;
#[cfg(feature = "wgpu")]
mod gpu_kernels;
#[cfg(feature = "wgpu")]
mod gpu_launches;
mod table1;
mod tensorboard;
mod terminals;
mod trusted_scores;
mod usage;
mod watching;
#[cfg(feature = "wgpu")]
mod wgpu;
