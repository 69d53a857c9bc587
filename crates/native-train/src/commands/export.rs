//! `native-train export RUN --out MODEL`: the averaged generator of a run as a model file.

use std::path::Path;

use anyhow::{Result, anyhow};
use biggan::standing_stats::StandingConfig;

use crate::args::ExportArgs;
use crate::device;
use crate::error::{Outcome, bad_usage};
use crate::files::class_list;
use crate::files::export::{model_of, off_and, write};
use crate::files::model_files::Target;
use crate::input_file;
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

/// Runs the command.
///
/// # Errors
/// If there is no checkpoint, the average is too young, or the file cannot be written.
pub fn run(args: &ExportArgs) -> Result<Outcome> {
    let device = device::open(args.device.name)?;
    if args.passes == 0 {
        return Err(bad_usage("--passes is 0; it must be 1 or more"));
    }
    let target = Target::new(&args.out, args.shard_size.map(|size| size.0))?;
    let checkpoint = read_checkpoint(&args.run)?;
    let classes = checkpoint.plan.train().generator.classes;
    let names = args.class_names.as_deref();
    let names = names
        .map(|path| class_list::read(path, classes))
        .transpose()?;
    refuse_young_average(&checkpoint, &args.run)?;
    let train = checkpoint.plan.train();
    let standing = StandingConfig {
        passes: args.passes,
        batch_size: train.batch_size,
        seed: train.seed,
    };
    let truncations = off_and(&THRESHOLDS, train.generator.latent);
    let dtype = args.dtype.into();
    let mut file = model_of(checkpoint, truncations, standing, dtype, &device)?;
    if let Some(names) = names {
        class_list::rename(&mut file.info, names);
    }
    write(&file, dtype, &target, &device)?;
    Ok(Outcome::Done)
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
