//! A run of a plan: opens its files, data and state, then trains.

use std::path::Path;
use std::time::Duration;

use anyhow::{Error, Result, bail};
use biggan::file::DatasetInfo;
use biggan::train::{Pretrained, TrainState};
use burn::tensor::Device;

use crate::dataset::{self, Dataset, DatasetRequest, Loader, Split};
use crate::environment::Environment;
use crate::error::{Outcome, bad_usage};
use crate::recipe::plan::Plan;
use crate::records::event::Event;
use crate::records::intervention::Intervention;
use crate::run::checkpoint::Checkpoint;
use crate::run::keep::KeepPolicy;
use crate::run::run_dir::{self, RunDir};
use crate::training::collapse::answer;
use crate::training::interrupt::Interrupt;
use crate::training::job::{Job, Speeds, Watchdog, share_state};
use crate::training::probe::Probe;
use crate::training::scorer::Scorer;
use crate::training::start;
use crate::training::together::Together;
use crate::training::train_loop::Training;

/// A run of a plan, from the start or from a checkpoint.
#[derive(Debug)]
pub struct Run<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Directory of the run.
    pub out: &'a Path,
    /// Whether to continue from the newest checkpoint in it.
    pub resume: bool,
    /// External checkpoint to continue if the directory has none.
    pub from: Option<&'a Path>,
    /// Trained networks to start from, if there is no checkpoint.
    pub init: Option<&'a Path>,
    /// Whether the plan may differ from the checkpoint's in the keys that steer training.
    pub amend: bool,
    /// Generator steps after which to stop.
    pub max_steps: Option<u64>,
    /// Where to compute.
    pub device: Device,
    /// Whether to stop early.
    pub interrupt: Interrupt,
    /// This process among those that train.
    pub job: &'a Job,
    /// Longest time of a step, if other processes wait.
    pub step_timeout: Duration,
}

/// What rank 0 alone has.
struct Files {
    run_dir: RunDir,
    resumed: Option<Checkpoint>,
    /// What to start from instead.
    pretrained: Option<Pretrained>,
    interventions: Vec<Intervention>,
    /// How the recipe and the data differ from the checkpoint's.
    changes: Vec<String>,
}

