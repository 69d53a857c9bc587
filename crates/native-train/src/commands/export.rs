//! `native-train export RUN --out MODEL`: the averaged generator of a run as a model file.

use std::path::Path;

use anyhow::{Context, Result, anyhow};
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

use crate::args::ExportArgs;
use crate::device;
use crate::error::{Outcome, bad_usage};
use crate::files::model_files::Target;
use crate::run::checkpoint::Checkpoint;
use crate::run::run_dir;

/// Largest weight of the initial weights in an average that is exported: beyond it the pictures
/// would show the random beginning.
const MAX_INITIAL_SHARE: f64 = 0.05;

/// Thresholds with statistics of their own, beside `off`. The paper shows 2, 1.5, 1, 0.5 and 0.04
/// (BigGAN fig. 2a of the first version; later ones leave out 1.5); those between are as close as
/// sampling interpolates well, which its tests check.
const THRESHOLDS: [f64; 13] = [
    0.04, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.5, 2.0,
];

/// Runs the command.
///
/// # Errors
/// If there is no checkpoint, the average is too young, or the file cannot be written.
pub fn run(args: &ExportArgs) -> Result<Outcome> {
    let device = device::open(args.device)?;
    if args.passes == 0 {
        return Err(bad_usage("--passes is 0; it must be 1 or more"));
    }
    let target = Target::new(&args.out, args.shard_size.map(|size| size.0))?;
    let checkpoint = read_checkpoint(&args.run)?;
    refuse_young_average(&checkpoint, &args.run)?;
    let train = checkpoint.plan.train();
    let standing = StandingConfig {
        passes: args.passes,
        batch_size: train.batch_size,
        seed: train.seed,
    };
    let truncations = off_and(&THRESHOLDS, train.generator.latent);
    let dtype = args.dtype.into();
    let file = model_of(checkpoint, truncations, standing, dtype, &device)?;
    write(&file, dtype, &target, &device)?;
    Ok(Outcome::Done)
}

/// Off, and these thresholds where the latents can be truncated.
pub fn off_and(thresholds: &[f64], latent: LatentKind) -> Vec<Truncation> {
    let thresholds = thresholds.iter().filter(|_| latent.truncates());
    let thresholds = thresholds.copied().map(Truncation::Threshold);
    std::iter::once(Truncation::Off).chain(thresholds).collect()
}

/// The averaged generator of a checkpoint as a model, with statistics for each truncation.
///
/// # Errors
/// If tensors and plan do not fit, a truncation is out of range, or the device fails.
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

fn read_checkpoint(run: &Path) -> Result<Checkpoint> {
    if run.is_file() {
        return run_dir::read_checkpoint(run);
    }
    let newest = run_dir::newest_checkpoint(run, |line| eprintln!("{line}"))?;
    let (_, checkpoint) = newest.ok_or_else(|| {
        anyhow!(
            "{} has no checkpoint; give the directory of a run that has written one",
            run.display()
        )
    })?;
    Ok(checkpoint)
}

fn refuse_young_average(checkpoint: &Checkpoint, run: &Path) -> Result<()> {
    let share = checkpoint.counters.ema_initial_share;
    if share <= MAX_INITIAL_SHARE {
        return Ok(());
    }
    Err(anyhow!(
        "{}: the averaged generator still is {:.1} % initial weights after {} generator steps, at most \
         {:.0} % are exported; train longer, or with a smaller train.ema.decay (now {})",
        run.display(),
        share * 100.0,
        checkpoint.counters.g_step,
        MAX_INITIAL_SHARE * 100.0,
        checkpoint.plan.train().ema.decay
    ))
}

/// A row of statistics for each truncation.
///
/// # Errors
/// If a truncation is out of the kind's range, or the device fails.
pub(super) fn statistics(
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

/// Shows which row of statistics is gathered.
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

/// Writes a model that loads, and says what was written.
///
/// # Errors
/// If it does not load, or a file cannot be written.
pub(super) fn write(
    file: &ModelFile,
    dtype: Dtype,
    target: &Target,
    device: &Device,
) -> Result<()> {
    let encoded = target.encode(file, dtype)?;
    // what was written must load
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
