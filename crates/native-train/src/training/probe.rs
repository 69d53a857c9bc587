//! The probe of a run: always of the same images and latents.

use anyhow::Result;
use biggan::image::{from_u8, to_u8};
use biggan::latent::one_hot;
use biggan::model::Discriminator;
use biggan::train::probe::{self, Judgement};
use biggan::train::{RealBatch, TrainConfig, TrainState, spectra};
use burn::tensor::{Device, Tensor, TensorData};
use pollster::block_on;

use crate::dataset::Dataset;
use crate::records::probe_record::ProbeRecord;

/// Singular values of each layer that are written, as in the paper's figures: sigma0, sigma1, sigma2.
const SINGULAR_VALUES: usize = 3;

/// Images of one part of a data set that are shown to D at every probe.
#[derive(Debug)]
struct Shown {
    /// `[n, 3, resolution, resolution]`
    images_u8: Vec<u8>,
    labels: Vec<usize>,
}

impl Shown {
    /// At most `count` images.
    fn choose(dataset: &Dataset, count: usize, config: &TrainConfig) -> Result<Self> {
        let chosen = probe::chosen_reals(config.seed, dataset.len(), count);
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
        d: &Discriminator,
        config: &TrainConfig,
        device: &Device,
    ) -> Result<Option<Judgement>> {
        let side = config.generator.resolution;
        let images = self.images_u8.chunks(config.batch_size * 3 * side * side);
        let labels = self.labels.chunks(config.batch_size);
        let batches = images.zip(labels).map(|(images, labels)| {
            let images: Vec<f32> = images.iter().map(|&byte| from_u8(byte)).collect();
            let shape = [labels.len(), 3, side, side];
            Ok(RealBatch {
                images: Tensor::from_data(TensorData::new(images, shape), device),
                class_weights: one_hot(labels, config.generator.classes, device),
            })
        });
        block_on(probe::judge_reals(d, batches))
    }
}

/// The images that a run's probe shows to D.
#[derive(Debug)]
pub struct Probe {
    images: usize,
    training: Shown,
    held_out: Option<Shown>,
}

impl Probe {
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

    /// Probes a state; fakes come in whole batches.
    ///
    /// # Errors
    /// If the device fails.
    pub fn record(
        &self,
        state: &TrainState,
        config: &TrainConfig,
        device: &Device,
    ) -> Result<ProbeRecord> {
        let d = &state.discriminator;
        let d_held_out = match &self.held_out {
            Some(shown) => shown.judged(d, config, device)?,
            None => None,
        };
        let mut fakes = Vec::new();
        for batch in 0..self.images.div_ceil(config.batch_size) as u64 {
            fakes.extend(block_on(probe::fakes(state, config, batch, device))?.logits);
        }
        Ok(ProbeRecord {
            singular_values: block_on(spectra(&probe::weights(state), SINGULAR_VALUES))?,
            d_training: self.training.judged(d, config, device)?,
            d_held_out,
            d_fakes: Judgement::from_logits(&fakes, false),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::plan::Plan;
    use biggan::file::DatasetInfo;

    #[test]
    fn a_probe_changes_nothing_and_is_the_same_again() {
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
        let probe = Probe::new(&dataset(7), Some(&dataset(11)), 6, plan.train()).unwrap();
        let first = probe.record(&state, plan.train(), &device).unwrap();
        assert_eq!(before, pollster::block_on(state.to_host()).unwrap());
        assert_eq!(first, probe.record(&state, plan.train(), &device).unwrap());
        let counts = [first.d_training, first.d_held_out, first.d_fakes].map(|j| j.unwrap().images);
        // fakes come in whole batches of 4
        assert_eq!(counts, [6, 6, 8]);
        let alone = Probe::new(&dataset(7), None, 600, plan.train()).unwrap();
        let alone = alone.record(&state, plan.train(), &device).unwrap();
        assert_eq!(alone.d_training.unwrap().images, 9);
        assert_eq!(alone.d_held_out, None);
    }
}