impl Run<'_> {
    /// Trains until the plan or the steps are done, or the user interrupts.
    ///
    /// # Errors
    /// If the run directory does not allow it, the data cannot be read, training fails or collapses, or ranks
    /// differ in what they train.
    pub fn train(self, environment: &Environment) -> Result<Outcome> {
        let (plan, job, device) = (self.plan, self.job, &self.device);
        let ranks = job.ranks(plan.train().techniques.bn_group)?;
        job.agree(plan.train().validate().map_err(Error::from))?;
        job.agree(ranks.check(plan.train()).map_err(Error::from))?;
        let leading = job.of_rank_0(plan.clone())?;
        job.agree(same_plan(&leading, plan))?;
        let files = match job.leads() {
            true => self.files().map(Some),
            false => Ok(None),
        };
        let files = job.agree(files)?;

        let prepare = || {
            let scorer = Scorer::open(plan, device)?;
            let dataset = load(plan, Split::Train, environment)?;
            let remarks = scorer.as_ref().map(|scorer| scorer.check(&dataset));
            for remark in remarks.transpose()?.unwrap_or_default() {
                if job.leads() {
                    note!("note: {remark}");
                }
            }
            Ok((scorer, dataset))
        };
        // rank 0 first: missing data are fetched once
        let first = match job.leads() {
            true => prepare().map(Some),
            false => Ok(None),
        };
        let first = job.agree(first)?;
        let prepared = first.map_or_else(prepare, Ok);
        let (scorer, dataset) = job.agree(prepared)?;
        // the watchdog starts here, since reading data may take long
        let watchdog = match job.is_alone() {
            true => Watchdog::off(),
            false => Watchdog::start(job.rank(), self.step_timeout)?,
        };
        let info = job.of_rank_0(dataset.info.clone())?;
        job.agree(same_data(&info, &dataset.info))?;
        let (files, started) = match files {
            None => (None, Ok(None)),
            Some(files) => {
                let Files {
                    run_dir,
                    resumed,
                    pretrained,
                    interventions,
                    mut changes,
                } = files;
                let images_seen = resumed.as_ref().map_or(0, |c| c.counters.images_seen);
                let mut parts = Vec::new();
                let state = self.state((resumed, pretrained), &dataset, &mut changes, &mut parts);
                (
                    Some((run_dir, images_seen, changes, parts)),
                    state.map(|state| Some((state, interventions))),
                )
            }
        };
        let started = job.agree(started)?;
        let (state, interventions) = share_state(job, started, plan.train(), device)?;
        job.agree(job.compare(&state))?;
        watchdog.alive();

        let loader = Loader::new(
            dataset,
            plan.train().seed,
            plan.train().generator.resolution,
        )
        .with_flips(plan.data().flip);
        let shared = Together {
            plan,
            loader,
            device,
            job,
            ranks,
            watchdog,
            speeds: Speeds::new(job),
            scorer,
            interventions,
        };
        let Some((run_dir, images_seen, changes, parts)) = files else {
            return shared.follow(state, &self.interrupt);
        };
        let probe = probe(plan, shared.loader.dataset(), environment)?;
        // nothing is left to check: a refused start changes no file
        run_dir.write_plan(plan)?;
        if !changes.is_empty() {
            note!("amended: {}", changes.join(", "));
            run_dir.append_event(&Event::Amended {
                images_seen,
                changes,
            })?;
        }
        if let (false, Some(path)) = (parts.is_empty(), self.init) {
            let from = path.display().to_string();
            run_dir.append_event(&Event::Initialised { from, parts })?;
            // a run that is killed before its first checkpoint has these networks too
            let data = shared.loader.dataset();
            let first = Checkpoint::of_state(&state, plan, &[], &data.info, &data.class_names)?;
            run_dir.write_checkpoint(&first, &KeepPolicy::new(plan.run(), None))?;
        }
        let training = Training {
            shared,
            probe,
            run_dir: &run_dir,
            interrupt: self.interrupt,
            max_steps: self.max_steps,
        };
        training.run(state)
    }

    /// Opens the run directory and reads the checkpoint to continue from.
    fn files(&self) -> Result<Files> {
        let run_dir = RunDir::open(self.out)?;
        let (mut resumed, changes) = match checkpoint_to_resume(self, &run_dir)? {
            Some((checkpoint, changes)) => (Some(checkpoint), changes),
            None => (None, Vec::new()),
        };
        let interventions = match &mut resumed {
            Some(checkpoint) => {
                let before = std::mem::take(&mut checkpoint.interventions);
                let images_seen = checkpoint.counters.images_seen;
                let collapse = &self.plan.run().collapse;
                answer::resumed(before, collapse, images_seen, self.amend)?
            }
            None => Vec::new(),
        };
        let pretrained = match (&resumed, self.init) {
            (None, Some(path)) => Some(start::read(path, self.plan)?),
            _ => None,
        };
        Ok(Files {
            run_dir,
            resumed,
            pretrained,
            interventions,
            changes,
        })
    }

    /// The initial state; adds to the changes what became of the data, and to the parts what came from other networks.
    fn state(
        &self,
        from: (Option<Checkpoint>, Option<Pretrained>),
        dataset: &Dataset,
        changes: &mut Vec<String>,
        parts: &mut Vec<String>,
    ) -> Result<TrainState> {
        let plan = self.plan;
        let (resumed, pretrained) = from;
        let state = match (resumed, pretrained.zip(self.init)) {
            (_, Some((networks, path))) => {
                let (state, begun) = start::begin(networks, path, plan, dataset, &self.device)?;
                *parts = begun;
                state
            }
            (None, None) => TrainState::new(plan.train(), &self.device)?,
            (Some(checkpoint), None) => {
                changes.extend(changed_data(&checkpoint, dataset, self.amend)?);
                checkpoint.into_state(&self.device)?
            }
        };
        if let Some(misfit) =
            KeepPolicy::new(plan.run(), None).misfit(plan.train().cost()?.state_bytes)
        {
            return Err(bad_usage(misfit));
        }
        let ranks = match self.job.world() {
            1 => String::new(),
            world => format!(", by {world} ranks"),
        };
        note!(
            "{}: {} images of {}{ranks}, into {}",
            plan.name(),
            dataset.len(),
            dataset.info.name,
            self.out.display()
        );
        for remark in plan.train().remarks() {
            note!("note: {remark}");
        }
        Ok(state)
    }
}

/// Refuses a recipe that differs from rank 0's; only the paths of the data may differ.
fn same_plan(leading: &Plan, own: &Plan) -> Result<()> {
    let mut differences = leading.differences(own);
    if leading.run() != own.run() {
        differences.push("its section [run]".to_owned());
    }
    if differences.is_empty() {
        return Ok(());
    }
    Err(bad_usage(format!(
        "the recipe differs from that of rank 0: {}; give every rank the same file and the same --set",
        differences.join(", ")
    )))
}

