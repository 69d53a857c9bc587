//! The loop of the rank that owns the files: round -> report -> score -> checkpoint -> sample sheet, and the response to a
//! collapse.

use std::path::PathBuf;

use anyhow::{Context, Error, Result, anyhow};
use biggan::train::TrainState;

use crate::error::Outcome;
use crate::records::alarm::Alarm;
use crate::records::log_record::LogRecord;
use crate::records::vitals::Vitals;
use crate::run::checkpoint::Checkpoint;
use crate::run::keep::KeepPolicy;
use crate::run::run_dir::RunDir;
use crate::run::run_log::RunLog;
use crate::run::score_log::ScoreLog;
use crate::run::tensorboard::Board;
use crate::show::sheet;
use crate::training::collapse::answer::Collapse;
use crate::training::collapse::evidence::is_not_finite;
use crate::training::collapse::{Detector, is_frozen};
use crate::training::interrupt::Interrupt;
use crate::training::job::{Next, share_state};
use crate::training::probe::Probe;
use crate::training::progress::Progress;
use crate::training::together::{After, Together};

/// What the loop works with.
#[derive(Debug)]
pub struct Training<'a> {
    /// What every rank has.
    pub shared: Together<'a>,
    /// Probes the networks, where the plan asks for it.
    pub probe: Option<Probe>,
    /// Where its files go.
    pub run_dir: &'a RunDir,
    /// Whether to stop early.
    pub interrupt: Interrupt,
    /// Generator steps after which this invocation stops.
    pub max_steps: Option<u64>,
}

/// The files and the detector from one start to the next collapse.
struct Stretch {
    log: RunLog,
    scores: ScoreLog,
    /// Where the recipe asks for one.
    board: Option<Board>,
    progress: Progress,
    /// `None` if the plan disables it.
    detector: Option<Detector>,
    /// Images seen at the last line of the log.
    logged_images: u64,
    /// Rank that was named last as holding the others up.
    straggler: Option<usize>,
}

