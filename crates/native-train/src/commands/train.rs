//! `native-train --config FILE`: trains, from the beginning or from a checkpoint.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use biggan::train::TrainState;
use burn::tensor::Device;

use super::Environment;
use crate::args::TrainArgs;
use crate::collapse::answer;
use crate::dataset::{self, Dataset, DatasetRequest, Loader, Split};
use crate::device;
use crate::error::{Outcome, bad_usage};
use crate::interrupt::Interrupt;
use crate::keep::KeepPolicy;
use crate::plan::{Plan, is_checkpoint};
use crate::run_dir::{self, Event, RunDir};
use crate::score::Scorer;
use crate::train_loop::Training;
use crate::watch::Watcher;

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
        let device = device::open(args.device)?;
        print!("{}", super::dry_run::estimate(&plan, args.device, &device)?);
        return Ok(Outcome::Done);
    }
    let run = Run {
        plan: &plan,
        out: &out,
        resume: args.resume,
        from: is_checkpoint(config).then_some(config.as_path()),
        amend: args.amend,
        max_steps: args.steps,
        device: device::open(args.device)?,
        interrupt: Interrupt::install()?,
    };
    run.train(environment)
}

/// A run of a plan, from the beginning or from a checkpoint.
#[derive(Debug)]
pub struct Run<'a> {
    /// What runs.
    pub plan: &'a Plan,
    /// Directory of the run.
    pub out: &'a Path,
    /// Whether to continue from the newest checkpoint in it.
    pub resume: bool,
    /// A checkpoint of elsewhere to continue where the directory has none.
    pub from: Option<&'a Path>,
    /// Whether the plan may steer otherwise than the checkpoint's.
    pub amend: bool,
    /// Generator steps after which to stop.
    pub max_steps: Option<u64>,
    /// Where to compute.
    pub device: Device,
    /// Whether to stop early.
    pub interrupt: Interrupt,
}

impl Run<'_> {
    /// Trains until the plan is done, the steps are, or the user interrupts.
    ///
    /// # Errors
    /// If the run directory does not allow it, the data cannot be had, training fails or collapses.
    pub fn train(self, environment: &Environment) -> Result<Outcome> {
        let (plan, out, device) = (self.plan, self.out, &self.device);
        let run_dir = RunDir::open(out)?;
        let mut resumed = checkpoint_to_resume(&self, &run_dir)?;
        let interventions = match &mut resumed {
            Some(checkpoint) => {
                let before = std::mem::take(&mut checkpoint.interventions);
                let images_seen = checkpoint.counters.images_seen;
                answer::resumed(before, &plan.run().collapse, images_seen, self.amend)?
            }
            None => Vec::new(),
        };
        let scorer = Scorer::open(plan, device)?;
        let train = plan.train();
        let dataset = load(plan, Split::Train, environment)?;
        let state = start(resumed, plan, &dataset, device)?;
        if let Some(misfit) = KeepPolicy::of(plan.run(), None).misfit(state.bytes()) {
            return Err(bad_usage(misfit));
        }
        run_dir.write_plan(plan)?;
        eprintln!(
            "{}: {} images of {}, into {}",
            plan.name(),
            dataset.len(),
            dataset.info.name,
            out.display()
        );
        let watcher = watcher(plan, &dataset, environment)?;
        let loader = Loader::new(dataset, train.seed, train.generator.resolution)
            .with_flips(plan.data().flip);
        let training = Training {
            plan,
            loader,
            watcher,
            run_dir: &run_dir,
            device,
            interrupt: self.interrupt,
            max_steps: self.max_steps,
            scorer,
            interventions,
        };
        training.run(state)
    }
}

/// A part of the data set of a plan.
///
/// # Errors
/// If it cannot be had or does not fit the networks.
pub fn load(plan: &Plan, split: Split, environment: &Environment) -> Result<Dataset> {
    let generator = &plan.train().generator;
    let request = DatasetRequest {
        section: plan.data(),
        split,
        classes: generator.classes,
    };
    dataset::load(
        &request,
        generator.resolution,
        environment.data_home.as_deref(),
    )
}