/// Refuses images that differ from rank 0's.
fn same_data(leading: &DatasetInfo, own: &DatasetInfo) -> Result<()> {
    if leading.same_images(own) != Some(false) && leading.images == own.images {
        return Ok(());
    }
    let [there, here] = [leading, own].map(|info| info.sha256.join(", "));
    Err(bad_usage(format!(
        "the data differ from those of rank 0: {} images with SHA-256 {there} there, {} with {here} here; give every rank the same files",
        leading.images, own.images
    )))
}

/// A part of the data set of a plan.
///
/// # Errors
/// If it cannot be read or does not match the networks.
pub fn load(plan: &Plan, split: Split, environment: &Environment) -> Result<Dataset> {
    let generator = &plan.train().generator;
    let request = DatasetRequest {
        section: plan.data(),
        split,
        classes: generator.classes,
    };
    let load = match split {
        Split::Train => dataset::load_to_train,
        Split::Test => dataset::load,
    };
    load(
        &request,
        generator.resolution,
        environment.data_home.as_deref(),
    )
}

/// Prefixes of the keys that `--amend` may change: those that steer training, not those that define the networks.
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

/// The checkpoint that `--resume` continues, and how the recipe differs from its; `None` for a new run.
fn checkpoint_to_resume(
    run: &Run<'_>,
    run_dir: &RunDir,
) -> Result<Option<(Checkpoint, Vec<String>)>> {
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
    let mut newest = run_dir::newest_checkpoint(root, |line| note!("{line}"))?;
    if let (None, Some(path)) = (&newest, run.from) {
        newest = Some((path.to_owned(), run_dir::read_checkpoint(path)?));
    }
    let Some((path, checkpoint)) = newest else {
        note!(
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
            true => "undo the change, add --amend to continue with it,",
            false => "undo the change,",
        };
        return Err(bad_usage(format!(
            "the recipe differs from that of {}: {}; {remedy} or start a new run with --out",
            path.display(),
            differences.join(", ")
        )));
    }
    note!("resuming from {}", path.display());
    Ok(Some((checkpoint, differences)))
}

/// The probe, if the plan has probes. A data set without a test part is not an error:
/// the run says so once and continues without it.
fn probe(plan: &Plan, training: &Dataset, environment: &Environment) -> Result<Option<Probe>> {
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
    let data_home = environment.data_home.as_deref();
    let held_out = match dataset::load(&request, resolution, data_home) {
        Ok(held_out) => Some(held_out),
        Err(error) if dataset::has_test_part(&request, resolution, data_home)? => {
            return Err(error);
        }
        Err(error) => {
            note!("D's accuracy on images it never saw is not watched: {error:#}");
            None
        }
    };
    let images = run.watch_images;
    Probe::new(training, held_out.as_ref(), images, train).map(Some)
}

/// How the images differ from those of a checkpoint; `None` if they are the same, or if it does not record its data, as
/// an imported run.
///
/// # Errors
/// If they differ and may not: the recipe is not amended, or they have other classes.
fn changed_data(checkpoint: &Checkpoint, dataset: &Dataset, amend: bool) -> Result<Option<String>> {
    let (there, here) = (&checkpoint.dataset, &dataset.info);
    let same = there.same_images(here);
    if same == Some(true) || there.sha256.is_empty() {
        return Ok(None);
    }
    let [sha_there, sha_here] = [there, here].map(|info| info.sha256.join(", "));
    let both = format!("SHA-256 {sha_there} there, {sha_here} here");
    let (names_there, names_here) = (&checkpoint.class_names, &dataset.class_names);
    if names_there != names_here {
        bail!(
            "the data differ from those of the checkpoint: its classes are {}, here are {}; restore the classes, or \
             start a new run from its networks with --init and another --out",
            names_there.join(", "),
            names_here.join(", ")
        );
    }
    match same {
        _ if amend => Ok(Some(format!(
            "data {} -> {} images, {both}",
            there.images, here.images
        ))),
        None => bail!(
            "the checkpoint knows the contents of its images, and of these only names and sizes are known: {both}; \
             raise data.memory, add --amend to continue with them, or start a new run with --out"
        ),
        _ => bail!(
            "the data differ from those of the checkpoint: {} images there, {} here, {both}; restore the data, add \
             --amend to continue with these, or start a new run with --out",
            there.images,
            here.images
        ),
    }
}
