//! What the fakes of a step are made from.

use burn::tensor::{Device, Tensor};

use super::{Ranks, TrainConfig};
use crate::latent::{LatentKey, Latents};
use crate::random::Stream;
use crate::truncation::LatentDistribution;

impl TrainConfig {
    /// Latents and classes of a rank's fakes of one step.
    ///
    /// They are never truncated: truncation is a choice at sampling time (BigGAN sec. 3.1), and no training of the paper
    /// sees truncated z.
    pub fn fakes(&self, stream: Stream, step: u64, ranks: &Ranks, device: &Device) -> Latents {
        let dims = [self.generator.z_dim, self.generator.classes];
        let distribution = LatentDistribution::untruncated(self.generator.latent);
        let key = LatentKey {
            seed: self.seed,
            stream,
            step,
            first: 0,
        };
        let parts = ranks.rows(self).into_iter().map(|rows| {
            let first = rows.start as u64;
            LatentKey { first, ..key }.latents(rows.len(), dims, distribution, device)
        });
        let (z, class_weights): (Vec<_>, Vec<_>) =
            parts.map(|part| (part.z, part.class_weights)).unzip();
        Latents {
            z: Tensor::cat(z, 0),
            class_weights: Tensor::cat(class_weights, 0),
        }
    }
}
