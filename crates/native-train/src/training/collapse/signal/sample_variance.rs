//! The samples of a class become alike: mode collapse.

use std::collections::VecDeque;

use super::{Reading, median};

/// Watches the variance between samples of the same class.
#[derive(Debug, Clone)]
pub struct SampleVariance {
    share: f64,
    lines: usize,
    /// Images seen and variance of the last lines.
    past: VecDeque<(u64, f64)>,
    /// Largest median so far.
    best: f64,
    /// Images seen when the median was last above the square root of the share of the best.
    healthy: u64,
}

impl SampleVariance {
    /// Fires when the median of the last `lines` values is below `share` of the largest such median.
    pub fn new(share: f64, lines: usize) -> Self {
        Self {
            share,
            lines,
            past: VecDeque::new(),
            best: 0.0,
            healthy: 0,
        }
    }

    /// The next value.
    pub fn feed(&mut self, images: u64, variance: f64) -> Option<Reading> {
        self.past.push_back((images, variance));
        if self.past.len() < self.lines {
            return None;
        }
        if self.past.len() > self.lines {
            self.past.pop_front();
        }
        let value = median(self.past.iter().map(|p| p.1));
        self.best = self.best.max(value);
        if value >= self.share.sqrt() * self.best {
            self.healthy = self.past[0].0;
        }
        let threshold = self.share * self.best;
        (value < threshold).then_some(Reading {
            value,
            threshold,
            since_images: self.healthy,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::first_fire;
    use super::*;

    fn fires(values: impl Iterator<Item = f64>) -> Option<(u64, Reading)> {
        let mut signal = SampleVariance::new(0.25, 3);
        first_fire(values, |images, value| signal.feed(images, value))
    }

    #[test]
    fn samples_that_become_alike_fire() {
        let (line, reading) = fires((0..40).map(|line| 0.9f64.powi((line - 10).max(0)))).unwrap();
        // the median of the last three is the one before: below 0.25 at 0.9^14, line 24 + 1
        assert_eq!(line, 25);
        assert!(reading.value < 0.25 && reading.threshold == 0.25);
        // 0.9^7 < 0.5: the window that ended at line 17 was the last healthy one
        assert_eq!(reading.since_images, 150);
    }

    #[test]
    fn one_poor_line_and_slow_narrowing_do_not() {
        assert_eq!(
            fires((0..40).map(|l| if l == 20 { 0.0 } else { 1.0 })),
            None
        );
        assert_eq!(fires((0..60).map(|l| 1.0 - 0.01 * f64::from(l))), None);
    }
}
