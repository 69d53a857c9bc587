//! The only loop: round -> report -> checkpoint -> sample sheet.

use std::path::PathBuf;

use anyhow::{Context, Error, Result, anyhow};
use biggan::train::TrainState;
use burn::tensor::Device;

use crate::checkpoint::Checkpoint;
use crate::dataset::Loader;
use crate::error::Outcome;
use crate::interrupt::Interrupt;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::round::round;
use crate::run_dir::RunDir;
use crate::sheet;
use crate::watch::Watcher;

/// What the loop works with.
#[derive(Debug)]
pub struct Training<'a> {
    /// What runs.
    pub plan: &'a Plan,
    /// Real images.
    pub loader: Loader,
    /// What looks at the networks, where the plan asks for it.
    pub watcher: Option<Watcher>,
    /// Where its files go.
    pub run_dir: &'a RunDir,
    /// Where it computes.
    pub device: &'a Device,
    /// Whether to stop early.
    pub interrupt: Interrupt,
    /// Generator steps after which this invocation stops.
    pub max_steps: Option<u64>,
}

impl Training<'_> {
    /// Trains until the plan's images are seen, the steps are done or the user interrupts; each of
    /// these ends with a checkpoint.
    ///
    /// # Errors
    /// If a value is not finite, the device fails or a file cannot be written. Checkpoints written
    /// before stay as they are.
    pub fn run(mut self, mut state: TrainState) -> Result<Outcome> {
        let run = self.plan.run();
        let mut log = self.run_dir.open_log(state.g_step)?;
        let mut progress = Progress::new(state.images_seen, run.images, log.elapsed_before_secs())?;
        let stop_at = self.max_steps.map(|s| state.g_step.saturating_add(s));
        loop {
            let interrupted = self.interrupt.requested();
            let done =
                state.images_seen >= run.images || stop_at.is_some_and(|s| state.g_step >= s);
            if interrupted || done {
                let path = self.write_checkpoint(&state)?;
                progress.finish();
                let (word, outcome) = match interrupted {
                    true => ("interrupted", Outcome::Interrupted),
                    false => ("stopped", Outcome::Done),
                };
                let (steps, images) = (state.g_step, state.images_seen);
                let path = path.display();
                eprintln!("{word} after {steps} generator steps and {images} images: {path}");
                return Ok(outcome);
            }
            let before = state.images_seen;
            let logged = (state.g_step + 1).is_multiple_of(run.log_every_steps);
            let (config, loader) = (self.plan.train(), &mut self.loader);
            let report;
            (state, report) = round(state, config, loader, logged, self.device)
                .map_err(|error| self.explain(error))?;
            progress.add(&report, state.images_seen);
            if logged {
                let mut record = progress.close_interval(state.g_step, state.images_seen);
                let watched = |every: u64| state.g_step.is_multiple_of(every);
                if let Some(watcher) = &self.watcher
                    && run.watch_every_steps.is_some_and(watched)
                {
                    record.watch = Some(watcher.look(&state, config, self.device)?);
                }
                log.append(&record)?;
            }
            let passed = |every: u64| before / every != state.images_seen / every;
            if passed(run.checkpoint_every_images) {
                self.write_checkpoint(&state)?;
            }
            if passed(run.sample_every_images) {
                let sheet =
                    sheet::of_generator(&state.ema.generator, self.plan.train().seed, self.device)?;
                self.run_dir.write_sample_sheet(state.images_seen, &sheet)?;
            }
        }
    }

    fn write_checkpoint(&self, state: &TrainState) -> Result<PathBuf> {
        let dataset = self.loader.dataset();
        let checkpoint =
            Checkpoint::of_state(state, self.plan, &dataset.info, &dataset.class_names)
                .map_err(|error| self.explain(error))?;
        self.run_dir
            .write_checkpoint(&checkpoint, self.plan.run().keep_checkpoints)
            .context("the checkpoint could not be written; those before it are untouched")
    }

    /// Adds to a value that is not finite what can be done about it.
    fn explain(&self, error: Error) -> Error {
        if !matches!(error.downcast_ref(), Some(biggan::Error::NotFinite(_))) {
            return error;
        }
        let last = crate::run_dir::checkpoints(self.run_dir.root())
            .ok()
            .and_then(|mut all| all.pop())
            .map_or("none".to_owned(), |path| path.display().to_string());
        let config = self.plan.train();
        anyhow!(
            "{error}; nothing of it was saved, the last good checkpoint is {last}; lower the learning \
             rates (adam_g.lr {}, adam_d.lr {}) and start a new run with --out",
            config.adam_g.lr,
            config.adam_d.lr
        )
    }
}
