//! `native-train --config FILE`: trains, from the start or from a checkpoint.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;

use crate::args::TrainArgs;
use crate::device::{self, DeviceName};
use crate::environment::Environment;
use crate::error::{Outcome, bad_usage};
use crate::run::plan_file;
use crate::terminal;
use crate::training::dry_run;
use crate::training::interrupt::Interrupt;
use crate::training::job::Comm;
use crate::training::job::Job;
use crate::training::run::Run;

/// Runs the command.
///
/// # Errors
/// If the recipe or the run directory does not allow it, the data cannot be read, or training fails.
pub fn run(args: &TrainArgs, environment: &Environment) -> Result<Outcome> {
    let Some(config) = &args.config else {
        return Err(bad_usage(
            "no recipe; give one with --config, for example --config configs/fashion32.toml",
        ));
    };
    let plan = plan_file::read(config, &args.set)?;
    let out = args
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from("runs").join(plan.name()));
    if args.dry_run {
        terminal::say_text(&plan.to_json()?);
        terminal::say_text(&crate::show::summary::plan(&plan)?);
        let device = device::open(args.device.name)?;
        let estimate = dry_run::estimate(&plan, args.device.name, &device)?;
        terminal::say_text(&estimate);
        return Ok(Outcome::Done);
    }
    if args.comm == Some(Comm::Nccl) && !matches!(args.device.name, DeviceName::Cuda(_)) {
        return Err(bad_usage(
            "--comm nccl sums between GPUs of CUDA; give --device cuda too, or --comm mpi",
        ));
    }
    let job = Job::open(args.comm, environment)?;
    let trained = (|| {
        let run = Run {
            plan: &plan,
            out: &out,
            resume: args.resume,
            from: plan_file::is_checkpoint(config).then_some(config.as_path()),
            init: args.init.as_deref(),
            amend: args.amend,
            max_steps: args.steps,
            device: job.agree(device::open(job.own_device(args.device.name)))?,
            interrupt: match job.leads() {
                true => Interrupt::install()?,
                false => Interrupt::install_quietly()?,
            },
            job: &job,
            step_timeout: Duration::from_secs(args.step_timeout),
        };
        run.train(environment)
    })();
    job.end(trained)
}
