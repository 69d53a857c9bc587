//! The finished run of a row, measured: each checkpoint's score, and the last state's spectra and D.

use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use biggan::collective::Group;
use biggan::file::Dtype;
use biggan::metrics::{Normal, RANDOM_CLASSES, saturated};
use biggan::sampler::Sampler;
use biggan::standing_stats::StandingConfig;
use biggan::train::probe;
use biggan::train::{BatchRows, Reals, TrainState, spectra};
use biggan::truncation::Truncation;
use burn::tensor::Device;
use pollster::block_on;

use super::result::{Accuracy, Point, Protocol, Spectra, TruncationPoint};
use crate::dataset::{Dataset, Loader, Split};
use crate::environment::Environment;
use crate::evaluation::PAPER;
use crate::evaluation::features::{CHUNK, Counts, real_images, samples};
use crate::evaluation::networks::{OpenNetwork, open_classifier};
use crate::files::export;
use crate::input_file;
use crate::recipe::plan::Plan;
use crate::run::checkpoint::Checkpoint;
use crate::training::run;

/// Images per batch for the batch norm statistics of a model; there are as many batches as the
/// scores during training need samples.
const STANDING_BATCH: usize = 64;
/// Real images for D's accuracy, fewer if there are not enough.
const ACCURACY_IMAGES: usize = 2000;
/// Seed of the scored samples: the same z for all rows.
const SEED: u64 = 0;

/// The score of a model's samples.
struct Score {
    frechet: f64,
    saturated: f64,
}

/// Measures checkpoints of one data set in the features of one classifier.
pub struct Judge {
    open: OpenNetwork,
    train: Dataset,
    test: Dataset,
    real: Normal,
    real_saturated: f64,
    samples: usize,
    device: Device,
}

impl Judge {
    /// Reads the classifier and computes the features of all training images.
    ///
    /// # Errors
    /// If the classifier or the data cannot be read, or do not match.
    pub fn new(
        classifier: &Path,
        plan: &Plan,
        samples: usize,
        environment: &Environment,
        device: &Device,
    ) -> Result<Self> {
        let open = open_classifier(classifier, device)?;
        let generator = &plan.train().generator;
        open.check(generator.resolution, generator.classes)?;
        let train = run::load(plan, Split::Train, environment)?;
        if let Some(unsure) = open.check_classes(&train.class_names, &train.info)? {
            note!("note: {unsure}");
        }
        let (network, counts) = (&*open.network, only(train.len()));
        let real = real_images(
            &train,
            network,
            generator.resolution,
            counts,
            SEED,
            device,
            &Group::single(),
        )?;
        Ok(Self {
            test: run::load(plan, Split::Test, environment)?,
            real: Normal::from_moments(&real.moments),
            real_saturated: real_saturated(&train, generator.resolution)?,
            train,
            open,
            samples,
            device: device.clone(),
        })
    }

    /// How it scores.
    pub fn protocol(&self) -> Protocol {
        Protocol {
            classifier: self.open.network.info().name.clone(),
            samples: self.samples,
            samples_on_the_way: self.few(),
            statistics_samples: self.standing().passes * STANDING_BATCH,
            dataset: self.train.info.name.clone(),
            real_images: self.train.len(),
            real_saturated: self.real_saturated,
            classes: RANDOM_CLASSES.to_owned(),
        }
    }

    /// Samples for the scores during training.
    fn few(&self) -> usize {
        (self.samples * 2 / 5).max(2)
    }

    /// Scores every checkpoint with few samples, in order.
    ///
    /// # Errors
    /// If one cannot be read, or the device fails.
    pub fn points(&self, checkpoints: &[PathBuf]) -> Result<Vec<Point>> {
        let score = |path: &PathBuf| self.point(path, self.few());
        checkpoints.iter().map(score).collect()
    }

    /// The checkpoint with the lowest of these scores and the last one, scored with all samples.
    ///
    /// # Errors
    /// As [`Judge::points`].
    pub fn best_and_last(
        &self,
        checkpoints: &[PathBuf],
        points: &[Point],
    ) -> Result<[Option<Point>; 2]> {
        let lowest = (0..points.len()).min_by(|&a, &b| {
            let frechet = |index: usize| points[index].frechet;
            frechet(a).total_cmp(&frechet(b))
        });
        let at = |index: usize| self.point(&checkpoints[index], self.samples);
        let best = lowest.map(at).transpose()?;
        let last = points.len().checked_sub(1);
        let last = if last == lowest {
            best
        } else {
            last.map(at).transpose()?
        };
        Ok([best, last])
    }

    fn point(&self, path: &Path, samples: usize) -> Result<Point> {
        let checkpoint = read(path)?;
        let counters = checkpoint.counters.clone();
        let model = self.model(checkpoint, vec![Truncation::Off])?;
        Ok(Point {
            images_seen: counters.images_seen,
            g_step: counters.g_step,
            frechet: self.score(&model, Truncation::Off, samples)?.frechet,
        })
    }

