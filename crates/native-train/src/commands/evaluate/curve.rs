//! Main scores over truncations: a table, a verdict, a picture.

use std::fmt::Write;

use biggan::metrics::{AtTruncation, Score, Verdict, amenability};
use biggan::truncation::{LatentDistribution, Truncation};

use crate::evaluation::PAPER;
use crate::evaluation::scores::MainScores;

/// A row of the table.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its truncation.
    pub distribution: LatentDistribution,
    /// Its scores.
    pub scores: MainScores,
}

/// The rows as text, for scores whose protocols differ only in the truncation.
pub fn table(rows: &[Row]) -> String {
    let Some(first) = rows.first() else {
        return String::new();
    };
    let (distance, score) = (
        &first.scores.frechet.name,
        &first.scores.inception_score.name,
    );
    let mut text = format!(
        "  recognised        spread  {score:>12}  {distance:>12}     saturated  at truncation; else as above\n"
    );
    for row in rows {
        let scores = &row.scores;
        let number = |score: Option<&Score>| {
            score.map_or_else(|| format!("{:>12}", "-"), |s| format!("{:>12.6}", s.value))
        };
        let cells = [
            scores.recognised.as_ref(),
            scores.spread.as_ref(),
            Some(&scores.inception_score),
            Some(&scores.frechet),
            Some(&scores.saturated),
        ]
        .map(number);
        writeln!(text, "{}  {}", cells.join("  "), row.distribution).expect("a string takes all");
    }
    text
}

/// Whether the model is amenable to truncation, in words. The rows must include those without truncation
/// and with the paper's thresholds.
pub fn verdict(rows: &[Row]) -> String {
    let is_off = |row: &&Row| row.distribution.truncation() == Truncation::Off;
    let Some(off) = rows.iter().find(is_off) else {
        return "no verdict: the model's kind of truncation has no off to compare with\n"
            .to_owned();
    };
    let at = |row: &Row| AtTruncation {
        saturated: row.scores.saturated.value,
        inception_score: row.scores.inception_score.value,
    };
    let mut truncated: Vec<&Row> = PAPER
        .iter()
        .filter_map(|&t| {
            let is_t = |row: &&Row| row.distribution.truncation() == Truncation::Threshold(t);
            rows.iter().find(is_t)
        })
        .collect();
    truncated.dedup_by_key(|row| row.distribution.to_string());
    let points: Vec<AtTruncation> = truncated.iter().map(|row| at(row)).collect();
    let change = |what: &str, index: usize, value: fn(AtTruncation) -> f64| {
        format!(
            "not amenable to truncation: {what} from {:.4} without truncation to {:.4} at {}",
            value(at(off)),
            value(points[index]),
            truncated[index].distribution
        )
    };
    let said = match amenability(at(off), &points) {
        Verdict::Amenable => {
            "amenable to truncation: at none of the thresholds does the share of saturated values grow by \
             more than 0.1, or the Inception score fall below 0.9 of that without truncation"
                .to_owned()
        }
        Verdict::Saturates(index) => {
            change("the share of saturated values grows", index, |at| at.saturated)
        }
        Verdict::LosesFidelity(index) => {
            change("the Inception score falls", index, |at| at.inception_score)
        }
    };
    format!(
        "{said}\n(BigGAN sec. 3.1 calls 16 % of its models amenable without orthogonal regularisation, 60 % \
         with it)\n"
    )
}
