//! A model file from a checkpoint: the averaged generator with its statistics.

use anyhow::{Context, Result};
use biggan::file::{Dtype, ModelFile};
use biggan::latent_kind::LatentKind;
use biggan::model::Generator;
use biggan::sampler::Sampler;
use biggan::standing_stats::{StandingConfig, standing_table};
use biggan::train::{ModelCard, averaged_model};
use biggan::truncation::{Truncation, TruncationKind};
use burn::tensor::Device;
use indicatif::{ProgressBar, ProgressStyle};
use pollster::block_on;

use super::model_files::Target;
use crate::run::checkpoint::Checkpoint;

/// Off, and these thresholds if the latents can be truncated.
pub fn off_and(thresholds: &[f64], latent: LatentKind) -> Vec<Truncation> {
    let thresholds = thresholds.iter().filter(|_| latent.truncates());
    let thresholds = thresholds.copied().map(Truncation::Threshold);
    std::iter::once(Truncation::Off).chain(thresholds).collect()
}

/// The averaged generator of a checkpoint as a model, with statistics for each truncation.
///
/// # Errors
/// If tensors and plan do not match, a truncation is out of range, or the device fails.
pub fn model_of(
    checkpoint: Checkpoint,
    truncations: Vec<Truncation>,
    standing: StandingConfig,
    dtype: Dtype,
    device: &Device,
) -> Result<ModelFile> {
    let plan = checkpoint.plan.clone();
    let card = ModelCard {
        class_names: checkpoint.class_names.clone(),
        dataset: checkpoint.dataset.clone(),
        program: concat!("native-train ", env!("CARGO_PKG_VERSION")).to_owned(),
        recipe: plan.name().to_owned(),
        seed: plan.train().seed,
    };
    let state = checkpoint.into_state(device)?;
    let bar = RowBar::new(truncations.len())?;
    let on_row = |truncation| bar.next(truncation);
    let model = averaged_model(&state, card, truncations, standing, dtype, device, on_row);
    Ok(block_on(model)?)
}

/// A row of statistics for each truncation.
///
/// # Errors
/// If a truncation is out of the kind's range, or the device fails.
pub fn statistics(
    generator: &Generator,
    kind: TruncationKind,
    truncations: &[Truncation],
    standing: StandingConfig,
    device: &Device,
) -> Result<Vec<Vec<[Vec<f32>; 2]>>> {
    let bar = RowBar::new(truncations.len())?;
    let on_row = |truncation| bar.next(truncation);
    let rows = standing_table(generator, kind, truncations, standing, device, on_row);
    Ok(block_on(rows)?)
}

/// Shows which row of statistics is being gathered.
struct RowBar(ProgressBar);

impl RowBar {
    fn new(rows: usize) -> Result<Self> {
        let bar = ProgressBar::new(rows as u64);
        bar.set_style(
            ProgressStyle::with_template("statistics {bar:24} truncation {msg}  {eta} left")
                .context("the progress bar's template")?,
        );
        Ok(Self(bar))
    }

    fn next(&self, truncation: Truncation) {
        if !self.0.message().is_empty() {
            self.0.inc(1);
        }
        self.0.set_message(truncation.to_string());
    }
}

impl Drop for RowBar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Writes a model after checking that it loads, and prints what was written.
///
/// # Errors
/// If it does not load, or a file cannot be written.
pub fn write(file: &ModelFile, dtype: Dtype, target: &Target, device: &Device) -> Result<()> {
    let encoded = target.encode(file, dtype)?;
    // the written bytes must load
    Sampler::new(encoded.decode()?, device)?;
    encoded.write()?;
    eprintln!(
        "{}: {} bytes in {} file(s), trained on {} images of {}",
        encoded.path().display(),
        encoded.bytes(),
        encoded.count(),
        file.info.provenance.images_seen,
        file.info.dataset.name,
    );
    Ok(())
}
