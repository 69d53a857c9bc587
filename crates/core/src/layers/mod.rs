//! Layers, one concept per file.
//!
//! A pass takes its layer by `&self`; the state that it computes goes out in [`Updates`]. Nothing is guessed from
//! the device.

mod attention;
mod batch_norm;
mod conditional_batch_norm;
mod conv;
pub mod init;
mod linear;
mod spectral_norm;
mod updates;

pub use attention::SelfAttention;
pub use batch_norm::{BatchNorm, Normaliser};
pub use conditional_batch_norm::{ConditionProjection, ConditionalBatchNorm};
pub use conv::Conv2d;
pub use linear::{Embedding, Linear};
pub use spectral_norm::spectral_normalise;
pub use updates::{BatchMoments, Updates};

use crate::collective::Share;

/// Which statistics batch norm uses.
#[derive(Debug, Clone, Copy)]
pub enum NormMode<'a> {
    /// Those of the batch.
    Batch,
    /// As [`NormMode::Batch`], for a batch shared with other ranks (BigGAN sec. 3 and appendix C: over all
    /// devices, not those of each).
    Shared(&'a Share),
    /// The stored ones.
    Stored,
}