    /// A checkpoint over the truncations of the paper's figure 2a, off first.
    ///
    /// # Errors
    /// As [`Judge::points`].
    pub fn truncations(&self, path: &Path) -> Result<Vec<TruncationPoint>> {
        let checkpoint = read(path)?;
        let all = export::off_and(&PAPER, checkpoint.plan.train().generator.latent);
        let model = self.model(checkpoint, all.clone())?;
        let at = |truncation| {
            let score = self.score(&model, truncation, self.few())?;
            Ok(TruncationPoint {
                truncation,
                frechet: score.frechet,
                saturated: score.saturated,
            })
        };
        all.into_iter().map(at).collect()
    }

    fn standing(&self) -> StandingConfig {
        StandingConfig {
            passes: self.few().div_ceil(STANDING_BATCH),
            batch_size: STANDING_BATCH,
            seed: SEED,
        }
    }

    fn model(&self, checkpoint: Checkpoint, truncations: Vec<Truncation>) -> Result<Sampler> {
        let (standing, device) = (self.standing(), &self.device);
        let file = export::model_of(checkpoint, truncations, standing, Dtype::F32, device)?;
        Ok(Sampler::new(file, device)?)
    }

    /// As `evaluate` scores a model.
    fn score(&self, model: &Sampler, truncation: Truncation, count: usize) -> Result<Score> {
        let distribution = model.distribution(truncation)?;
        let (network, device) = (&*self.open.network, &self.device);
        let made = samples(
            model,
            network,
            distribution,
            only(count),
            SEED,
            device,
            &Group::single(),
        )?;
        Ok(Score {
            frechet: Normal::from_moments(&made.moments).frechet_distance(&self.real),
            saturated: made.saturated,
        })
    }

    /// Singular values and D's accuracy of a checkpoint.
    ///
    /// # Errors
    /// As [`Judge::points`].
    pub fn state(&self, path: &Path) -> Result<(Spectra, Option<Accuracy>)> {
        let checkpoint = read(path)?;
        let plan = checkpoint.plan.clone();
        let state = checkpoint.into_state(&self.device)?;
        Ok((spectra_of(&state)?, self.accuracy(&plan, &state)?))
    }

    /// None where the objective has no boundary.
    fn accuracy(&self, plan: &Plan, state: &TrainState) -> Result<Option<Accuracy>> {
        let config = plan.train();
        let resolution = config.generator.resolution;
        let mut seen = Loader::new(self.train.clone(), config.seed, resolution);
        let count = ACCURACY_IMAGES.min(self.train.len()) as u64;
        let training = chunks(count.min(state.images_seen) as usize).map(|Range { start, end }| {
            seen.batch(start as u64, &BatchRows::all(end - start), &self.device)
        });
        // files are in the order of their classes
        let chosen = probe::chosen_reals(SEED, self.test.len(), ACCURACY_IMAGES);
        let held_out = chosen
            .chunks(CHUNK)
            .map(|indices| self.test.reals(indices, resolution, &self.device));
        let (d, objective) = (&state.discriminator, config.techniques.objective);
        let training = block_on(probe::judge_reals(objective, d, training))?;
        let held_out = block_on(probe::judge_reals(objective, d, held_out))?;
        let [training, held_out] = [training, held_out].map(|judged| judged?.accuracy);
        Ok(training
            .zip(held_out)
            .map(|(training, held_out)| Accuracy { training, held_out }))
    }
}

/// Counts for scores that need only moments.
fn only(count: usize) -> Counts {
    Counts {
        count,
        neighbours: 0,
        recognised: 0,
    }
}

fn read(path: &Path) -> Result<Checkpoint> {
    let named = || format!("checkpoint {}", path.display());
    Checkpoint::decode(&input_file::read("checkpoint", path)?).with_context(named)
}

/// Share of the saturated values of all images.
fn real_saturated(data: &Dataset, resolution: usize) -> Result<f64> {
    let (mut sum, mut image) = (0.0, Vec::new());
    for first in (0..data.len()).step_by(CHUNK) {
        let indices: Vec<usize> = (first..data.len().min(first + CHUNK)).collect();
        for image_u8 in data.read(&indices)? {
            image.clear();
            data.push_pm1(&image_u8, resolution, &mut image);
            sum += saturated(&image);
        }
    }
    Ok(sum / data.len() as f64)
}

/// `0..count`, some at a time.
fn chunks(count: usize) -> impl Iterator<Item = Range<usize>> {
    let firsts = (0..count).step_by(CHUNK);
    firsts.map(move |first| first..count.min(first + CHUNK))
}

fn spectra_of(state: &TrainState) -> Result<Spectra> {
    let weights = probe::weights(state);
    let sigma = |choose: fn(&str) -> bool| {
        // names sort by block: no network here has ten
        let last = weights.iter().rfind(|(name, _)| choose(name));
        let last = last.map(|(name, weight)| (name.clone(), weight.clone()));
        let found = block_on(spectra(&last.into_iter().collect(), 3))?;
        Ok::<_, biggan::Error>(found.into_values().next().unwrap_or_default())
    };
    Ok(Spectra {
        generator_first: sigma(|name| name == "generator.linear.weight")?,
        discriminator_last: sigma(|name| {
            let conv = name.starts_with("discriminator.blocks.") && name.ends_with(".weight");
            conv && !name.contains("conv_sc") && !name.contains("attention")
        })?,
    })
}
