//! BigGAN (Brock, Donahue and Simonyan 2018, "Large Scale GAN Training for High Fidelity Natural
//! Image Synthesis") on [Burn](https://burn.dev): load a model and draw its pictures, train one, or
//! convert published weights, natively or in a browser.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let ships = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/fashion32.safetensors");
//! # std::fs::copy(ships, folder.path().join("fashion32.safetensors"))?;
//! # std::env::set_current_dir(&folder)?;
//! use biggan::{Device, ModelFile, Picture, Sampler, Truncation};
//!
//! let bytes = std::fs::read("fashion32.safetensors")?;
//! let sampler = Sampler::new(ModelFile::decode(&bytes)?, &Device::flex())?;
//!
//! let dress = Picture::sample(3, 7, 0); // class 3, the first sample of seed 7
//! let drawn = pollster::block_on(sampler.draw(&[dress], Truncation::Threshold(0.5)))?;
//!
//! let (file, side) = (std::fs::File::create("dress.png")?, drawn.side as u32);
//! let mut png = png::Encoder::new(file, side, side);
//! png.set_color(png::ColorType::Rgba);
//! png.write_header()?.write_image_data(&drawn.rgba()?[0])?;
//! # Ok(())
//! # }
//! ```
//!
//! The crate computes: bytes and tensors in, bytes and tensors out. It opens no files, reads no clock and
//! prints nothing. It starts no threads of its own; with the feature `rayon` the CPU backend and its kernels
//! use rayon's pool. The same code compiles for `wasm32-unknown-unknown`.
//!
//! | to | see |
//! |---|---|
//! | draw pictures | [`Sampler`], [`Picture`], [`Truncation`]; `examples/sample.rs` |
//! | read and write models | [`ModelFile`]; [`file`](mod@file) |
//! | train a small model in a few calls | `train::Session`; `examples/train.rs` |
//! | write a training loop | `train::TrainState`, `train::discriminator_step`, `train::generator_step` |
//! | convert weights of PyTorch programs | [`import`]; `examples/import.rs` |
//! | score a model | `metrics` |
//! | give a generator to other programs | `onnx` |
//! | use the network alone | [`Generator`], [`GeneratorConfig`]; [`model`], [`config`] |
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `train` | yes | `train`: losses, optimisers, steps, checkpoints (Burn's autodiff) |
//! | `metrics` | yes | `metrics`: Frechet distance, KID, Inception score, precision and recall |
//! | `rayon` | yes | all cores on the CPU; leave it out in a browser |
//! | `wgpu` | no | GPUs through Vulkan, Metal, DirectX 12 or WebGPU |
//! | `onnx` | no | `onnx`: a generator as an ONNX file, for other programs |
//! | `nccl` | no | sums between CUDA GPUs without a copy to the host; needs CUDA |
//!
//! Results do not depend on the number of threads, and the same seed gives the same picture on every machine, up to the
//! rounding of its device.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod arch;
pub mod blocks;
pub mod class_names;
#[doc(hidden)] // for programs of many processes: native-train
pub mod collective;
pub mod config;
pub mod error;
pub mod file;
pub mod image;
pub mod imagenet;
pub mod import;
#[doc(hidden)] // used by layers, and measured in tests/
pub mod kernels;
pub mod latent;
pub mod latent_kind;
pub mod layers;
#[cfg(feature = "metrics")]
pub mod metrics;
pub mod model;
pub mod named;
mod normal;
#[cfg(feature = "onnx")]
pub mod onnx;
pub mod random;
pub mod request;
pub mod sampler;
pub mod self_test;
pub mod shape;
mod sorted_json;
pub mod standing_stats;
pub mod statistics_table;
#[cfg(test)]
mod test_configs;
#[doc(hidden)] // for programs that read files which people write
pub mod text;
#[cfg(feature = "train")]
pub mod train;
pub mod truncation;
#[doc(hidden)] // for programs that show messages: native-train
pub mod visible;

pub use burn::tensor::{Device, Tensor};
pub use config::{DiscriminatorConfig, GeneratorConfig};
pub use error::{Error, ErrorFields, ErrorKind, Result};
pub use file::ModelFile;
pub use model::{Discriminator, Generator};
pub use request::Picture;
pub use sampler::{Sampler, Samples};
pub use truncation::Truncation;
