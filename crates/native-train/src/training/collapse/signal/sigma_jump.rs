//! A jump of the largest singular value of a layer.
//!
//! BigGAN sec. 4.1: most layers of G are well behaved, but the first layer's sigma0 grows throughout
//! training and explodes at collapse. Sec. 4.2: the spectra of D jump. The unnormalised values grow in
//! healthy runs too, and no fixed value marks a collapse (appendix G), so a layer is compared with its own
//! recent past.

use std::collections::VecDeque;

use super::{Reading, median};

/// Least number of values for a median.
const FEWEST: usize = 5;

/// Watches one layer.
#[derive(Debug, Clone)]
pub struct SigmaJump {
    ratio: f64,
    lines: usize,
    /// Images seen and value, the oldest first.
    past: VecDeque<(u64, f64)>,
}

impl SigmaJump {
    /// Fires above `ratio` times the median of the last `lines` values.
    pub fn new(ratio: f64, lines: usize) -> Self {
        Self {
            ratio,
            lines,
            past: VecDeque::new(),
        }
    }

    /// The next value.
    pub fn feed(&mut self, images: u64, sigma: f64) -> Option<Reading> {
        let usual = (self.past.len() >= FEWEST).then(|| median(self.past.iter().map(|p| p.1)));
        self.past.push_back((images, sigma));
        if self.past.len() > self.lines {
            self.past.pop_front();
        }
        let usual = usual?;
        let threshold = self.ratio * usual;
        // on the way up from the square root of the ratio on
        let healthy = |&&(_, value): &&(u64, f64)| value <= self.ratio.sqrt() * usual;
        (sigma > threshold).then(|| Reading {
            value: sigma,
            threshold,
            since_images: self.past.iter().rev().find(healthy).map_or(0, |p| p.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::first_fire;
    use super::*;

    /// The line at which it fires, and the reading.
    fn fires(values: impl Iterator<Item = f64>) -> Option<(u64, Reading)> {
        let mut signal = SigmaJump::new(2.0, 20);
        first_fire(values, |images, value| signal.feed(images, value))
    }

    #[test]
    fn an_explosion_fires_and_says_since_when() {
        // 1 for 30 lines, then 1.3 times more a line: 1.3, 1.69, 2.197
        let series = (0..40).map(|line: i32| 1.3f64.powi((line - 29).max(0)));
        let (line, reading) = fires(series).unwrap();
        assert_eq!(line, 32);
        assert!((reading.value - 2.197).abs() < 1e-9 && reading.threshold == 2.0);
        assert_eq!(reading.since_images, 300);
    }

    #[test]
    fn growth_and_noise_do_not() {
        // the first layer of a healthy G: it doubles in a hundred lines, with noise
        let slow = (0..500).map(|line| 2f64.powf(f64::from(line) / 100.0));
        let noisy = slow.enumerate().map(|(i, v)| v * [1.0, 1.2, 0.9][i % 3]);
        assert_eq!(fires(noisy), None);
    }

    #[test]
    fn nothing_is_compared_with_too_few_lines() {
        assert_eq!(fires([1.0, 9.0, 1.0, 9.0].into_iter()), None);
    }
}
