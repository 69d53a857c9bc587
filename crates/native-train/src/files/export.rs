//! A model file from a checkpoint: the averaged generator with its statistics.

use std::cell::Cell;

use anyhow::Result;
use biggan::file::{Dtype, ModelFile};
use biggan::latent_kind::LatentKind;
use biggan::model::Generator;
use biggan::sampler::Sampler;
use biggan::standing_stats::{StandingConfig, standing_table};
use biggan::train::{ModelCard, averaged_model};
use biggan::truncation::{Truncation, TruncationKind};
use burn::tensor::Device;
use pollster::block_on;

use super::model_files::Target;
use crate::run::checkpoint::Checkpoint;
use crate::terminal::Bar;

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
    let bar = RowBar::new(truncations.len());
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
    let bar = RowBar::new(truncations.len());
    let on_row = |truncation| bar.next(truncation);
    let rows = standing_table(generator, kind, truncations, standing, device, on_row);
    Ok(block_on(rows)?)
}

/// Shows which row of statistics is being gathered.
struct RowBar {
    bar: Bar,
    /// Whether a row was begun.
    begun: Cell<bool>,
}

impl RowBar {
    fn new(rows: usize) -> Self {
        let bar = Bar::new(rows, "statistics {bar:24} truncation {msg}  {eta} left");
        Self {
            bar,
            begun: Cell::new(false),
        }
    }

    fn next(&self, truncation: Truncation) {
        if self.begun.replace(true) {
            self.bar.inc(1);
        }
        self.bar.set_message(&truncation.to_string());
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
    note!(
        "{}: {} bytes in {} file(s), trained on {} images of {}",
        encoded.path().display(),
        encoded.bytes(),
        encoded.count(),
        file.info.provenance.images_seen,
        file.info.dataset.name,
    );
    Ok(())
}
