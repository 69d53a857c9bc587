//! What BigGAN sec. 4 watches in a run: the largest singular values of every layer, and how well D
//! tells images that it trained on and images that it never saw from fakes.

use std::collections::BTreeMap;

use anyhow::Result;
use biggan::image::{from_u8, to_u8};
use biggan::latent::one_hot;
use biggan::layers::{NormMode, Pass, PowerStep};
use biggan::model::Discriminator;
use biggan::named::{named_tensors, read_values};
use biggan::random::{Stream, permutation};
use biggan::train::{CHOICE_STEP, Ranks, TrainConfig, TrainState, spectra};
use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Deserializer, Serialize};

use crate::dataset::Dataset;
use crate::run::run_log::number_or_nan;

/// Singular values of each layer that are written, as in the paper's figures: sigma0, sigma1, sigma2.
const SINGULAR_VALUES: usize = 3;

/// A look at the networks.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Watch {
    /// Largest first, by weight: `generator.<name>` and `discriminator.<name>`, before spectral norm.
    #[serde(default, deserialize_with = "numbers_or_nan")]
    pub singular_values: BTreeMap<String, Vec<f32>>,
    /// D on images that it trains on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d_training: Option<Judgement>,
    /// D on images that it never sees; none where the data set has no test part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d_held_out: Option<Judgement>,
    /// D on fakes of the live G with the statistics of their batches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d_fakes: Option<Judgement>,
}

/// What D says of some images.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// How many.
    pub images: u64,
    /// Share that it takes for what they are: reals with D(x) > 0, fakes with D(x) < 0.
    pub accuracy: f64,
    /// Mean of D(x).
    #[serde(deserialize_with = "number_or_nan")]
    pub mean_logit: f64,
}

impl Judgement {
    /// Of logits; none of no image.
    fn of(logits: &[f32], real: bool) -> Option<Self> {
        let sign = if real { 1.0 } else { -1.0 };
        let right = logits.iter().filter(|&&logit| sign * logit > 0.0).count();
        let sum: f64 = logits.iter().map(|&logit| f64::from(logit)).sum();
        let images = logits.len() as f64;
        (!logits.is_empty()).then(|| Self {
            images: logits.len() as u64,
            accuracy: right as f64 / images,
            mean_logit: sum / images,
        })
    }
}

/// Images of one part of a data set that are shown to D at every look.
#[derive(Debug)]
struct Shown {
    /// `[n, 3, resolution, resolution]`
    images_u8: Vec<u8>,
    labels: Vec<usize>,
}

impl Shown {
    /// At most `count` images, chosen by the seed: data sets are often in the order of their classes.
    fn choose(dataset: &Dataset, count: usize, config: &TrainConfig) -> Result<Self> {
        let order = permutation(config.seed, Stream::Evaluation, CHOICE_STEP, dataset.len());
        let chosen = order.iter().take(count).map(|&index| index as usize);
        let chosen: Vec<usize> = chosen.collect();
        let mut shown = Self {
            images_u8: Vec::new(),
            labels: Vec::new(),
        };
        let mut image = Vec::new();
        for (image_u8, &index) in dataset.read(&chosen)?.iter().zip(&chosen) {
            image.clear();
            dataset.push_pm1(image_u8, config.generator.resolution, &mut image);
            shown
                .images_u8
                .extend(image.iter().map(|&value| to_u8(value)));
            shown.labels.push(usize::from(dataset.labels[index]));
        }
        Ok(shown)
    }

    fn judged(
        &self,
        d: &mut Discriminator,
        config: &TrainConfig,
        device: &Device,
    ) -> Result<Option<Judgement>> {
        let side = config.generator.resolution;
        let mut logits = Vec::with_capacity(self.labels.len());
        let batches = self.images_u8.chunks(config.batch_size * 3 * side * side);
        for (images, labels) in batches.zip(self.labels.chunks(config.batch_size)) {
            let images: Vec<f32> = images.iter().map(|&byte| from_u8(byte)).collect();
            let shape = [labels.len(), 3, side, side];
            let images = Tensor::from_data(TensorData::new(images, shape), device);
            let classes = one_hot(labels, config.generator.classes, device);
            let said = d.forward(images, classes, PowerStep::Discard);
            logits.extend(pollster::block_on(read_values(said))?);
        }
        Ok(Judgement::of(&logits, true))
    }
}

/// Looks at a training from time to time, always with the same images and latents.
#[derive(Debug)]
pub struct Watcher {
    images: usize,
    training: Shown,
    held_out: Option<Shown>,
}

impl Watcher {
    /// Keeps `images` images of each part.
    ///
    /// # Errors
    /// If one of them cannot be read.
    pub fn new(
        training: &Dataset,
        held_out: Option<&Dataset>,
        images: usize,
        config: &TrainConfig,
    ) -> Result<Self> {
        let choose = |dataset| Shown::choose(dataset, images, config);
        Ok(Self {
            images,
            training: choose(training)?,
            held_out: held_out.map(choose).transpose()?,
        })
    }

