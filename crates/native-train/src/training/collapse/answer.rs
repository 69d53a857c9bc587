//! The response to an alarm: evidence, rollback, and the action.

use anyhow::{Context, Result};
use biggan::train::TrainState;
use burn::tensor::Device;

use super::evidence;
use crate::dataset::Dataset;
use crate::error::{Collapsed, bad_usage};
use crate::recipe::collapse_action::Action;
use crate::recipe::collapse_section::CollapseSection;
use crate::recipe::plan::Plan;
use crate::records::alarm::Alarm;
use crate::records::intervention::Intervention;
use crate::run::checkpoint::Checkpoint;
use crate::run::keep::{KeepPolicy, Scores};
use crate::run::run_dir::{self, RunDir};

/// A run that has collapsed.
#[derive(Debug)]
pub struct Collapse<'a> {
    /// What runs.
    pub plan: &'a Plan,
    /// Its files.
    pub run_dir: &'a RunDir,
    /// Its data.
    pub dataset: &'a Dataset,
    /// Where it computes.
    pub device: &'a Device,
    /// The alarm.
    pub alarm: Alarm,
    /// The state at the alarm.
    pub state: TrainState,
    /// Scores so far.
    pub scores: &'a Scores,
    /// Earlier collapses.
    pub interventions: &'a [Intervention],
}

impl Collapse<'_> {
    /// Keeps the evidence, returns to a good checkpoint, removes the checkpoints after it, and records the
    /// action in it and in `events.jsonl`. Whenever it is killed, the run resumes either before or after the
    /// collapse was handled.
    ///
    /// # Errors
    /// [`Collapsed`] if the run ends; otherwise if a file cannot be read or written.
    pub fn answer(self) -> Result<(TrainState, Vec<Intervention>)> {
        let section = &self.plan.run().collapse;
        let directory = self.run_dir.collapse_directory(self.alarm.images_seen);
        self.write_evidence(&directory)?;
        let good = self.good_checkpoint()?;
        let action = next_action(section, self.interventions.len());
        let mut interventions = self.interventions.to_vec();
        interventions.push(Intervention {
            alarm: self.alarm.clone(),
            back_to_images: good.as_ref().map_or(0, |good| good.counters.images_seen),
            action,
        });
        let last = &interventions[interventions.len() - 1];
        evidence::write_verdict(&directory, last)?;
        let good = match good {
            None if action == Action::Stop => {
                self.run_dir.record(&interventions)?;
                return Err(self.end(&directory, "no checkpoint is from before it"));
            }
            None => self.beginning()?,
            Some(good) => good,
        };
        let back_to = good.counters.images_seen;
        self.run_dir.remove_checkpoints(|images| images > back_to)?;
        let good = Checkpoint {
            interventions: interventions.clone(),
            plan: self.plan.clone(), // it may have been amended since
            ..good
        };
        let policy = KeepPolicy::new(self.plan.run(), Some(self.scores));
        let path = self.run_dir.write_checkpoint(&good, &policy)?;
        self.run_dir.record(&interventions)?;
        if action == Action::Stop {
            let kept = format!("the run ends with checkpoint {}", path.display());
            return Err(self.end(&directory, &kept));
        }
        note!(
            "{}; back to {back_to} images: {action}; evidence in {}",
            self.what(),
            directory.display()
        );
        Ok((good.into_state(self.device)?, interventions))
    }

    fn write_evidence(&self, directory: &std::path::Path) -> Result<()> {
        let checkpoint = match self.checkpoint(&self.state) {
            Ok(checkpoint) => Some(checkpoint),
            Err(error) if evidence::is_not_finite(&error) => None,
            Err(error) => return Err(error),
        };
        let (log, seed) = (self.run_dir.log_path(), self.plan.train().seed);
        let (state, device) = (&self.state, self.device);
        evidence::write(directory, &log, state, checkpoint.as_ref(), seed, device)
            .context("the evidence of the collapse could not be kept")
    }

    fn checkpoint(&self, state: &TrainState) -> Result<Checkpoint> {
        let (info, names) = (&self.dataset.info, &self.dataset.class_names);
        Checkpoint::of_state(state, self.plan, self.interventions, info, names)
    }

    /// The initial state.
    fn beginning(&self) -> Result<Checkpoint> {
        self.checkpoint(&TrainState::new(self.plan.train(), self.device)?)
    }

    /// The best readable checkpoint to return to.
    fn good_checkpoint(&self) -> Result<Option<Checkpoint>> {
        let files = run_dir::checkpoint_files(self.run_dir.root())?;
        let images: Vec<u64> = files.iter().map(|(images, _)| *images).collect();
        for index in by_goodness(&images, self.scores, self.alarm.since_images) {
            match run_dir::read_checkpoint(&files[index].1) {
                Ok(checkpoint) => return Ok(Some(checkpoint)),
                Err(error) => note!("warning: {error:#}; going back to another"),
            }
        }
        Ok(None)
    }

    fn what(&self) -> String {
        let Alarm {
            what,
            g_step,
            images_seen,
            since_images,
            ..
        } = &self.alarm;
        format!(
            "training collapsed after {g_step} generator steps and {images_seen} images (last healthy at \
             {since_images}): {what}"
        )
    }

    fn end(&self, directory: &std::path::Path, kept: &str) -> anyhow::Error {
        let train = self.plan.train();
        let collapses = self.interventions.len() + 1;
        Collapsed(format!(
            "{}; collapse {collapses} of this run, {kept}; evidence in {}; {}, or with --amend and lower \
             learning rates (adam_g.lr {}, adam_d.lr {}), or start a new run with --out",
            self.what(),
            directory.display(),
            remedy(&self.plan.run().collapse, self.interventions.len()),
            train.adam_g.lr,
            train.adam_d.lr
        ))
        .into()
    }
}

