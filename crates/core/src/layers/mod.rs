//! Layers, one concept a file.
//!
//! Every layer that has state takes a [`Pass`], which says in words what the pass may do to it;
//! nothing is guessed from the device. A pass that changes state needs `&mut self`.

mod attention;
mod batch_norm;
mod conditional_batch_norm;
mod conv;
pub mod init;
mod linear;
mod spectral_norm;

pub use attention::SelfAttention;
pub use batch_norm::{BatchMoments, BatchNorm, Normaliser};
pub use conditional_batch_norm::{ConditionProjection, ConditionalBatchNorm};
pub use conv::Conv2d;
pub use linear::{Embedding, Linear};
pub use spectral_norm::spectral_normalise;
#[cfg(feature = "train")]
pub(crate) use spectral_norm::unit;

use crate::collective::Share;

/// What a forward pass does with the state of spectral and batch norm.
#[derive(Debug, Clone, Copy)]
pub struct Pass<'a> {
    /// Spectral norm.
    pub spectral: PowerStep,
    /// Batch norm.
    pub norm: NormMode<'a>,
}

/// Whether the power iteration's step is kept. Each pass takes one step (SN-GAN, Alg. 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PowerStep {
    /// The new singular vector replaces the old one (training).
    Keep,
    /// The step serves this pass only (evaluation).
    Discard,
}

/// Which statistics batch norm uses.
#[derive(Debug, Clone, Copy)]
pub enum NormMode<'a> {
    /// Those of the batch; the running statistics move towards them (training).
    Batch,
    /// As [`NormMode::Batch`], of a batch of which other ranks have the rest (BigGAN sec. 3 and appendix C: over all
    /// devices, not those of each).
    Shared(&'a Share),
    /// Those of the batch, which are also kept for standing statistics (BigGAN appendix C.1).
    Standing,
    /// The stored ones.
    Stored,
}

impl Pass<'static> {
    /// Training: batch statistics, power step kept.
    pub const TRAIN: Self = Self {
        spectral: PowerStep::Keep,
        norm: NormMode::Batch,
    };
    /// Evaluation: stored statistics, power step discarded.
    pub const EVAL: Self = Self {
        spectral: PowerStep::Discard,
        norm: NormMode::Stored,
    };
    /// Gathering standing statistics: batch statistics, power step discarded.
    pub const STANDING: Self = Self {
        spectral: PowerStep::Discard,
        norm: NormMode::Standing,
    };
}