    /// Looks at a state; the state stays as it is.
    ///
    /// # Errors
    /// If the device fails.
    pub fn look(&self, state: &TrainState, config: &TrainConfig, device: &Device) -> Result<Watch> {
        // a pass takes its network by `&mut`, though these keep nothing: copies stand in
        let mut d = state.discriminator.clone();
        let held_out = match &self.held_out {
            Some(shown) => shown.judged(&mut d, config, device)?,
            None => None,
        };
        Ok(Watch {
            singular_values: singular_values(state)?,
            d_training: self.training.judged(&mut d, config, device)?,
            d_held_out: held_out,
            d_fakes: self.judged_fakes(state, config, device)?,
        })
    }

    /// D on fakes in whole batches, as G makes them while it trains.
    fn judged_fakes(
        &self,
        state: &TrainState,
        config: &TrainConfig,
        device: &Device,
    ) -> Result<Option<Judgement>> {
        let (mut g, mut d) = (state.generator.clone(), state.discriminator.clone());
        let pass = Pass {
            spectral: PowerStep::Discard,
            norm: NormMode::Batch,
        };
        let mut logits = Vec::new();
        for batch in 0..self.images.div_ceil(config.batch_size) as u64 {
            let fakes = config.fakes(Stream::Evaluation, batch, &Ranks::single(), device);
            let images = g.forward(fakes.z, fakes.class_weights.clone(), pass);
            let said = d.forward(images, fakes.class_weights, PowerStep::Discard);
            logits.extend(pollster::block_on(read_values(said))?);
        }
        Ok(Judgement::of(&logits, false))
    }
}

fn numbers_or_nan<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<String, Vec<f32>>, D::Error> {
    let read: BTreeMap<String, Vec<Option<f32>>> = Deserialize::deserialize(from)?;
    let number = |value: Option<f32>| value.unwrap_or(f32::NAN);
    Ok(read
        .into_iter()
        .map(|(name, values)| (name, values.into_iter().map(number).collect()))
        .collect())
}

fn singular_values(state: &TrainState) -> Result<BTreeMap<String, Vec<f32>>> {
    let mut all = BTreeMap::new();
    for (network, tensors) in [
        ("generator", named_tensors(&state.generator)),
        ("discriminator", named_tensors(&state.discriminator)),
    ] {
        let found = pollster::block_on(spectra(&tensors, SINGULAR_VALUES))?;
        let named = |(name, sigma)| (format!("{network}.{name}"), sigma);
        all.extend(found.into_iter().map(named));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::plan::Plan;
    use biggan::file::DatasetInfo;

    #[test]
    fn accuracy_counts_each_kind_by_its_sign() {
        let logits = [2.0, -1.0, 0.5, 0.0];
        let reals = Judgement::of(&logits, true).unwrap();
        assert_eq!((reals.images, reals.accuracy), (4, 0.5));
        assert_eq!(reals.mean_logit, 0.375);
        // a logit of 0 is no decision
        assert_eq!(Judgement::of(&logits, false).unwrap().accuracy, 0.25);
        assert_eq!(Judgement::of(&[], true), None);
    }

    #[test]
    fn a_look_changes_nothing_and_is_the_same_again() {
        let recipe = include_str!("../../../../configs/fashion32.toml");
        let narrow = [
            "train.generator.channels=2",
            "train.discriminator.channels=2",
            "train.batch_size=4",
        ];
        let plan = Plan::parse(recipe, &narrow.map(str::to_owned)).unwrap();
        let device = Device::flex();
        let dataset = |seed: usize| Dataset {
            images_u8: (0..9 * 28 * 28)
                .map(|i| (i * i / seed % 251) as u8)
                .collect::<Vec<u8>>()
                .into(),
            shape: [1, 28, 28],
            labels: (0..9).collect(),
            label_rows: None,
            class_names: (0..10).map(|c| c.to_string()).collect(),
            info: DatasetInfo {
                name: "nine".into(),
                images: 9,
                sha256: vec![],
            },
        };
        let state = TrainState::new(plan.train(), &device).unwrap();
        let before = pollster::block_on(state.to_host()).unwrap();
        let watcher = Watcher::new(&dataset(7), Some(&dataset(11)), 6, plan.train()).unwrap();
        let first = watcher.look(&state, plan.train(), &device).unwrap();
        assert_eq!(before, pollster::block_on(state.to_host()).unwrap());
        assert_eq!(first, watcher.look(&state, plan.train(), &device).unwrap());
        let counts = [first.d_training, first.d_held_out, first.d_fakes].map(|j| j.unwrap().images);
        // fakes come in whole batches of 4
        assert_eq!(counts, [6, 6, 8]);
        let alone = Watcher::new(&dataset(7), None, 600, plan.train()).unwrap();
        let alone = alone.look(&state, plan.train(), &device).unwrap();
        assert_eq!(alone.d_training.unwrap().images, 9);
        assert_eq!(alone.d_held_out, None);
    }
}
