//! The images of a step: in parts, in pairs, and augmented.

use std::ops::Range;

use burn::tensor::Tensor;

use super::augment::Augment;
use super::{Controls, TrainConfig};
use crate::error::{Error, Result};

/// Real images and their classes, on the training device.
#[derive(Debug, Clone)]
pub struct RealBatch {
    /// `[n, 3, r, r]` in [-1, 1]
    pub images: Tensor<4>,
    /// `[n, classes]`
    pub class_weights: Tensor<2>,
}

impl RealBatch {
    /// Images of a range.
    pub(super) fn part(&self, range: Range<usize>) -> Self {
        let (from, len) = (range.start, range.len());
        if len == self.images.dims()[0] {
            return self.clone();
        }
        Self {
            images: self.images.clone().narrow(0, from, len),
            class_weights: self.class_weights.clone().narrow(0, from, len),
        }
    }
}

/// Refuses a pair of batches of different sizes.
pub(super) fn check_pairs(reals: usize, fakes: usize) -> Result<()> {
    if reals == fakes {
        return Ok(());
    }
    Err(Error::config("the images to pair")
        .found(format_args!("{reals} real and {fakes} fake"))
        .expected("as many of each"))
}

/// Purposes of augmentation in a round: each has its own random numbers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Seen {
    /// By D in its own step.
    ByD = 0,
    /// By D in G's step, fakes.
    FakeForG = 1,
    /// By D in G's step, the real images they are paired with.
    RealForG = 2,
}

/// The augmentation between images and D, if there is one; the first image has the index `first` in its step.
pub(super) fn augmentation<'a>(
    controls: &Controls,
    config: &'a TrainConfig,
    seen: Seen,
    step: u64,
    first: usize,
) -> Option<Augment<'a>> {
    let augment = config.techniques.augment.as_ref()?;
    Some(Augment {
        config: augment,
        seed: config.seed,
        step: 3 * step + seen as u64,
        first: first as u64,
        probability: controls.ada_probability.clone(),
    })
}
