//! BigGAN for browsers: bindings of the core crate, which does all the computing.
//!
//! A worker calls [`watch_faults`] once, opens an [`Engine`] on a backend, and loads a `Model` from bytes or, in
//! the training builds, starts a `Trainer`. All reads are asynchronous, since a browser has no other way to read
//! from a GPU.
//! Errors become JavaScript's `Error` at the end of each call ([`Thrown`]): the core's message, kind and fields.
//!
//! A wasm instance opens one engine: Burn's GPU runtime starts once, and after a fault (a lost GPU, a
//! panic) nothing in the instance can be trusted. Recovery is a new worker.

mod device;
mod engine;
mod error;
mod faults;
#[cfg(feature = "sample")]
mod file_at;
#[cfg(feature = "sample")]
mod model;
#[cfg(feature = "train")]
mod trainer;

pub use engine::Engine;
pub use error::Thrown;
pub use faults::watch_faults;
#[cfg(feature = "sample")]
pub use model::{Batch, Model};
#[cfg(feature = "train")]
pub use trainer::{Probe, Trainer, training_need};
