//! The probe of a run: always of the same images and latents.

use anyhow::Result;
use biggan::image::{from_u8, to_u8};
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
    /// `[n, classes]`, as the training shows them to D.
    class_weights: Vec<f32>,
}

impl Shown {
    /// At most `count` images.
    fn choose(dataset: &Dataset, count: usize, config: &TrainConfig) -> Result<Self> {
        let chosen = probe::chosen_reals(config.seed, dataset.len(), count);
        let mut shown = Self {
            images_u8: Vec::new(),
            class_weights: dataset.class_weights(&chosen),
        };
        let mut image = Vec::new();
        for image_u8 in dataset.read(&chosen)?.iter() {
            image.clear();
            dataset.push_pm1(image_u8, config.generator.resolution, &mut image);
            shown
                .images_u8
                .extend(image.iter().map(|&value| to_u8(value)));
        }
        Ok(shown)
    }

    fn judged(
        &self,
        d: &Discriminator,
        config: &TrainConfig,
        device: &Device,
    ) -> Result<Option<Judgement>> {
        let (side, classes) = (config.generator.resolution, config.generator.classes);
        // as many at a time as a step computes
        let at_once = config.techniques.micro_batch.unwrap_or(config.batch_size);
        let images = self.images_u8.chunks(at_once * 3 * side * side);
        let weights = self.class_weights.chunks(at_once * classes);
        let batches = images.zip(weights).map(|(images, weights)| {
            let n = weights.len() / classes;
            let images: Vec<f32> = images.iter().map(|&byte| from_u8(byte)).collect();
            let images = TensorData::new(images, [n, 3, side, side]);
            let weights = TensorData::new(weights.to_vec(), [n, classes]);
            Ok(RealBatch {
                images: Tensor::from_data(images, device),
                class_weights: Tensor::from_data(weights, device),
            })
        });
        block_on(probe::judge_reals(config.techniques.objective, d, batches))
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
            d_fakes: Judgement::from_logits(config.techniques.objective, &fakes, false),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::plan::Plan;
    use biggan::file::{DatasetInfo, LabelRows};

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
                source: None,
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
    /// With several labels D's logit is of their mixture, as in training: that of the first label is another.
    #[test]
    fn an_image_with_several_labels_is_shown_with_all_of_them() {
        let recipe = include_str!("../../../../configs/fashion32.toml");
        let narrow = [
            "train.generator.channels=2",
            "train.discriminator.channels=2",
            "train.batch_size=4",
        ];
        let plan = Plan::parse(recipe, &narrow.map(str::to_owned)).unwrap();
        let mut rows = LabelRows::default();
        rows.push(&[2, 5, 7, 8]);
        let mut dataset = Dataset {
            images_u8: (0..28 * 28)
                .map(|i| (i % 251) as u8)
                .collect::<Vec<u8>>()
                .into(),
            shape: [1, 28, 28],
            labels: rows.first(),
            label_rows: Some(rows),
            class_names: (0..10).map(|c| c.to_string()).collect(),
            info: DatasetInfo {
                name: "one".into(),
                images: 1,
                sha256: vec![],
                source: None,
            },
        };
        let device = Device::flex();
        let state = TrainState::new(plan.train(), &device).unwrap();
        let logit = |dataset: &Dataset| {
            let probe = Probe::new(dataset, None, 1, plan.train()).unwrap();
            let record = probe.record(&state, plan.train(), &device).unwrap();
            record.d_training.unwrap().mean_logit
        };
        let all = logit(&dataset);
        let mut each = Vec::new();
        dataset.label_rows = None;
        for label in [2, 5, 7, 8] {
            dataset.labels = vec![label];
            each.push(logit(&dataset));
        }
        // the projection is linear in the class weights
        let mean = each.iter().sum::<f64>() / 4.0;
        assert!((all - mean).abs() < 1e-5, "{all} {each:?}");
        assert!((all - each[0]).abs() > 1e-4, "{all} {each:?}");
    }
}
