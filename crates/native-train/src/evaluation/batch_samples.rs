//! Samples of a generator in training, with the statistics of their batch; the generator does not change.

use anyhow::Result;
use biggan::latent::{LatentKey, one_hot};
use biggan::layers::Pass;
use biggan::model::Generator;
use biggan::named::read_values;
use biggan::random::Stream;
use biggan::truncation::LatentDistribution;
use burn::tensor::{Device, Tensor, TensorData};

/// z of samples `first..first + n` of a seed, row-major, of the generator's kind of latents.
pub fn latents(generator: &Generator, seed: u64, first: u64, n: usize) -> Vec<f32> {
    let key = LatentKey {
        seed,
        stream: Stream::Sample,
        step: 0,
        first,
    };
    let config = generator.config();
    key.z(
        n,
        config.z_dim,
        LatentDistribution::untruncated(config.latent),
    )
}

/// Images `[n, 3, r, r]` in [-1, 1], row-major, of `labels.len()` latents.
///
/// # Errors
/// If the device fails.
pub fn images_pm1(
    generator: &Generator,
    z: Vec<f32>,
    labels: &[usize],
    device: &Device,
) -> Result<Vec<f32>> {
    let config = generator.config();
    let z = Tensor::from_data(TensorData::new(z, [labels.len(), config.z_dim]), device);
    let classes = one_hot(labels, config.classes, device);
    let images = generator.clone().forward(z, classes, Pass::STANDING);
    Ok(pollster::block_on(read_values(images))?)
}
