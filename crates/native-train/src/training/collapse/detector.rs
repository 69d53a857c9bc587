//! All signals together, fed with the lines of the log and the scores.
//!
//! It depends only on the log and the scores, so that a resumed run, which reads its log again, restores it.

use std::collections::BTreeMap;

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
    sigma: BTreeMap<String, SigmaJump>,
    balance: DiscriminatorBalance,
    generator_loss: GeneratorLoss,
    sample_variance: SampleVariance,
    score: WorseScore,
}

impl Detector {
    /// A detector without history.
    pub fn new(section: &CollapseSection) -> Self {
        Self {
            sigma: BTreeMap::new(),
            balance: DiscriminatorBalance::new(
                section.d_loss,
                section.d_gap,
                section.d_lost_gap,
                section.loss_lines,
            ),
            generator_loss: GeneratorLoss::new(section.g_loss_factor, section.loss_lines),
            sample_variance: SampleVariance::new(section.variance_share, section.variance_lines),
            score: WorseScore::new(section.score_factor),
            section: section.clone(),
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
            let runs = self.generator_loss.feed(images, record.loss_g);
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
