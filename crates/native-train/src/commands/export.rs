//! `native-train export RUN --out MODEL`: the averaged generator of a run as a model file (or a model in another type, by
//! `--dtype`); with `--onnx FILE` that of
//! a run or of a model for other programs, with `--hub DIR` as a repository of models.

mod hub;

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use biggan::class_names::ClassList;
use biggan::config::GeneratorConfig;
use biggan::file::{Dtype, ModelFile, read_metadata};
use biggan::onnx;
use biggan::standing_stats::StandingConfig;
use biggan::statistics_table::{RowRule, TablePosition};
use biggan::train::{CHECKPOINT_FORMAT, EXPORT_KIND, Pretrained};
use biggan::truncation::{LatentDistribution, Truncation, TruncationKind};
use burn::tensor::Device;

use crate::args::{ExportArgs, StoredType};
use crate::device;
use crate::error::{Outcome, bad_usage};
use crate::files::export::{model_of, off_and, write};
use crate::files::model_files::Target;
use crate::files::{class_list, model_files};
use crate::input_file;
use crate::run::atomic_file;
use crate::run::checkpoint::Checkpoint;
use crate::run::run_dir;

/// Largest share of the initial weights in an exported average: beyond it the pictures would show the
/// random initialisation.
const MAX_INITIAL_SHARE: f64 = 0.05;

/// Thresholds with their own statistics, besides `off`. The paper shows 2, 1.5, 1, 0.5 and 0.04
/// (BigGAN fig. 2a of the first version; later versions leave out 1.5); those in between are close enough
/// for sampling to interpolate well, which its tests check.
const THRESHOLDS: [f64; 13] = [
    0.04, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.5, 2.0,
];

/// Batches for the statistics of each truncation, unless `--passes` says otherwise.
const PASSES: usize = 100;

/// Runs the command.
///
/// # Errors
/// If there is no checkpoint, the average is too young, a model is asked for as a model, the truncation is out of range,
/// or the file cannot be written.
pub fn run(args: &ExportArgs) -> Result<Outcome> {
    let device = device::open(args.device.name)?;
    if args.passes == Some(0) {
        return Err(bad_usage("--passes is 0; it must be 1 or more"));
    }
    match (&args.out, &args.onnx, &args.hub) {
        (_, Some(path), _) => export_onnx(args, path, &device),
        (Some(path), ..) => export_model(args, path, &device),
        (None, None, Some(directory)) => hub::export(args, directory, &device),
        (None, None, None) => Err(bad_usage("give --out MODEL, --onnx FILE or --hub DIR")),
    }
}

fn export_model(args: &ExportArgs, path: &Path, device: &Device) -> Result<Outcome> {
    let target = Target::new(path, args.shard_size.map(|size| size.0))?;
    // a model in another type, with the statistics that it has
    if args.dtype.is_some()
        && let Some(file) = read_model(&args.run)?
    {
        let (file, _) = of_model(args, file)?;
        write(&file, dtype(args), &target, device)?;
        return Ok(Outcome::Done);
    }
    let checkpoint = read_checkpoint(&args.run)?;
    let truncations = off_and(&THRESHOLDS, checkpoint.plan.train().generator.latent);
    let file = averaged(args, checkpoint, truncations, device)?;
    write(&file, dtype(args), &target, device)?;
    Ok(Outcome::Done)
}

/// A model as it is, or that of a run with its networks.
fn of_model_or_run(args: &ExportArgs, device: &Device) -> Result<hub::Found> {
    if let Some(file) = read_model(&args.run)? {
        return of_model(args, file);
    }
    let checkpoint = read_checkpoint(&args.run)?;
    let networks = Pretrained::from_checkpoint(
        checkpoint.plan.train(),
        checkpoint.class_names.clone(),
        checkpoint.tensors.clone(),
    );
    let truncations = off_and(&THRESHOLDS, checkpoint.plan.train().generator.latent);
    Ok((
        averaged(args, checkpoint, truncations, device)?,
        Some(networks),
    ))
}

fn of_model(args: &ExportArgs, mut file: ModelFile) -> Result<hub::Found> {
    if args.passes.is_some() {
        return Err(of_runs(args, "--passes"));
    }
    if let Some(names) = class_names(args, file.info.generator.classes)? {
        class_list::rename(&mut file.info, names);
    }
    Ok((file, None))
}

