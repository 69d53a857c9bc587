//! What BigGAN sec. 4 watches in a training: the largest singular values of every layer, and what D says of
//! images that it trained on, of images that it never saw and of fakes; and what G draws from fixed z.
//!
//! A probe changes nothing of the state. Each purpose has random numbers of its own.

use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Deserializer, Serialize};

use super::{Objective, Ranks, RealBatch, TrainConfig, TrainState};
use crate::error::{Error, Result};
use crate::latent::{LatentKey, one_hot};
use crate::layers::NormMode;
use crate::model::{Discriminator, Generator};
use crate::named::{NamedTensors, named_tensors, read_values};
use crate::random::{Stream, permutation};
use crate::truncation::LatentDistribution;

/// D's verdict on some images.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// How many.
    pub images: u64,
    /// Share that it classifies correctly: reals above the objective's [boundary](Objective::boundary), fakes below it;
    /// none where the objective has no boundary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// Mean of D(x).
    #[serde(deserialize_with = "null_is_nan")]
    pub mean_logit: f64,
}

/// JSON has no NaN: it is written as null.
fn null_is_nan<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<f64, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or(f64::NAN))
}

impl Judgement {
    /// The verdict from logits of reals or of fakes; `None` without images.
    pub fn from_logits(objective: Objective, logits: &[f32], real: bool) -> Option<Self> {
        let sign = if real { 1.0 } else { -1.0 };
        let right = |boundary: f64| {
            let right = |&&logit: &&f32| sign * (f64::from(logit) - boundary) > 0.0;
            logits.iter().filter(right).count()
        };
        let sum: f64 = logits.iter().map(|&logit| f64::from(logit)).sum();
        let images = logits.len() as f64;
        (!logits.is_empty()).then(|| Self {
            images: logits.len() as u64,
            accuracy: objective.boundary().map(|at| right(at) as f64 / images),
            mean_logit: sum / images,
        })
    }
}

/// The tensors of both networks, `generator.<name>` and `discriminator.<name>`: what [`super::spectra`] and
/// [`super::largest_singular`] are asked about.
pub fn weights(state: &TrainState) -> NamedTensors {
    let networks = [
        ("generator", named_tensors(&state.generator)),
        ("discriminator", named_tensors(&state.discriminator)),
    ];
    let named = |(network, tensors): (_, NamedTensors)| {
        let under = move |(name, tensor)| (format!("{network}.{name}"), tensor);
        tensors.into_iter().map(under)
    };
    networks.into_iter().flat_map(named).collect()
}

/// Places of the real images that D is asked about, at most `count` of `images`: always the same, and chosen by
/// the seed, because data sets are often in the order of their classes.
pub fn chosen_reals(seed: u64, images: usize, count: usize) -> Vec<usize> {
    let order = permutation(seed, Stream::ProbeReals, 0, images);
    order
        .iter()
        .take(count)
        .map(|&index| index as usize)
        .collect()
}

/// D's logits of images.
///
/// # Errors
/// If the device fails.
pub async fn logits(discriminator: &Discriminator, batch: RealBatch) -> Result<Vec<f32>> {
    read_values(discriminator.evaluate(batch.images, batch.class_weights)).await
}

/// D on batches of real images.
///
/// # Errors
/// If the device fails or a batch cannot be had.
pub async fn judge_reals<E: From<Error>>(
    objective: Objective,
    discriminator: &Discriminator,
    batches: impl IntoIterator<Item = std::result::Result<RealBatch, E>>,
) -> std::result::Result<Option<Judgement>, E> {
    let mut all = Vec::new();
    for batch in batches {
        all.extend(logits(discriminator, batch?).await?);
    }
    Ok(Judgement::from_logits(objective, &all, true))
}

/// Fakes that D was asked about.
#[derive(Debug)]
pub struct Fakes {
    /// `[batch_size, 3, r, r]`
    pub images: Tensor<4>,
    /// Class of each.
    pub labels: Vec<usize>,
    /// D's logit of each.
    pub logits: Vec<f32>,
}

/// Batch `number` of the fakes that D is asked about: of the live G with the statistics of the batch, or of its parts,
/// as G makes them while it trains, and of the same latents at every time.
///
/// # Errors
/// If the device fails.
pub async fn fakes(
    state: &TrainState,
    config: &TrainConfig,
    number: u64,
    device: &Device,
) -> Result<Fakes> {
    let made = config.fakes(Stream::ProbeFakes, number, &Ranks::single(), device);
    let class_weights = made.class_weights;
    let generator = &state.generator;
    let weights = read_values(class_weights.clone()).await?;
    let rows = weights.chunks_exact(config.generator.classes);
    let class = |row: &[f32]| row.iter().position(|&weight| weight == 1.0);
    let labels = rows.filter_map(class).collect();
    let (mut images, mut scores) = (Vec::new(), Vec::new());
    for part in config.techniques.parts(config.batch_size) {
        let of_part = |all: &Tensor<2>| all.clone().narrow(0, part.start, part.len());
        let [z, class_weights] = [of_part(&made.z), of_part(&class_weights)];
        let made = generator.evaluate(z, class_weights.clone(), NormMode::Batch);
        images.push(made.clone());
        let batch = RealBatch {
            images: made,
            class_weights,
        };
        scores.extend(logits(&state.discriminator, batch).await?);
    }
    Ok(Fakes {
        images: Tensor::cat(images, 0),
        labels,
        logits: scores,
    })
}

