//! Scores during training: `[run.score]` of a recipe, `scores.jsonl` of a run.
//!
//! The average of G is scored as `evaluate` scores a model, but with the statistics of its batches:
//! standing statistics would take longer than the score. The state does not change.

use std::ops::Range;

use anyhow::Result;
use biggan::collective::Group;
use biggan::metrics::{Moments, Normal, class_spread};
use biggan::random::Stream;
use biggan::train::{TrainState, probe};
use burn::tensor::Device;
use pollster::block_on;

use crate::dataset::Dataset;
use crate::evaluation::features::{CHUNK, as_seen, each, extract, in_turns};
use crate::evaluation::networks::{OpenNetwork, open_classifier};
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
    /// Spread within a class of the first images, as many as there are samples.
    spread: f64,
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

    /// Scores a state against its training images; the ranks of a group share the work, and each
    /// gets the score.
    ///
    /// # Errors
    /// If the device fails.
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
        let labels_of = |indices: Range<usize>| indices.map(|i| i % classes).collect();
        let look_at = |indices: Range<usize>| {
            let (first, n) = (indices.start as u64, indices.len());
            let z = probe::fixed_z(generator, self.seed, Stream::Sample, first, n);
            let chunk: Vec<usize> = labels_of(indices);
            let images = block_on(probe::samples(generator, z, &chunk, self.device))?;
            let said = extract(network, as_seen(&images, self.resolution, self.device))?;
            Ok((said, 0.0))
        };
        in_turns(self.samples, network, group, look_at, |indices, said, _| {
            watchdog.alive();
            let chunk: Vec<usize> = labels_of(indices);
            let hits = said.predicted.iter().zip(&chunk);
            right += hits.filter(|(said, label)| said == label).count();
            features.extend(said.features);
            labels.extend(chunk);
            Ok(())
        })?;
        let mut moments = Moments::new(dim);
        moments.add(&features);
        let record = ScoreRecord {
            g_step: state.g_step,
            images_seen: state.images_seen,
            frechet: Normal::from_moments(&moments).frechet_distance(&real.normal),
            recognised: right as f64 / self.samples as f64,
            spread: class_spread(&features, dim, &labels) / real.spread,
            protocol: format!(
                "{}: n={}, ref=train n={}, average of G, BN statistics of batches of {CHUNK}, \
                 truncation off, seed {}",
                network.info().name,
                self.samples,
                data.len(),
                self.seed
            ),
        };
        self.real = Some(real);
        Ok(record)
    }

    fn real(&self, data: &Dataset, group: &Group, watchdog: &Watchdog) -> Result<Real> {
        let network = &*self.open.network;
        let dim = network.info().features;
        let mut moments = Moments::new(dim);
        let (mut first, mut labels) = (Vec::new(), Vec::new());
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
                    if index < self.samples {
                        first.extend(features);
                        labels.push(usize::from(data.labels[index]));
                    }
                }
            },
        )?;
        let spread = class_spread(&first, dim, &labels);
        Ok(Real {
            normal: Normal::from_moments(&moments),
            spread,
        })
    }
}