impl Training<'_> {
    /// Trains until the plan's images are seen, the steps are done or the user interrupts; each of
    /// these ends with a checkpoint. The plan determines the response to a collapse.
    ///
    /// # Errors
    /// [`crate::error::Collapsed`] if training collapsed and the plan then stops, or if the device
    /// fails or a file cannot be written. Earlier checkpoints stay, except those after the checkpoint
    /// that a collapse returns to.
    pub fn run(mut self, mut state: TrainState) -> Result<Outcome> {
        let stop_at = self.max_steps.map(|s| state.g_step.saturating_add(s));
        self.run_dir.record(&self.shared.interventions)?;
        loop {
            let mut stretch = self.stretch(&state)?;
            let (alarm, collapsed) = match self.train(state, &mut stretch, stop_at)? {
                Ended::Stopped(outcome) => return Ok(outcome),
                Ended::Collapsed(alarm, collapsed) => (alarm, collapsed),
            };
            stretch.progress.finish();
            let shared = &self.shared;
            let collapse = Collapse {
                plan: shared.plan,
                run_dir: self.run_dir,
                dataset: shared.loader.dataset(),
                device: shared.device,
                alarm,
                state: *collapsed,
                scores: stretch.scores.scores(),
                interventions: &shared.interventions,
            };
            let answer = collapse.answer().inspect_err(|error| {
                shared
                    .job
                    .decide(Next::Fail(crate::error::code(error)), false);
            })?;
            shared.job.decide(Next::Restart, false);
            let config = shared.plan.train();
            (state, self.shared.interventions) =
                share_state(shared.job, Some(answer), config, shared.device)?;
        }
    }

    /// Opens the files to continue from a state, and restores the detector from them.
    fn stretch(&self, state: &TrainState) -> Result<Stretch> {
        let run = self.shared.plan.run();
        let objective = self.shared.plan.train().techniques.objective;
        let (log, before) = self.run_dir.open_log(state.g_step)?;
        let mut detector = run
            .collapse
            .enabled
            .then(|| Detector::new(&run.collapse, objective));
        for record in &before {
            self.watch(&mut detector, record);
        }
        let data = self.shared.loader.dataset();
        let protocol = self.shared.scorer.as_ref().map(|s| s.protocol(data));
        let scores = self
            .run_dir
            .open_scores(state.g_step, protocol.as_deref())?;
        if scores.others() > 0 {
            note!(
                "note: {} scores of scores.jsonl are of another protocol and are not compared with [{}]",
                scores.others(),
                protocol.as_deref().unwrap_or("that of the last score")
            );
        }
        if let Some(detector) = &mut detector {
            for (&images, &frechet) in scores.scores() {
                detector.feed_score(0, images, frechet); // earlier alarms were handled
            }
        }
        let board = run
            .tensorboard
            .then(|| Board::open(self.run_dir.root(), state.g_step))
            .transpose()?;
        Ok(Stretch {
            scores,
            board,
            progress: Progress::new(state.images_seen, run.images, log.elapsed_before_secs()),
            logged_images: before.last().map_or(0, |record| record.images_seen),
            log,
            detector,
            straggler: None,
        })
    }

    fn watch(&self, detector: &mut Option<Detector>, record: &LogRecord) -> Option<Alarm> {
        // the line is about rounds that began before its images were seen
        let frozen = is_frozen(
            &self.shared.interventions,
            record.images_seen.saturating_sub(1),
        );
        detector.as_mut()?.feed(record, frozen)
    }

    fn train(
        &mut self,
        mut state: TrainState,
        stretch: &mut Stretch,
        stop_at: Option<u64>,
    ) -> Result<Ended> {
        let run = self.shared.plan.run();
        let mut elsewhere = false;
        loop {
            let interrupted = self.interrupt.requested() || elsewhere;
            let done =
                state.images_seen >= run.images || stop_at.is_some_and(|s| state.g_step >= s);
            if interrupted || done {
                let path = match self.write_checkpoint(&state, stretch) {
                    Ok(path) => path,
                    Err(error) => return self.not_finite(error, state, stretch),
                };
                self.shared.job.decide(Next::Stop, interrupted);
                stretch.progress.finish();
                let (word, outcome) = match interrupted {
                    // a launcher takes any code other than 0 for a failure of the rank
                    true if self.shared.job.is_launched() => ("interrupted", Outcome::Done),
                    true => ("interrupted", Outcome::Interrupted),
                    false => ("stopped", Outcome::Done),
                };
                let (steps, images) = (state.g_step, state.images_seen);
                let path = path.display();
                note!("{word} after {steps} generator steps and {images} images: {path}");
                return Ok(Ended::Stopped(outcome));
            }
            elsewhere = self.shared.job.decide(Next::Round, false).interrupted;
            let before = state.images_seen;
            let rounded = self.shared.round(state)?;
            state = rounded.state;
            stretch.progress.add(&rounded.report);
            let after = rounded.after;
            match after.and_then(|after| self.after_round(&state, before, after, stretch)) {
                Ok(None) => {}
                Ok(Some(alarm)) => return Ok(Ended::Collapsed(alarm, Box::new(state))),
                Err(error) => return self.not_finite(error, state, stretch),
            }
        }
    }

    /// Writes what is due after a round that began with `before` images seen.
    fn after_round(
        &mut self,
        state: &TrainState,
        before: u64,
        after: After,
        stretch: &mut Stretch,
    ) -> Result<Option<Alarm>> {
        let (plan, device) = (self.shared.plan, self.shared.device);
        let (run, seed) = (plan.run(), plan.train().seed);
        if state.g_step.is_multiple_of(run.log_every_steps) {
            let mut record = stretch.progress.close_interval();
            let slow = after.speeds.as_deref().and_then(straggler);
            if let Some((rank, line)) = slow.filter(|(rank, _)| stretch.straggler != Some(*rank)) {
                stretch.straggler = Some(rank);
                note!("{line}");
            }
            record.images_per_sec_of_ranks = after.speeds;
            let watched = |every: u64| state.g_step.is_multiple_of(every);
            if let Some(probe) = &self.probe
                && run.watch_every_steps.is_some_and(watched)
            {
                record.probe = Some(probe.record(state, plan.train(), device)?);
            }
            if stretch.detector.is_some() {
                record.vitals = Some(Vitals::measure(state, seed, device)?);
            }
            stretch.log.append(&record)?;
            if let Some(board) = &mut stretch.board {
                board.record(&record);
            }
            let alarm = self.watch(&mut stretch.detector, &record);
            if alarm.is_some() {
                return Ok(alarm);
            }
            stretch.logged_images = state.images_seen;
        }
        let passed = |every: u64| before / every != state.images_seen / every;
        let scored = after.score.is_some();
        if let Some(record) = after.score {
            note!("{record}");
            stretch.scores.append(&record)?;
            if let Some(board) = &mut stretch.board {
                board.score(&record);
            }
            let detector = stretch.detector.as_mut();
            let alarm = detector
                .and_then(|d| d.feed_score(state.g_step, state.images_seen, record.frechet));
            if alarm.is_some() {
                return Ok(alarm);
            }
        }
        if scored || passed(run.checkpoint_every_images) {
            self.write_checkpoint(state, stretch)?;
        }
        if passed(run.sample_every_images) {
            let sheet = sheet::of_generator(&state.ema.generator, seed, device)?;
            let png = sheet::to_png(&sheet)?;
            self.run_dir.write_sample_sheet(state.images_seen, &png)?;
            if let Some(board) = &mut stretch.board {
                board.sheet(state.g_step, [sheet.width, sheet.height], &png);
            }
        }
        Ok(None)
    }

    fn write_checkpoint(&self, state: &TrainState, stretch: &Stretch) -> Result<PathBuf> {
        let (plan, dataset) = (self.shared.plan, self.shared.loader.dataset());
        let (info, names) = (&dataset.info, &dataset.class_names);
        let interventions = &self.shared.interventions;
        let checkpoint = Checkpoint::of_state(state, plan, interventions, info, names)?;
        let policy = KeepPolicy::new(plan.run(), Some(stretch.scores.scores()));
        self.run_dir
            .write_checkpoint(&checkpoint, &policy)
            .context("the checkpoint could not be written; those before it are untouched")
    }

    /// A value that is not finite is a collapse; other errors go on, and so does this one where no
    /// collapse is watched for, with what can be done about it.
    fn not_finite(&self, error: Error, state: TrainState, stretch: &Stretch) -> Result<Ended> {
        if !is_not_finite(&error) {
            return Err(error);
        }
        if stretch.detector.is_some() {
            let (g_step, images) = (state.g_step, state.images_seen);
            let since = stretch.logged_images;
            let alarm = Alarm::not_finite(g_step, images, since, &error.to_string());
            return Ok(Ended::Collapsed(alarm, Box::new(state)));
        }
        let last = crate::run::run_dir::checkpoints(self.run_dir.root())?
            .pop()
            .map_or("none".to_owned(), |path| path.display().to_string());
        let config = self.shared.plan.train();
        Err(anyhow!(
            "{error}; nothing of it was saved, the last good checkpoint is {last}; lower the learning \
             rates (adam_g.lr {}, adam_d.lr {}) and start a new run with --out",
            config.adam_g.lr,
            config.adam_d.lr
        ))
    }
}

/// What to say where a rank computes at less than this share of the median's speed.
const STRAGGLER: f64 = 0.8;

/// The slowest of ranks, where it holds the others up.
fn straggler(speeds: &[f64]) -> Option<(usize, String)> {
    let mut sorted: Vec<f64> = speeds.to_vec();
    sorted.sort_by(f64::total_cmp);
    let median = sorted[sorted.len() / 2];
    let rank = speeds.iter().position(|speed| *speed == sorted[0])?;
    (sorted[0] < STRAGGLER * median).then(|| {
        let line = format!(
            "rank {rank} holds the others up: {:.0} images/s while it computes, the median is {median:.0}",
            sorted[0]
        );
        (rank, line)
    })
}

/// How a stretch ended.
enum Ended {
    /// As it should.
    Stopped(Outcome),
    /// By an alarm, in this state.
    Collapsed(Alarm, Box<TrainState>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_rank_is_named_where_others_wait_for_it() {
        let (rank, said) = straggler(&[100.0, 101.0, 60.0]).unwrap();
        assert!(rank == 2 && said.contains("rank 2"), "{said}");
        assert!(said.contains("60 images/s"), "{said}");
        assert_eq!(straggler(&[100.0, 101.0, 95.0]), None);
    }
}
