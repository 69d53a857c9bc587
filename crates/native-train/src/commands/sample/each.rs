//! `sample --each DIR`: any number of single pictures, `DIR/<class>/000000.png`; the same command continues where it
//! was stopped.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use biggan::file::ModelFile;
use biggan::image::to_rgba;
use biggan::latent::{Latents, one_hot_values};
use biggan::sampler::Sampler;
use biggan::truncation::LatentDistribution;
use burn::tensor::Device;
use pollster::block_on;
use sha2::{Digest, Sha256};

use crate::args::SampleArgs;
use crate::error::{Outcome, bad_usage};
use crate::files::folder_names::folder_names;
use crate::files::single_picture::{self, Drawn, Found};
use crate::run::atomic_file;
use crate::terminal::Counter;

/// Pixels of the pictures drawn together: bounds the memory, not the result.
const PIXELS_AT_ONCE: usize = 1 << 20;
/// Most pictures drawn together: what a stopped command draws again.
const MOST_AT_ONCE: usize = 64;

/// What to draw.
pub(super) struct Each<'a> {
    /// The request.
    pub args: &'a SampleArgs,
    /// The model.
    pub sampler: &'a Sampler,
    /// Digest of its weights, see [`digest`].
    pub digest: String,
    /// Where z is from.
    pub distribution: LatentDistribution,
    /// Classes, in the order of the request.
    pub classes: Vec<usize>,
    /// Where to compute.
    pub device: &'a Device,
}

/// A picture that is to be drawn.
struct Missing {
    path: PathBuf,
    drawn: Drawn,
}

/// SHA-256 of a model's architecture and weights. Names, scores and the form of the file change no picture.
///
/// # Errors
/// If the architecture cannot be written as JSON.
pub(super) fn digest(file: &ModelFile) -> Result<String> {
    let mut hash = Sha256::new();
    hash.update(serde_json::to_vec(&file.info.generator).context("the model's architecture")?);
    for (name, tensor) in &file.tensors.0 {
        hash.update(format!("{name} {:?}", tensor.shape));
        for value in &tensor.values {
            hash.update(value.to_le_bytes());
        }
    }
    let bytes = hash.finalize();
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

impl Each<'_> {
    /// Draws what is not there yet.
    ///
    /// # Errors
    /// If a file is there that is not the picture of its name, or one cannot be written, or the model is broken.
    pub fn run(&self, directory: &Path) -> Result<Outcome> {
        if self.args.count == 0 {
            return Err(bad_usage(
                "--count is 0; give 1 or more pictures of each class",
            ));
        }
        let started = Instant::now();
        let info = self.sampler.info();
        let folders = folder_names(&info.class_names);
        let mut seen = BTreeSet::new();
        let classes: Vec<(usize, PathBuf)> = self
            .classes
            .iter()
            .filter(|&&class| seen.insert(class))
            .map(|&class| (class, directory.join(&folders[class])))
            .collect();
        for (_, folder) in &classes {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("directory {}", folder.display()))?;
            atomic_file::remove_partial(folder)?;
        }
        let total = (classes.len() as u64).saturating_mul(self.args.count as u64);
        let progress = Counter::new(total, "pictures");
        let side = info.generator.resolution;
        let at_once = (PIXELS_AT_ONCE / (side * side)).clamp(1, MOST_AT_ONCE);
        let mut missing = Vec::with_capacity(at_once);
        let (mut there, mut new) = (0u64, 0u64);
        // index by index, so that a part of them is a part of every class
        for index in 0..self.args.count as u64 {
            for (class, folder) in &classes {
                let path = folder.join(format!("{index:06}.png"));
                let drawn = self.drawn(*class, index);
                if single_picture::find(&path, &drawn, side)? == Found::Whole {
                    there += 1;
                    continue;
                }
                missing.push(Missing { path, drawn });
                if missing.len() == at_once {
                    new += self.draw(&mut missing)?;
                    progress.show(there + new);
                }
            }
        }
        new += self.draw(&mut missing)?;
        progress.finish();
        let secs = started.elapsed().as_secs_f64();
        let before = match there {
            0 => String::new(),
            _ => format!(" ({there} were there)"),
        };
        note!(
            "{}: {total} pictures of {} classes{before}, {new} drawn in {secs:.1} s",
            directory.display(),
            classes.len()
        );
        Ok(Outcome::Done)
    }

    fn drawn(&self, class: usize, index: u64) -> Drawn {
        Drawn {
            model: self.digest.clone(),
            class,
            seed: self.args.seed,
            index,
            truncation: self.distribution.to_string(),
            hf_compat: self.args.hf_compat,
        }
    }

    /// Draws and writes pictures; returns their number.
    fn draw(&self, missing: &mut Vec<Missing>) -> Result<u64> {
        if missing.is_empty() {
            return Ok(0);
        }
        let config = &self.sampler.info().generator;
        let z: Vec<f32> = missing
            .iter()
            .flat_map(|Missing { drawn, .. }| {
                self.sampler
                    .latents(drawn.seed, drawn.index, 1, self.distribution)
            })
            .collect();
        let labels: Vec<usize> = missing.iter().map(|one| one.drawn.class).collect();
        let weights = one_hot_values(&labels, config.classes);
        let dims = [config.z_dim, config.classes];
        let latents = Latents::from_values(z, weights, dims, self.device);
        let images = self
            .sampler
            .generate(latents, self.distribution.truncation());
        let images = to_rgba(&block_on(images)?.images_pm1, config.resolution)?;
        let count = missing.len() as u64;
        for (Missing { path, drawn }, rgba) in missing.drain(..).zip(images) {
            single_picture::write(&path, &rgba, config.resolution, &drawn)?;
        }
        Ok(count)
    }
}
