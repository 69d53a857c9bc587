//! Scores during training: `[run.score]` of a recipe, `scores.jsonl` of a run.
//!
//! The average of G is scored as `evaluate` scores a model, but with the statistics of its batches:
//! standing statistics would take longer than the score. The state does not change.

use std::ops::Range;

use anyhow::Result;
use biggan::collective::Group;
use biggan::metrics::{Moments, Normal, RANDOM_CLASSES, class_spread};
use biggan::random::Stream;
use biggan::train::{TrainState, probe};
use burn::tensor::Device;
use pollster::block_on;

use crate::dataset::Dataset;
use crate::evaluation::features::{CHUNK, as_seen, each, extract, in_turns, random_labels};
use crate::evaluation::networks::{OpenNetwork, open_classifier};
use crate::evaluation::{choice, remarks};
use crate::recipe::plan::Plan;
use crate::records::score_record::ScoreRecord;
use crate::training::job::Watchdog;

/// Computes scores.
#[derive(Debug)]
pub struct Scorer<'a> {
    open: OpenNetwork,
    resolution: usize,
    samples: usize,
    seed: u64,
    device: &'a Device,
    /// Computed for the first score and kept.
    real: Option<Real>,
}

/// The training images in the classifier's features.
#[derive(Debug)]
struct Real {
    normal: Normal,
    /// Spread within a class; `None` if no class has two images.
    spread: Option<f64>,
}

impl<'a> Scorer<'a> {
    /// Reads the classifier of a plan; `None` if the plan does not score.
    ///
    /// # Errors
    /// If the file cannot be read, is not a classifier, or was trained on other images.
    pub fn open(plan: &Plan, device: &'a Device) -> Result<Option<Self>> {
        let Some(section) = &plan.run().score else {
            return Ok(None);
        };
        let open = open_classifier(&section.classifier, device)?;
        let generator = &plan.train().generator;
        open.check(generator.resolution, generator.classes)?;
        Ok(Some(Self {
            open,
            resolution: generator.resolution,
            samples: section.samples,
            seed: plan.train().seed,
            device,
            real: None,
        }))
    }

    /// Refuses a classifier of other classes than the data set's, and returns what can be said of the scores before
    /// there are any.
    ///
    /// # Errors
    /// If the classes differ.
    pub fn check(&self, data: &Dataset) -> Result<Vec<String>> {
        let unsure = self.open.check_classes(&data.class_names, &data.info)?;
        Ok(unsure.into_iter().chain(self.remarks(data)).collect())
    }

    /// What makes the scores say less than they seem to.
    fn remarks(&self, data: &Dataset) -> Vec<String> {
        let info = self.open.network.info();
        let samples = self.samples;
        let few = remarks::few_for_features;
        let remedy = "give run.score.samples =";
        let of_samples = few(samples, "samples", info.features, remedy);
        let of_reals = few(data.len(), "real images", info.features, "train on");
        let of_classes = remarks::few_for_classes(samples, "samples", info.classes, remedy);
        of_samples
            .into_iter()
            .chain(of_reals)
            .chain(of_classes)
            .collect()
    }

    /// The protocol of the scores against a data set: scores of another one are not compared with them.
    pub fn protocol(&self, data: &Dataset) -> String {
        format!(
            "{}: n={}, ref=train n={}, spread by class, average of G, BN statistics of batches of {CHUNK}, \
             truncation off, {RANDOM_CLASSES}, seed {}",
            self.open.network.info().name,
            self.samples,
            data.len(),
            self.seed
        )
    }

    /// Scores a state against its training images; the ranks of a group share the work, and each
    /// gets the score.
    ///
    /// # Errors
    /// If the average of G is broken (its pixels are not finite), or the device fails.
    pub fn score(
        &mut self,
        state: &TrainState,
        data: &Dataset,
        group: &Group,
        watchdog: &Watchdog,
    ) -> Result<ScoreRecord> {
        let real = match self.real.take() {
            Some(real) => real,
            None => self.real(data, group, watchdog)?,
        };
        let network = &*self.open.network;
        let (dim, classes) = (network.info().features, network.info().classes);
        let (mut features, mut labels, mut right) = (Vec::new(), Vec::new(), 0);
        let generator = &state.ema.generator;
        let labels_of = |indices| random_labels(self.seed, indices, classes);
        let look_at = |indices: Range<usize>| {
            let (first, n) = (indices.start as u64, indices.len());
            let z = probe::fixed_z(generator, self.seed, Stream::Sample, first, n);
            let chunk: Vec<usize> = labels_of(indices);
            let images = block_on(probe::samples(generator, z, &chunk, self.device))?;
            let said = extract(network, as_seen(&images, self.resolution, self.device))?;
            // all ranks must learn of it: they fail together
            let broken = images.iter().any(|value| !value.is_finite());
            Ok((said, f64::from(u8::from(broken))))
        };
        in_turns(
            self.samples,
            network,
            group,
            look_at,
            |indices, said, broken| {
                watchdog.alive();
                if broken != 0.0 {
                    return Err(biggan::Error::not_finite("a pixel of the average of G")
                        .found("not finite")
                        .expected("finite, to be scored")
                        .into());
                }
                let chunk: Vec<usize> = labels_of(indices);
                let hits = said.predicted.iter().zip(&chunk);
                right += hits.filter(|(said, label)| said == label).count();
                features.extend(said.features);
                labels.extend(chunk);
                Ok(())
            },
        )?;
        let mut moments = Moments::new(dim);
        moments.add(&features);
        let spread = class_spread(&features, dim, &labels).zip(real.spread);
        let spread = spread.map(|(samples, real)| samples / real);
        let record = ScoreRecord {
            g_step: state.g_step,
            images_seen: state.images_seen,
            frechet: Normal::from_moments(&moments).frechet_distance(&real.normal),
            recognised: right as f64 / self.samples as f64,
            spread: spread.filter(|spread| spread.is_finite()),
            protocol: self.protocol(data),
            remarks: self.remarks(data),
        };
        self.real = Some(real);
        Ok(record)
    }

    fn real(&self, data: &Dataset, group: &Group, watchdog: &Watchdog) -> Result<Real> {
        let network = &*self.open.network;
        let dim = network.info().features;
        let mut moments = Moments::new(dim);
        let (mut of_classes, mut labels) = (Vec::new(), Vec::new());
        let chosen = choice::by_class(&data.labels, self.samples, self.seed);
        each(
            data,
            network,
            self.resolution,
            self.device,
            group,
            |indices, seen| {
                watchdog.alive();
                moments.add(seen);
                for (index, features) in indices.zip(seen.chunks_exact(dim)) {
                    if chosen[index] {
                        of_classes.extend(features);
                        labels.push(usize::from(data.labels[index]));
                    }
                }
            },
        )?;
        let spread = class_spread(&of_classes, dim, &labels);
        Ok(Real {
            normal: Normal::from_moments(&moments),
            spread,
        })
    }
}