/// z of samples `first..first + n` of a seed, row-major, of the generator's kind of latents.
pub fn fixed_z(generator: &Generator, seed: u64, stream: Stream, first: u64, n: usize) -> Vec<f32> {
    let config = generator.config();
    let key = LatentKey {
        seed,
        stream,
        step: 0,
        first,
    };
    let distribution = LatentDistribution::untruncated(config.latent);
    key.z(n, config.z_dim, distribution)
}

/// Images `[n, 3, r, r]` in [-1, 1], row-major, of `labels.len()` latents, with the statistics of their batch.
///
/// # Errors
/// If the device fails.
pub async fn samples(
    generator: &Generator,
    z: Vec<f32>,
    labels: &[usize],
    device: &Device,
) -> Result<Vec<f32>> {
    let config = generator.config();
    let z = Tensor::from_data(TensorData::new(z, [labels.len(), config.z_dim]), device);
    let classes = one_hot(labels, config.classes, device);
    read_values(generator.evaluate(z, classes, NormMode::Batch)).await
}

/// `per_class` images of each of the first `classes` classes, class after class, with their labels: the same z in
/// every class and at every time.
///
/// # Errors
/// If the device fails.
pub async fn grid(
    generator: &Generator,
    seed: u64,
    [per_class, classes]: [usize; 2],
    device: &Device,
) -> Result<(Vec<f32>, Vec<usize>)> {
    let z = fixed_z(generator, seed, Stream::Sample, 0, per_class).repeat(classes);
    let labels: Vec<usize> = (0..classes)
        .flat_map(|class| vec![class; per_class])
        .collect();
    Ok((samples(generator, z, &labels, device).await?, labels))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::check_config;

    #[test]
    fn accuracy_counts_each_kind_by_its_sign() {
        let logits = [2.0, -1.0, 0.5, 0.0];
        let judged = |objective, real| Judgement::from_logits(objective, &logits, real).unwrap();
        let reals = judged(Objective::Hinge, true);
        assert_eq!((reals.images, reals.accuracy), (4, Some(0.5)));
        assert_eq!(reals.mean_logit, 0.375);
        // a logit of 0 is no decision
        assert_eq!(judged(Objective::Hinge, false).accuracy, Some(0.25));
        assert_eq!(Judgement::from_logits(Objective::Hinge, &[], true), None);
    }

    #[test]
    fn accuracy_is_by_the_boundary_of_the_objective() {
        // targets 1 and 0: 0.2 is nearer to a fake's
        let judged =
            |objective, real| Judgement::from_logits(objective, &[0.2, 0.7], real).unwrap();
        assert_eq!(judged(Objective::LeastSquares, true).accuracy, Some(0.5));
        assert_eq!(judged(Objective::LeastSquares, false).accuracy, Some(0.5));
        for objective in [Objective::Wasserstein, Objective::RelativisticPairing] {
            let judged = judged(objective, true);
            assert_eq!(judged.accuracy, None);
            let text = serde_json::to_string(&judged).unwrap();
            assert!(!text.contains("accuracy"), "{text}");
            assert_eq!(
                serde_json::from_str::<Judgement>(&text).unwrap().accuracy,
                None
            );
        }
        let older = r#"{"images":8,"accuracy":0.875,"mean_logit":1.5}"#;
        let older: Judgement = serde_json::from_str(older).unwrap();
        assert_eq!(older.accuracy, Some(0.875));
    }

    #[test]
    fn each_purpose_has_random_numbers_of_its_own() {
        let config = check_config(1);
        let device = Device::flex();
        let state = TrainState::new(&config, &device).unwrap();
        let z = |stream| fixed_z(&state.generator, 1, stream, 0, config.batch_size);
        let streams = [Stream::Sample, Stream::ProbeFakes, Stream::ProbeVariance];
        let [sheet, fakes, variance] = streams.map(z);
        assert!(sheet != fakes && fakes != variance && variance != sheet);
        let evaluated = permutation(1, Stream::EvaluationChoice, 0, 50);
        let chosen = chosen_reals(1, 50, 50);
        assert!(!chosen.iter().map(|&index| index as u32).eq(evaluated));
    }
}
