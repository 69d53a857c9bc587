//! BigGAN (Brock, Donahue and Simonyan 2018, "Large Scale GAN Training for High Fidelity Natural
//! Image Synthesis"): networks, training mathematics, latents and files, for native programs and
//! for browsers.
//!
//! This crate has no files, threads, clocks or prints: bytes and tensors in, bytes and tensors out.

pub mod arch;
pub mod blocks;
pub mod collective;
pub mod config;
pub mod error;
pub mod file;
pub mod image;
pub mod imagenet;
pub mod import;
pub mod kernels;
pub mod latent;
pub mod latent_kind;
pub mod layers;
#[cfg(feature = "metrics")]
pub mod metrics;
pub mod model;
pub mod named;
pub mod normal;
pub mod random;
pub mod request;
pub mod sampler;
pub mod self_test;
pub mod shape;
pub mod standing_stats;
pub mod statistics_table;
#[cfg(test)]
mod test_configs;
#[cfg(feature = "train")]
pub mod train;
pub mod truncation;

pub use error::{Error, ErrorFields, ErrorKind, Result};