/// The generator as ONNX: of a model, or of a run as the model that would be made of it.
fn export_onnx(args: &ExportArgs, path: &Path, device: &Device) -> Result<Outcome> {
    let file = match read_model(&args.run)? {
        Some(mut file) => {
            refuse_options_of_runs(args)?;
            let config = &file.info.generator;
            let names = class_names(args, config.classes)?;
            check_truncation(args, config, file.info.truncation_kind)?;
            if let Some(names) = names {
                class_list::rename(&mut file.info, names);
            }
            file
        }
        None => {
            let checkpoint = read_checkpoint(&args.run)?;
            let config = &checkpoint.plan.train().generator;
            check_truncation(args, config, EXPORT_KIND)?;
            // of the model's table only the rows that count: each takes as long as the others
            let rows = off_and(&THRESHOLDS, config.latent);
            let rule = RowRule::default();
            let place = TablePosition::find(&rows, EXPORT_KIND, args.truncation, rule)?;
            let mut needed = vec![rows[place.row], rows[place.next]];
            needed.dedup();
            averaged(args, checkpoint, needed, device)?
        }
    };
    let bytes = onnx::encode(&file, args.truncation)
        .with_context(|| format!("{} as ONNX", args.run.display()))?;
    onnx::check(&bytes)?;
    atomic_file::write(path, &bytes)?;
    note!(
        "{}: {} bytes, ONNX of opset {}, statistics at truncation {}",
        path.display(),
        bytes.len(),
        onnx::OPSET,
        args.truncation
    );
    Ok(Outcome::Done)
}

/// Type of the stored values.
fn dtype(args: &ExportArgs) -> Dtype {
    args.dtype.unwrap_or(StoredType::F16).into()
}

/// Refuses what a model's own table and values would make an option without effect.
fn refuse_options_of_runs(args: &ExportArgs) -> Result<()> {
    let given = [
        ("--passes", args.passes.is_some()),
        ("--dtype", args.dtype.is_some()),
    ];
    match given.into_iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((option, _)) => Err(of_runs(args, option)),
    }
}

fn of_runs(args: &ExportArgs, option: &str) -> anyhow::Error {
    bad_usage(format!(
        "{option} is for runs and checkpoints, and {} is a model: its statistics and values stay as they are; \
         leave {option} out",
        args.run.display()
    ))
}

fn check_truncation(
    args: &ExportArgs,
    config: &GeneratorConfig,
    kind: TruncationKind,
) -> Result<()> {
    match LatentDistribution::new(config.latent, kind, args.truncation) {
        Ok(_) => Ok(()),
        Err(error) => Err(bad_usage(error.to_string())),
    }
}

fn class_names(args: &ExportArgs, classes: usize) -> Result<Option<ClassList>> {
    let names = args.class_names.as_deref();
    names
        .map(|path| class_list::read(path, classes))
        .transpose()
}

/// The averaged generator of a checkpoint with these rows of statistics.
fn averaged(
    args: &ExportArgs,
    checkpoint: Checkpoint,
    truncations: Vec<Truncation>,
    device: &Device,
) -> Result<ModelFile> {
    let train = checkpoint.plan.train();
    let names = class_names(args, train.generator.classes)?;
    refuse_young_average(&checkpoint, &args.run)?;
    let standing = StandingConfig {
        passes: args.passes.unwrap_or(PASSES),
        batch_size: train.batch_size,
        seed: train.seed,
    };
    let mut file = model_of(checkpoint, truncations, standing, dtype(args), device)?;
    if let Some(names) = names {
        class_list::rename(&mut file.info, names);
    }
    Ok(file)
}

/// The model at a path; `None` if it is a directory or another file, such as a checkpoint.
fn read_model(path: &Path) -> Result<Option<ModelFile>> {
    if path.is_dir() {
        return Ok(None);
    }
    if model_files::is_index(path) {
        return model_files::read(path).map(Some);
    }
    let bytes = input_file::read("model or checkpoint", path)?;
    let metadata = read_metadata(&bytes).with_context(|| path.display().to_string())?;
    match metadata.get("format").map(String::as_str) {
        Some(CHECKPOINT_FORMAT) => Ok(None),
        _ => model_files::of_bytes(path, &bytes).map(Some),
    }
}

fn read_checkpoint(run: &Path) -> Result<Checkpoint> {
    if run.is_file() {
        return run_dir::read_checkpoint(run);
    }
    let newest = run_dir::newest_checkpoint(run, |line| note!("{line}"))?;
    let (_, checkpoint) = newest.ok_or_else(|| {
        anyhow!(
            "{} has no checkpoint; give the directory of a run that has written one{}",
            run.display(),
            input_file::suggestion(run)
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
