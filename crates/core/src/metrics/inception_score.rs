//! Inception score (Salimans et al. 2016, sec. 4) from the class probabilities of any classifier.

use super::Estimate;
use crate::error::{Error, Result};

/// How far the probabilities of an image may be from summing to 1: some thousand roundings of f32.
const SUM_TOLERANCE: f64 = 1e-3;

/// Running score of a stream of probabilities in the memory of one row:
/// `exp(E_x KL(p(y|x) || p(y)))` of each split, with `p(y)` the mean of the split.
///
/// Splits are consecutive and of equal size; images after the last complete split do not count
/// (ajbrock/BigGAN-PyTorch inception_utils.py, `calculate_inception_score`, which has 10 splits).
#[derive(Debug, Clone)]
pub struct InceptionScore {
    per_split: usize,
    scores: Vec<f64>,
    count: usize,
    /// `[classes]`: sum over the images of the current split.
    sums: Vec<f64>,
    /// `sum_x sum_y p(y|x) ln p(y|x)` of the current split.
    sharpness: f64,
}

impl InceptionScore {
    /// The score of no images yet, for `classes` probabilities each, in splits of `per_split` images.
    ///
    /// # Errors
    /// If either is 0.
    pub fn new(classes: usize, per_split: usize) -> Result<Self> {
        if classes == 0 || per_split == 0 {
            return Err(
                Error::request("classes and images a split of the Inception score")
                    .found(format_args!("{classes} and {per_split}"))
                    .expected("1 or more of each"),
            );
        }
        Ok(Self {
            per_split,
            scores: Vec::new(),
            count: 0,
            sums: vec![0.0; classes],
            sharpness: 0.0,
        })
    }

    /// Adds images.
    ///
    /// # Shapes
    /// - probabilities: `[n, classes]`, row-major
    ///
    /// # Errors
    /// If a row is incomplete, a probability is negative, or a row does not sum to 1. Earlier rows count.
    pub fn add(&mut self, probabilities: &[f32]) -> Result<()> {
        let classes = self.sums.len();
        for row in probabilities.chunks(classes) {
            let sum: f64 = row.iter().map(|&p| f64::from(p)).sum();
            // NaN is in no range
            let fits = (1.0 - SUM_TOLERANCE..=1.0 + SUM_TOLERANCE).contains(&sum);
            if row.len() != classes || !fits || row.iter().any(|&p| p < 0.0) {
                return Err(Error::request("a row of probabilities")
                    .found(format_args!("{} values with the sum {sum}", row.len()))
                    .expected(format_args!("{classes}, none negative, with the sum 1"))
                    .remedy("take the softmax of logits"));
            }
            for (total, &p) in self.sums.iter_mut().zip(row) {
                *total += f64::from(p);
                self.sharpness += p_ln_p(f64::from(p));
            }
            self.count += 1;
            if self.count == self.per_split {
                self.close();
            }
        }
        Ok(())
    }

    /// Ends the current split.
    fn close(&mut self) {
        let n = self.count as f64;
        let mean: f64 = self.sums.iter().map(|&sum| p_ln_p(sum / n)).sum();
        // E_x KL = E_x sum_y p(y|x) ln p(y|x) - sum_y p(y) ln p(y)
        self.scores.push(libm::exp(self.sharpness / n - mean));
        self.sums.fill(0.0);
        (self.count, self.sharpness) = (0, 0.0);
    }

    /// Mean and deviation over the splits: from 1 to the number of classes.
    ///
    /// # Errors
    /// If no split is complete.
    pub fn finish(&self) -> Result<Estimate> {
        if self.scores.is_empty() {
            return Err(Error::request("the number of images")
                .found(self.count)
                .expected(format_args!("a whole split of {} or more", self.per_split))
                .remedy("add images"));
        }
        Ok(Estimate::from_parts(&self.scores))
    }
}

/// `p ln p`, 0 at 0.
fn p_ln_p(p: f64) -> f64 {
    if p > 0.0 { p * libm::log(p) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(classes: usize, per_split: usize, rows: &[f32]) -> Estimate {
        let mut score = InceptionScore::new(classes, per_split).unwrap();
        score.add(rows).unwrap();
        score.finish().unwrap()
    }

    #[test]
    fn no_opinion_scores_one() {
        let found = score(4, 3, &[0.25; 4 * 6]);
        assert!((found.mean - 1.0).abs() < 1e-12 && found.deviation < 1e-12);
    }

    #[test]
    fn sure_and_balanced_scores_the_number_of_classes() {
        let rows: Vec<f32> = (0..5 * 20)
            .map(|i| f32::from(u8::from(i / 5 % 5 == i % 5)))
            .collect();
        let found = score(5, 10, &rows);
        assert!((found.mean - 5.0).abs() < 1e-12 && found.deviation < 1e-12);
    }

    #[test]
    fn by_hand_in_pieces_and_splits() {
        // first split: (1, 0) and (1/2, 1/2), p(y) = (3/4, 1/4):
        // (ln 4/3 + (ln 2/3 + ln 2) / 2) / 2; second: one picture twice, 1; the last row is over
        let rows = [1.0, 0.0, 0.5, 0.5, 0.25, 0.75, 0.25, 0.75, 0.0, 1.0];
        let first = (((4.0f64 / 3.0).ln() + ((2.0f64 / 3.0).ln() + 2.0f64.ln()) / 2.0) / 2.0).exp();
        let whole = score(2, 2, &rows);
        assert!((whole.mean - (first + 1.0) / 2.0).abs() < 1e-12);
        assert!((whole.deviation - (first - 1.0) / 2.0).abs() < 1e-12);
        let mut pieces = InceptionScore::new(2, 2).unwrap();
        for row in rows.chunks(2) {
            pieces.add(row).unwrap();
        }
        assert_eq!(pieces.finish().unwrap(), whole);
    }

    #[test]
    fn logits_are_refused() {
        let mut score = InceptionScore::new(2, 1).unwrap();
        for rows in [[3.0, -2.0], [0.2, 0.2], [f32::NAN, 0.5]] {
            let refused = score.add(&rows).unwrap_err().to_string();
            assert!(refused.contains("softmax"), "{refused}");
        }
        assert!(score.add(&[1.0]).is_err());
        assert!(score.finish().is_err());
        assert!(InceptionScore::new(0, 1).is_err());
    }
}
