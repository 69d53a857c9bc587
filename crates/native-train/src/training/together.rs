//! What all ranks of a run do together, and the loop of the ranks that own no files.

use anyhow::{Error, Result};
use biggan::train::{Gradients, Ranks, RoundReport, TrainState, Which, round};
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
        let gradients = match logged {
            true => Gradients::Measured,
            false => Gradients::Dropped,
        };
        let (state, report) = pollster::block_on(round::<Error>(
            state,
            &config,
            ranks,
            loader,
            Which::Both,
            gradients,
            self.device,
        ))?;
        let own: usize = ranks.rows(&config).iter().map(|rows| rows.len()).sum();
        self.speeds.add((own * config.d_steps) as u64);
        self.watchdog.alive();
        let mut after = After::default();
        if let Err(error) = report.check_finite() {
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
            match scorer.score(&state, data, job.group(), &self.watchdog) {
                Ok(score) => after.score = Some(score),
                Err(error) if is_not_finite(&error) => {
                    return Ok(Rounded {
                        state,
                        report,
                        after: Err(error),
                    });
                }
                Err(error) => return Err(error),
            }
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

#[cfg(test)]
mod tests {
    use biggan::file::Pack;
    use biggan::named::HostTensors;
    use biggan::train::{Reals, Session, ShortRecipe, TrainingImages};
    use pollster::block_on;

    use super::*;
    use crate::dataset::Dataset;
    use crate::run::checkpoint::Checkpoint;

    const ROUNDS: usize = 3;

    fn images() -> TrainingImages {
        let rgb: Vec<u8> = (0..9 * 16 * 16 * 3)
            .map(|i: usize| (i * i % 251) as u8)
            .collect();
        let labels = (0..9).map(|i| i % 2).collect();
        let names = vec!["a".to_owned(), "b".to_owned()];
        TrainingImages::new("nine".to_owned(), names, 16, &rgb, labels).unwrap()
    }

    fn start() -> Session {
        let recipe = ShortRecipe {
            width: 2,
            z_dim: 6,
            embedding: 64,
            batch_size: 4,
            rate_g: 2e-4,
            rate_d: 2e-4,
            d_steps: 3,
            orthogonal: 1e-4,
            ema_decay: 0.9,
            ema_start: 0,
            augment: vec![],
            attention: true,
            seed: 3,
        };
        Session::start(recipe, images(), Device::flex()).unwrap()
    }

    /// A session's checkpoint, which names a run that goes on with it.
    fn saved(session: &Session) -> Vec<u8> {
        let rest = serde_json::json!({
            "name": "session",
            "data": { "dataset": "packed" },
            "run": {
                "images": 100,
                "checkpoint_every_images": 100,
                "sample_every_images": 100,
                "log_every_steps": 50,
            },
        });
        let serde_json::Value::Object(rest) = rest else {
            unreachable!("an object");
        };
        block_on(session.checkpoint(rest)).unwrap()
    }

    /// A session's recipe as that of a run, of which every second step is logged.
    fn plan(session: &Session, objective: &str) -> Plan {
        let checkpoint = Checkpoint::decode(&saved(session)).unwrap();
        let mut json = serde_json::to_value(&checkpoint.plan).unwrap();
        json["run"]["log_every_steps"] = 2.into();
        json["train"]["techniques"]["objective"] = objective.into();
        serde_json::from_value(json).unwrap()
    }

    /// The state after rounds of a run.
    fn run(plan: &Plan) -> HostTensors {
        let (device, job, images) = (Device::flex(), Job::single(), images());
        let bytes = images.packed().unwrap();
        let pack = Pack::open(&bytes).unwrap();
        let dataset = Dataset {
            images_u8: pack.images_u8.to_vec().into(),
            shape: pack.shape,
            labels: (0..images.len()).map(|i| images.label(i) as u16).collect(),
            label_rows: None,
            class_names: images.class_names().to_vec(),
            info: images.info().clone(),
        };
        let mut shared = Together {
            plan,
            loader: Loader::new(dataset, plan.train().seed, images.resolution()),
            device: &device,
            job: &job,
            ranks: Ranks::single(),
            watchdog: Watchdog::off(),
            speeds: Speeds::new(&job),
            scorer: None,
            interventions: vec![],
        };
        let mut state = TrainState::new(plan.train(), &device).unwrap();
        for _ in 0..ROUNDS {
            let rounded = shared.round(state).unwrap();
            rounded.after.unwrap();
            state = rounded.state;
        }
        block_on(state.to_host()).unwrap()
    }

    #[test]
    fn a_run_and_a_session_take_the_same_bits() {
        let mut session = start();
        let plan = plan(&session, "hinge");
        for _ in 0..ROUNDS {
            block_on(session.step(Which::Both)).unwrap();
        }
        let end = Checkpoint::decode(&saved(&session)).unwrap();
        assert_eq!((end.counters.g_step, end.counters.d_step), (3, 9));
        assert!(run(&plan) == end.tensors);
    }

    /// No recipe of a session pairs: its images do, in the same rounds.
    #[test]
    fn paired_rounds_over_a_loader_and_over_a_sessions_images_take_the_same_bits() {
        let plan = plan(&start(), "relativistic_pairing");
        let (config, device) = (plan.train(), Device::flex());
        let mut reals = images().in_order(config.seed);
        let mut state = TrainState::new(config, &device).unwrap();
        for _ in 0..ROUNDS {
            let reals: &mut dyn Reals<Error> = &mut reals;
            let (ranks, which, gradients) = (Ranks::single(), Which::Both, Gradients::Dropped);
            let round = round(state, config, &ranks, reals, which, gradients, &device);
            (state, _) = block_on(round).unwrap();
        }
        assert!(run(&plan) == block_on(state.to_host()).unwrap());
    }
}
