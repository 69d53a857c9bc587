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

use crate::dataset::Dataset;
use crate::records::watch::{Judgement, Watch};

/// Singular values of each layer that are written, as in the paper's figures: sigma0, sigma1, sigma2.
const SINGULAR_VALUES: usize = 3;

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