/// Beginnings of the keys that `--amend` may change: what steers training, not what is trained.
const AMENDABLE: [&str; 8] = [
    "name ",
    "train.adam_g.",
    "train.adam_d.",
    "train.ema.",
    "train.batch_size ",
    "train.d_steps ",
    "train.orthogonal",
    "train.techniques.",
];

/// The checkpoint that `--resume` continues, none for a new run.
fn checkpoint_to_resume(
    run: &Run<'_>,
    run_dir: &RunDir,
) -> Result<Option<crate::checkpoint::Checkpoint>> {
    let root = run_dir.root();
    if !run.resume {
        if run_dir::checkpoints(root)?.is_empty() {
            return Ok(None);
        }
        return Err(bad_usage(format!(
            "run directory {} has checkpoints already; add --resume to continue, or choose another \
             with --out",
            root.display()
        )));
    }
    let mut newest = run_dir::newest_checkpoint(root, |line| eprintln!("{line}"))?;
    if let (None, Some(path)) = (&newest, run.from) {
        newest = Some((path.to_owned(), run_dir::read_checkpoint(path)?));
    }
    let Some((path, checkpoint)) = newest else {
        eprintln!(
            "{} has no checkpoint yet: starting at the beginning",
            root.display()
        );
        return Ok(None);
    };
    let differences = checkpoint.plan.differences(run.plan);
    let kept = |difference: &&String| !AMENDABLE.iter().any(|key| difference.starts_with(key));
    let fixed: Vec<&String> = differences.iter().filter(kept).collect();
    if !fixed.is_empty() || (!run.amend && !differences.is_empty()) {
        let remedy = match fixed.is_empty() {
            true => "undo the change, add --amend to go on with it,",
            false => "undo the change,",
        };
        return Err(bad_usage(format!(
            "the recipe differs from that of {}: {}; {remedy} or start a new run with --out",
            path.display(),
            differences.join(", ")
        )));
    }
    if !differences.is_empty() {
        eprintln!("amended: {}", differences.join(", "));
        run_dir.append_event(&Event::Amended {
            images_seen: checkpoint.counters.images_seen,
            changes: differences,
        })?;
    }
    eprintln!("resuming from {}", path.display());
    Ok(Some(checkpoint))
}

/// What looks at the networks, if the plan asks for it. A data set without a test part is no fault:
/// the run says so once and goes on without it.
fn watcher(plan: &Plan, training: &Dataset, environment: &Environment) -> Result<Option<Watcher>> {
    let (run, train) = (plan.run(), plan.train());
    if run.watch_every_steps.is_none() {
        return Ok(None);
    }
    let request = DatasetRequest {
        section: plan.data(),
        split: Split::Test,
        classes: train.generator.classes,
    };
    let resolution = train.generator.resolution;
    let held_out = dataset::load(&request, resolution, environment.data_home.as_deref())
        .inspect_err(|error| {
            eprintln!("D's accuracy on images it never saw is not watched: {error:#}");
        })
        .ok();
    let images = run.watch_images;
    Watcher::new(training, held_out.as_ref(), images, train).map(Some)
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
    let both = || {
        let [there, here] = [&checkpoint.dataset, &dataset.info].map(|i| i.sha256.join(", "));
        format!("SHA-256 {there} there, {here} here")
    };
    match checkpoint.dataset.same_images(&dataset.info) {
        Some(true) => {}
        None if checkpoint.dataset.sha256.is_empty() => {} // an imported run does not know its data
        Some(false) => bail!(
            "the data differ from those of the checkpoint: {}; restore the data, or start a new run with \
             --out",
            both()
        ),
        None => bail!(
            "the checkpoint knows the contents of its images, and of these only names and sizes are known: {}; \
             raise data.memory, or start a new run with --out",
            both()
        ),
    }
    checkpoint.into_state(device)
}