/// The recipe's action, or to stop after too many.
fn next_action(section: &CollapseSection, before: usize) -> Action {
    match before < section.max_rollbacks {
        true => section.action,
        false => Action::Stop,
    }
}

/// How to continue a stopped run.
fn remedy(section: &CollapseSection, before: usize) -> String {
    match section.action {
        Action::Stop => {
            "continue from it with --resume --set run.collapse.action=lower_rates".to_owned()
        }
        _ => format!(
            "continue from it with --resume --set run.collapse.max_rollbacks={}",
            before + 1
        ),
    }
}

/// Indices of checkpoints in order of preference for a rollback: by score if there are scores, best
/// first; then those from before the trouble, newest first; then the others, oldest first.
fn by_goodness(images: &[u64], scores: &Scores, since_images: u64) -> Vec<usize> {
    let score = |index: usize| {
        let score = scores.get(&images[index]).filter(|score| score.is_finite());
        score.copied().unwrap_or(f64::INFINITY)
    };
    let mut order: Vec<usize> = (0..images.len()).collect();
    order.sort_by(|&a, &b| {
        let (after_a, after_b) = (images[a] > since_images, images[b] > since_images);
        let by_time = match after_a {
            true => images[a].cmp(&images[b]),
            false => images[b].cmp(&images[a]),
        };
        let by_score = score(a).total_cmp(&score(b));
        by_score.then(after_a.cmp(&after_b)).then(by_time)
    });
    order
}

/// The interventions of a run resumed at `images_seen`: if the last one stopped it there, the recipe's
/// current action replaces it, unless the recipe is amended by hand.
///
/// # Errors
/// If the recipe would only stop again; the message says what to change.
pub fn resumed(
    mut interventions: Vec<Intervention>,
    section: &CollapseSection,
    images_seen: u64,
    amended: bool,
) -> Result<Vec<Intervention>> {
    let before = interventions.len().saturating_sub(1);
    let Some(last) = interventions.last_mut() else {
        return Ok(interventions);
    };
    let stopped = last.action == Action::Stop && last.back_to_images == images_seen;
    if !stopped || amended || !section.enabled {
        return Ok(interventions);
    }
    let action = next_action(section, before);
    if action == Action::Stop {
        return Err(bad_usage(format!(
            "the run ended by collapse at {} images ({}); {}, with --amend and lower learning rates, or \
             watch for no collapse with --set run.collapse.enabled=false",
            last.alarm.images_seen,
            last.alarm.what,
            remedy(section, before)
        )));
    }
    last.action = action;
    note!(
        "after the collapse at {} images: {action}",
        last.alarm.images_seen
    );
    Ok(interventions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_then_the_newest_before_then_the_oldest_after() {
        let images = [10, 20, 30, 40, 50];
        let order = |scores: &Scores, since| -> Vec<u64> {
            let order = by_goodness(&images, scores, since);
            order.into_iter().map(|index| images[index]).collect()
        };
        assert_eq!(order(&Scores::new(), 30), [30, 20, 10, 40, 50]);
        assert_eq!(order(&Scores::new(), 5), [10, 20, 30, 40, 50]);
        let scores = Scores::from([(20, 3.0), (40, 2.0), (50, f64::NAN), (60, 1.0)]);
        assert_eq!(order(&scores, 30), [40, 20, 30, 10, 50]);
        assert!(by_goodness(&[], &scores, 30).is_empty());
    }

    #[test]
    fn a_stopped_run_goes_on_with_another_action_only() {
        let stopped = vec![Intervention {
            alarm: Alarm::not_finite(5, 80, 70, "loss_d is NaN"),
            back_to_images: 64,
            action: Action::Stop,
        }];
        let mut section = CollapseSection::default();
        let message = resumed(stopped.clone(), &section, 64, false)
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("loss_d is NaN") && message.contains("lower_rates"),
            "{message}"
        );
        for (images_seen, amended) in [(64, true), (72, false)] {
            let same = resumed(stopped.clone(), &section, images_seen, amended).unwrap();
            assert_eq!(same, stopped);
        }
        section.action = Action::OtherSeed;
        let on = resumed(stopped.clone(), &section, 64, false).unwrap();
        assert_eq!(on[0].action, Action::OtherSeed);
        // as often as the recipe allows
        let mut twice = on;
        twice.extend(stopped.clone());
        section.max_rollbacks = 1;
        let message = resumed(twice.clone(), &section, 64, false)
            .unwrap_err()
            .to_string();
        assert!(message.contains("max_rollbacks=2"), "{message}");
        section.enabled = false;
        assert_eq!(resumed(twice.clone(), &section, 64, false).unwrap(), twice);
    }
}
