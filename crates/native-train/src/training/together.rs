//! What all ranks of a run do together, and the loop of the ranks that own no files.

use anyhow::{Error, Result};
use biggan::train::{Ranks, TrainState};
use burn::tensor::Device;

use crate::dataset::Loader;
use crate::error::{Elsewhere, Outcome};
use crate::recipe::plan::Plan;
use crate::records::intervention::Intervention;
use crate::records::score_record::ScoreRecord;
use crate::training::collapse::effective;
use crate::training::collapse::evidence::is_not_finite;
use crate::training::interrupt::Interrupt;
use crate::training::job::{Job, Next, Speeds, Watchdog, share_state};
use crate::training::round::{RoundReport, round};
use crate::training::scorer::Scorer;

/// What every rank trains with.
#[derive(Debug)]
pub struct Together<'a> {
    /// What runs.
    pub plan: &'a Plan,
    /// Real images.
    pub loader: Loader,
    /// Where it computes.
    pub device: &'a Device,
    /// This process among those of the job.
    pub job: &'a Job,
    /// The ranks that take a step together.
    pub ranks: Ranks,
    /// Expects a sign of life from every step.
    pub watchdog: Watchdog,
    /// How fast this rank computes.
    pub speeds: Speeds,
    /// Computes scores, if the plan has them.
    pub scorer: Option<Scorer<'a>>,
    /// Collapses so far.
    pub interventions: Vec<Intervention>,
}

/// The outcome of a round.
#[derive(Debug)]
pub struct Rounded {
    /// The state after it.
    pub state: TrainState,
    /// What was measured.
    pub report: RoundReport,
    /// What followed on all ranks, or why training cannot continue; a value that is not finite is the
    /// same on every rank.
    pub after: Result<After>,
}

/// What all ranks computed after a round.
#[derive(Debug, Default)]
pub struct After {
    /// Images per second of each rank, at log steps.
    pub speeds: Option<Vec<f64>>,
    /// The score, if one was due.
    pub score: Option<ScoreRecord>,
}

impl Together<'_> {
    /// A round, and what all ranks do after it.
    ///
    /// # Errors
    /// If the device fails, an image cannot be read or ranks hold different weights; the state is then lost.
    pub fn round(&mut self, state: TrainState) -> Result<Rounded> {
        #[cfg(feature = "faults")]
        let state = crate::training::fault::at(self.job.rank(), state)?;
        let before = state.images_seen;
        let config = effective(self.plan.train(), &self.interventions, before);
        let run = self.plan.run();
        let logged = (state.g_step + 1).is_multiple_of(run.log_every_steps);
        let (ranks, loader) = (&self.ranks, &mut self.loader);
        let (state, report) = round(state, &config, ranks, loader, logged, self.device)?;
        let own: usize = ranks.rows(&config).iter().map(|rows| rows.len()).sum();
        self.speeds.add((own * config.d_steps) as u64);
        self.watchdog.alive();
        let mut after = After::default();
        if let Err(error) = report.check_finite(state.g_step - 1) {
            let after = Err(Error::from(error));
            return Ok(Rounded {
                state,
                report,
                after,
            });
        }
        if logged {
            after.speeds = self.speeds.close(self.job);
            self.job.compare(&state)?;
        }
        let passed = |every: u64| before / every != state.images_seen / every;
        let scored = run.score.as_ref().is_some_and(|s| passed(s.every_images));
        if let Some(scorer) = self.scorer.as_mut().filter(|_| scored) {
            let (data, job) = (self.loader.dataset(), self.job);
            after.score = Some(scorer.score(&state, data, job.group(), &self.watchdog)?);
        }
        let after = Ok(after);
        Ok(Rounded {
            state,
            report,
            after,
        })
    }

    /// Trains as directed by rank 0, which owns the files.
    ///
    /// # Errors
    /// As [`Together::round`], and [`Elsewhere`] where training collapsed and the plan stops then.
    pub fn follow(mut self, mut state: TrainState, interrupt: &Interrupt) -> Result<Outcome> {
        loop {
            let decision = self.job.decide(Next::Round, interrupt.requested());
            self.watchdog.alive();
            match decision.next {
                Next::Round => {
                    let rounded = self.round(state)?;
                    state = rounded.state;
                    // rank 0 responds to values that are not finite
                    if let Err(error) = rounded.after
                        && !is_not_finite(&error)
                    {
                        return Err(error);
                    }
                }
                Next::Restart => {
                    let config = self.plan.train();
                    (state, self.interventions) = share_state(self.job, None, config, self.device)?;
                }
                Next::Stop => return Ok(Outcome::Done),
                Next::Fail(code) => return Err(Elsewhere(code).into()),
            }
        }
    }
}
