//! What the networks of a training look like now; nothing is changed.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};

use super::{Ranks, TrainConfig, TrainState, TrainingImages, largest_singular};
use crate::error::Result;
use crate::image::to_rgba;
use crate::latent::{LatentKey, one_hot};
use crate::layers::{NormMode, Pass, PowerStep};
use crate::named::{named_tensors, read_values};
use crate::random::{Stream, permutation};
use crate::truncation::LatentDistribution;

/// Most images of a look, of each kind.
pub const MAX_LOOK: usize = 256;
/// Step of the random choice of real images that D is asked about: evaluation's own has 0.
pub const CHOICE_STEP: u64 = 1;

/// Images with their classes and, where D was asked, its logits.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pictures {
    /// RGBA bytes, one after another.
    pub rgba: Vec<Vec<u8>>,
    /// Class of each.
    pub classes: Vec<usize>,
    /// D's logit of each; above 0 it takes the image for real.
    pub scores: Vec<f32>,
}

/// A look.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// Of the averaged G: the same latents in every class and at every time, class after class.
    pub grid: Pictures,
    /// Training images, always the same.
    pub real: Pictures,
    /// Of the live G with the statistics of the batch, always of the same latents.
    pub fake: Pictures,
    /// Largest singular value of every weight, before spectral norm, by `generator.<name>` and
    /// `discriminator.<name>`.
    pub sigmas: BTreeMap<String, f32>,
}

/// Looks at a state: `per_class` images of every class, and `scored` images of each kind.
///
/// # Errors
/// If the device fails or a network produces values that are not finite.
pub async fn look(
    state: &TrainState,
    config: &TrainConfig,
    images: &TrainingImages,
    [per_class, scored]: [usize; 2],
    device: &Device,
) -> Result<Look> {
    let mut sigmas = BTreeMap::new();
    for (network, tensors) in [
        ("generator", named_tensors(&state.generator)),
        ("discriminator", named_tensors(&state.discriminator)),
    ] {
        let found = largest_singular(&tensors).await?;
        sigmas.extend(
            found
                .into_iter()
                .map(|(name, s)| (format!("{network}.{name}"), s)),
        );
    }
    Ok(Look {
        grid: grid(state, config, per_class, device).await?,
        real: reals(state, config, images, scored, device).await?,
        fake: fakes(state, config, scored, device).await?,
        sigmas,
    })
}

async fn grid(
    state: &TrainState,
    config: &TrainConfig,
    per_class: usize,
    device: &Device,
) -> Result<Pictures> {
    let generator = &config.generator;
    let per_class = per_class.min(MAX_LOOK / generator.classes);
    if per_class == 0 {
        return Ok(Pictures::default());
    }
    let key = LatentKey {
        seed: config.seed,
        stream: Stream::Sample,
        step: 0,
        first: 0,
    };
    let distribution = LatentDistribution::untruncated(generator.latent);
    let row = key.z(per_class, generator.z_dim, distribution);
    let classes: Vec<usize> = (0..generator.classes)
        .flat_map(|class| vec![class; per_class])
        .collect();
    let shape = [classes.len(), generator.z_dim];
    let z = Tensor::from_data(
        TensorData::new(row.repeat(generator.classes), shape),
        device,
    );
    let weights = one_hot(&classes, generator.classes, device);
    let images = state
        .ema
        .generator
        .clone()
        .forward(z, weights, Pass::STANDING);
    Ok(Pictures {
        rgba: to_rgba(&read_values(images).await?, generator.resolution)?,
        classes,
        scores: vec![],
    })
}

async fn reals(
    state: &TrainState,
    config: &TrainConfig,
    images: &TrainingImages,
    count: usize,
    device: &Device,
) -> Result<Pictures> {
    let order = permutation(config.seed, Stream::Evaluation, CHOICE_STEP, images.len());
    let chosen = order.iter().take(count.min(MAX_LOOK));
    let chosen: Vec<usize> = chosen.map(|&index| index as usize).collect();
    if chosen.is_empty() {
        return Ok(Pictures::default());
    }
    let batch = images.batch(&chosen, device);
    // a pass takes its network by `&mut`, though this one keeps nothing: a copy stands in
    let mut d = state.discriminator.clone();
    let logits = d.forward(batch.images, batch.class_weights, PowerStep::Discard);
    Ok(Pictures {
        rgba: chosen.iter().map(|&index| images.rgba(index)).collect(),
        classes: chosen.iter().map(|&index| images.label(index)).collect(),
        scores: read_values(logits).await?,
    })
}

/// In whole batches, as G makes them while it trains.
async fn fakes(
    state: &TrainState,
    config: &TrainConfig,
    count: usize,
    device: &Device,
) -> Result<Pictures> {
    let count = count.min(MAX_LOOK);
    let pass = Pass {
        spectral: PowerStep::Discard,
        norm: NormMode::Batch,
    };
    let (mut g, mut d) = (state.generator.clone(), state.discriminator.clone());
    let mut made = Pictures::default();
    for step in 0..count.div_ceil(config.batch_size) as u64 {
        let fakes = config.fakes(Stream::Evaluation, step, &Ranks::single(), device);
        let images = g.forward(fakes.z, fakes.class_weights.clone(), pass);
        let weights = read_values(fakes.class_weights.clone()).await?;
        let rows = weights.chunks_exact(config.generator.classes);
        let class = |row: &[f32]| row.iter().position(|&weight| weight == 1.0);
        made.classes.extend(rows.filter_map(class));
        let logits = d.forward(images.clone(), fakes.class_weights, PowerStep::Discard);
        made.scores.extend(read_values(logits).await?);
        made.rgba.extend(to_rgba(
            &read_values(images).await?,
            config.generator.resolution,
        )?);
    }
    made.rgba.truncate(count);
    made.classes.truncate(count);
    made.scores.truncate(count);
    Ok(made)
}
