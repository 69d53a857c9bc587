//! `native-train --config FILE`: trains, from the beginning or from a checkpoint.

use std::path::PathBuf;

use anyhow::{Result, bail};
use biggan::train::TrainState;
use burn::tensor::Device;

use super::Environment;
use crate::args::TrainArgs;
use crate::dataset::{self, Dataset, DatasetRequest, Loader, Split};
use crate::device;
use crate::error::{Outcome, bad_usage};
use crate::interrupt::Interrupt;
use crate::plan::Plan;
use crate::run_dir::{self, RunDir};
use crate::train_loop::Training;

/// Runs the command.
///
/// # Errors
/// If the recipe or the run directory does not allow it, the data cannot be had, or training fails.
pub fn run(args: &TrainArgs, environment: &Environment) -> Result<Outcome> {
    let Some(config) = &args.config else {
        return Err(bad_usage(
            "no recipe; give one with --config, for example --config configs/fashion32.toml",
        ));
    };
    let plan = Plan::read(config, &args.set)?;
    let out = args
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from("runs").join(plan.name()));
    if args.dry_run {
        print!("{}{}", plan.to_json()?, super::inspect::plan(&plan)?);
        return Ok(Outcome::Done);
    }
    let device = device::open(args.device)?;
    let run_dir = RunDir::open(&out)?;
    let resumed = checkpoint_to_resume(args, &plan, &run_dir)?;
    let train = plan.train();
    let request = DatasetRequest {
        section: plan.data(),
        split: Split::Train,
        classes: train.generator.classes,
    };
    let dataset = dataset::load(
        &request,
        train.generator.resolution,
        environment.data_home.as_deref(),
    )?;
    let state = start(resumed, &plan, &dataset, &device)?;
    run_dir.write_plan(&plan)?;
    eprintln!(
        "{}: {} images of {}, into {}",
        plan.name(),
        dataset.len(),
        dataset.info.name,
        out.display()
    );
    let loader =
        Loader::new(dataset, train.seed, train.generator.resolution).with_flips(plan.data().flip);
    let training = Training {
        plan: &plan,
        loader,
        run_dir: &run_dir,
        device: &device,
        interrupt: Interrupt::install()?,
        max_steps: args.steps,
    };
    training.run(state)
}

/// The checkpoint that `--resume` continues, none for a new run.
fn checkpoint_to_resume(
    args: &TrainArgs,
    plan: &Plan,
    run_dir: &RunDir,
) -> Result<Option<crate::checkpoint::Checkpoint>> {
    let root = run_dir.root();
    if !args.resume {
        if run_dir::checkpoints(root)?.is_empty() {
            return Ok(None);
        }
        return Err(bad_usage(format!(
            "run directory {} has checkpoints already; add --resume to continue, or choose another \
             with --out",
            root.display()
        )));
    }
    let Some((path, checkpoint)) = run_dir::newest_checkpoint(root, |line| eprintln!("{line}"))?
    else {
        eprintln!(
            "{} has no checkpoint yet: starting at the beginning",
            root.display()
        );
        return Ok(None);
    };
    let differences = checkpoint.plan.differences(plan);
    if !differences.is_empty() {
        return Err(bad_usage(format!(
            "the recipe differs from that of {}: {}; undo the change, or start a new run with --out",
            path.display(),
            differences.join(", ")
        )));
    }
    eprintln!("resuming from {}", path.display());
    Ok(Some(checkpoint))
}

fn start(
    resumed: Option<crate::checkpoint::Checkpoint>,
    plan: &Plan,
    dataset: &Dataset,
    device: &Device,
) -> Result<TrainState> {
    let Some(checkpoint) = resumed else {
        return Ok(TrainState::new(plan.train(), device)?);
    };
    // an imported run does not know its data
    let known = !checkpoint.dataset.sha256.is_empty();
    if known && checkpoint.dataset.sha256 != dataset.info.sha256 {
        bail!(
            "the data differ from those of the checkpoint: SHA-256 {} there, {} here; restore the \
             data, or start a new run with --out",
            checkpoint.dataset.sha256.join(", "),
            dataset.info.sha256.join(", ")
        );
    }
    checkpoint.into_state(device)
}
