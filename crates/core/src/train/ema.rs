//! Exponential moving average of the generator (BigGAN sec. 3; Karras et al. 2018).
//!
//! Every tensor is averaged, statistics and singular vectors too, as in BigGAN-PyTorch
//! `utils.py:614-640`.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::kernels::weighted_sum;
use crate::model::Generator;
use crate::named::{map_tensors, named_tensors};

/// How fast the average forgets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmaConfig {
    /// Decay per generator step (0.9999 in the paper).
    pub decay: f64,
    /// Generator steps before the average starts; until then it is a copy (20,000 in BigGAN-PyTorch's
    /// ImageNet scripts).
    #[serde(default)]
    pub start_step: u64,
    /// Whether the decay rises as `(1 + t) / (10 + t)` up to `decay`, t counting steps since the
    /// start, so that the average of a short run does not include its random initial weights.
    #[serde(default)]
    pub ramp: bool,
}

impl EmaConfig {
    /// Refuses a decay that gives no average.
    ///
    /// # Errors
    /// If it is out of range; the message names the value and the range.
    pub fn validate(&self) -> Result<()> {
        if (0.0..1.0).contains(&self.decay) {
            return Ok(());
        }
        Err(Error::config("ema.decay")
            .found(self.decay)
            .expected("0 or more and below 1"))
    }

    /// Decay of generator step number `step`, counted from 0.
    pub fn decay_at(&self, step: u64) -> f64 {
        let Some(since_start) = step.checked_sub(self.start_step) else {
            return 0.0;
        };
        if !self.ramp {
            return self.decay;
        }
        let t = since_start as f64;
        self.decay.min((1.0 + t) / (10.0 + t))
    }
}

/// The average, and the share of the initial weights in it.
#[derive(Debug, Clone)]
pub struct Ema {
    /// Averaged generator.
    pub generator: Generator,
    /// Weight of the initial weights in the average: the product of all decays so far.
    pub initial_share: f64,
}

impl Ema {
    /// An average that starts as a copy.
    pub fn new(generator: &Generator) -> Self {
        Self {
            generator: generator.clone(),
            initial_share: 1.0,
        }
    }

    /// `average <- decay average + (1 - decay) generator`, for every tensor.
    ///
    /// # Errors
    /// If the generator lacks a tensor of the average.
    pub fn update(self, generator: &Generator, decay: f64) -> Result<Self> {
        let mut current = named_tensors(generator);
        let averaged = map_tensors(self.generator, |name, average| {
            let new = current
                .remove(name)
                .ok_or_else(|| Error::tensor(name).found("not in the generator to average"))?;
            Ok(weighted_sum(average.values, decay, new.values, 1.0 - decay))
        })?;
        Ok(Self {
            generator: averaged,
            initial_share: self.initial_share * decay,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decay_ramps_after_the_start() {
        let config = EmaConfig {
            decay: 0.999,
            start_step: 2,
            ramp: true,
        };
        assert_eq!(config.decay_at(1), 0.0);
        assert!((config.decay_at(2) - 0.1).abs() < 1e-12);
        assert!((config.decay_at(92) - 91.0 / 100.0).abs() < 1e-12);
        assert_eq!(config.decay_at(100_000), 0.999);
    }
}
