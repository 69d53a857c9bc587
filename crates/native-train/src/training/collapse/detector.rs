//! All signals together, fed with the lines of the log and the scores.
//!
//! It depends only on the log and the scores, so that a resumed run, which reads its log again, restores it.

use std::collections::BTreeMap;

use biggan::train::Objective;

use super::signal::{
    DiscriminatorBalance, GeneratorLoss, Reading, SampleVariance, SigmaJump, WorseScore,
};
use crate::recipe::collapse_section::CollapseSection;
use crate::records::alarm::{Alarm, Signal};
use crate::records::log_record::LogRecord;

/// The detector of a run.
#[derive(Debug)]
pub struct Detector {
    section: CollapseSection,
    objective: Objective,
    sigma: BTreeMap<String, SigmaJump>,
    balance: DiscriminatorBalance,
    generator_loss: GeneratorLoss,
    sample_variance: SampleVariance,
    score: WorseScore,
}

impl Detector {
    /// A detector without history.
    pub fn new(section: &CollapseSection, objective: Objective) -> Self {
        Self {
            sigma: BTreeMap::new(),
            balance: DiscriminatorBalance::new(
                section.d_loss,
                section.d_gap * objective.winning_gap_share(),
                section.d_lost_gap,
                section.loss_lines,
            ),
            generator_loss: GeneratorLoss::new(section.g_loss_factor, section.loss_lines),
            sample_variance: SampleVariance::new(section.variance_share, section.variance_lines),
            score: WorseScore::new(section.score_factor),
            section: section.clone(),
            objective,
        }
    }

    /// The next line; `frozen` if G does not learn, which lets D win.
    pub fn feed(&mut self, record: &LogRecord, frozen: bool) -> Option<Alarm> {
        let images = record.images_seen;
        let alarm = |signal, what: String, reading: Reading| Alarm {
            signal,
            what: format!(
                "{what} {:.4} against a threshold of {:.4}",
                reading.value, reading.threshold
            ),
            value: Some(reading.value),
            threshold: Some(reading.threshold),
            g_step: record.g_step,
            images_seen: images,
            since_images: reading.since_images,
        };
        let mut found = Vec::new();
        let (ratio, lines) = (self.section.sigma_ratio, self.section.sigma_lines);
        for (layer, &sigma) in record.vitals.iter().flat_map(|vitals| &vitals.sigma) {
            let signal = self.sigma.entry(layer.clone());
            let signal = signal.or_insert_with(|| SigmaJump::new(ratio, lines));
            let reading = signal.feed(images, f64::from(sigma));
            let what = format!("the largest singular value of {layer} jumped:");
            found.extend(reading.map(|r| alarm(Signal::SigmaJump, what, r)));
        }
        if frozen {
            self.balance.reset();
        } else {
            let (real, fake) = (record.d_real, record.d_fake);
            let tipped = self.balance.feed(images, record.loss_d, real, fake);
            let what = |signal| match signal {
                Signal::DiscriminatorWins => "D wins: its loss",
                _ => "D loses: its logits are apart by",
            };
            found.extend(tipped.map(|(signal, r)| {
                let what = format!(
                    "logits {real:.3} of reals and {fake:.3} of fakes, {}",
                    what(signal)
                );
                alarm(signal, what, r)
            }));
            // Wasserstein's -E f moves with any constant that is added to all logits; E r - E f does not
            let shift = match self.objective {
                Objective::Wasserstein => real,
                _ => 0.0,
            };
            let runs = self.generator_loss.feed(images, record.loss_g + shift);
            let what = "G's loss ran away:".to_owned();
            found.extend(runs.map(|r| alarm(Signal::GeneratorLoss, what, r)));
        }
        if let Some(vitals) = &record.vitals {
            let alike = self.sample_variance.feed(images, vitals.sample_variance);
            let what = "the samples of a class are alike: variance".to_owned();
            found.extend(alike.map(|r| alarm(Signal::SampleVariance, what, r)));
        }
        found.into_iter().next()
    }

    /// The next score.
    pub fn feed_score(&mut self, g_step: u64, images_seen: u64, frechet: f64) -> Option<Alarm> {
        let reading = self.score.feed(images_seen, frechet)?;
        Some(Alarm {
            signal: Signal::WorseScore,
            what: format!(
                "the Frechet distance got worse again: {frechet:.3} against a threshold of {:.3}",
                reading.threshold
            ),
            value: Some(frechet),
            threshold: Some(reading.threshold),
            g_step,
            images_seen,
            since_images: reading.since_images,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(step: u64, loss_d: f64, loss_g: f64, [d_real, d_fake]: [f64; 2]) -> LogRecord {
        LogRecord {
            g_step: step,
            images_seen: 100 * step,
            loss_d,
            loss_g,
            d_real,
            d_fake,
            gradient_norm_d: None,
            gradient_norm_g: None,
            images_per_sec: 1.0,
            images_per_sec_of_ranks: None,
            elapsed_secs: step as f64,
            memory: None,
            probe: None,
            vitals: None,
        }
    }

    /// The alarm after ten lines with these losses and logits, or none.
    fn after_ten_lines(objective: Objective, [loss, real, fake]: [f64; 3]) -> Option<Signal> {
        let mut detector = Detector::new(&CollapseSection::default(), objective);
        let line = |step| record(step, loss, 1.0 - real, [real, fake]);
        let alarms = (1..=10).filter_map(|step| detector.feed(&line(step), false));
        alarms.last().map(|alarm| alarm.signal)
    }

    #[test]
    fn a_shift_of_all_logits_is_no_loss_that_ran_away() {
        let alarm = |objective: Objective| {
            let mut detector = Detector::new(&CollapseSection::default(), objective);
            let line = |step: u64| {
                let shift = if step < 30 { 0.0 } else { 500.0 };
                record(step, -1.0, 0.5 + shift, [0.5 - shift, -0.5 - shift])
            };
            let mut alarms = (1..60).filter_map(|step| detector.feed(&line(step), false));
            alarms.next().map(|alarm| alarm.signal)
        };
        assert_eq!(alarm(Objective::Wasserstein), None);
        assert_eq!(alarm(Objective::Hinge), Some(Signal::GeneratorLoss));
    }

    #[test]
    fn d_wins_in_the_units_of_its_objective() {
        use Objective::{Hinge, LeastSquares, RelativisticPairing, Wasserstein};
        let wins = Some(Signal::DiscriminatorWins);
        // the targets of least squares are 1 and 0
        assert_eq!(after_ten_lines(LeastSquares, [0.0, 1.0, 0.0]), wins);
        assert_eq!(after_ten_lines(LeastSquares, [0.01, 0.9, 0.1]), wins);
        assert_eq!(after_ten_lines(Hinge, [0.0, 1.5, -1.5]), wins);
        assert_eq!(after_ten_lines(Hinge, [0.0, 1.0, 0.0]), None);
        // where logits have no zero, only their difference counts
        for shift in [-50.0, 0.0, 50.0] {
            let logits = [0.001, 5.0 + shift, -5.0 + shift];
            assert_eq!(after_ten_lines(RelativisticPairing, logits), wins);
            // the loss of Wasserstein's D is minus the gap: it has no end
            let logits = [-10.0, 5.0 + shift, -5.0 + shift];
            assert_eq!(after_ten_lines(Wasserstein, logits), None);
        }
    }
}
