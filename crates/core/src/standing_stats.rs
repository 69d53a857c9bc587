//! Standing statistics (BigGAN sec. 3, "Standing statistics"): batch norm statistics gathered over
//! many passes of the finished generator, so that an image does not depend on its batch.
//!
//! The aggregate is exact (moments of all passes together), one set for each truncation, since the
//! statistics depend on it.

use burn::tensor::Device;

use crate::error::Result;
use crate::latent::LatentKey;
use crate::layers::Pass;
use crate::model::Generator;
use crate::named::read_values;
use crate::random::Stream;
use crate::truncation::LatentDistribution;

/// Passes over which statistics are gathered.
#[derive(Debug, Clone, Copy)]
pub struct StandingConfig {
    /// Number of passes.
    pub passes: usize,
    /// Images a pass.
    pub batch_size: usize,
    /// Seed of the latents.
    pub seed: u64,
}

/// Means and variances of every normaliser with z of one distribution.
///
/// # Errors
/// If the device fails.
pub async fn standing_statistics(
    generator: &Generator,
    distribution: LatentDistribution,
    config: StandingConfig,
    device: &Device,
) -> Result<Vec<[Vec<f32>; 2]>> {
    let mut generator = generator.clone();
    let dims = [generator.config().z_dim, generator.config().classes];
    for pass in 0..config.passes {
        let key = LatentKey {
            seed: config.seed,
            stream: Stream::StandingStats,
            step: 0,
            first: (pass * config.batch_size) as u64,
        };
        let latents = key.latents(config.batch_size, dims, distribution, device);
        generator.forward(latents.z, latents.class_weights, Pass::STANDING);
    }
    let mut statistics = Vec::new();
    for (_, normaliser) in generator.normalisers_mut() {
        normaliser.adopt_standing();
        statistics.push([
            read_values(normaliser.mean.val()).await?,
            read_values(normaliser.variance.val()).await?,
        ]);
    }
    Ok(statistics)
}
