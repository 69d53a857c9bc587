//! G's loss runs away.
//!
//! BigGAN appendix G: when D is frozen, G wins and D's loss passes 300, against 0 to 3 normally. When D
//! wins, G's loss runs away instead.

use std::collections::VecDeque;

use super::{Reading, median};

/// Least number of values for a median.
const FEWEST: usize = 5;

/// Watches the magnitude of G's loss.
#[derive(Debug, Clone)]
pub struct GeneratorLoss {
    factor: f64,
    lines: usize,
    /// Images seen and magnitude, oldest first: the lines before the window and in it.
    past: VecDeque<(u64, f64)>,
}

/// Lines whose median is the usual value, per line of the window.
const PAST: usize = 4;

impl GeneratorLoss {
    /// Fires when each of the last `lines` values is beyond `factor (1 + usual)`, with the median
    /// magnitude of the `4 lines` before as the usual one.
    pub fn new(factor: f64, lines: usize) -> Self {
        Self {
            factor,
            lines,
            past: VecDeque::new(),
        }
    }

    /// The next value.
    pub fn feed(&mut self, images: u64, loss: f64) -> Option<Reading> {
        self.past.push_back((images, loss.abs()));
        if self.past.len() > (PAST + 1) * self.lines {
            self.past.pop_front();
        }
        let before = self.past.len().saturating_sub(self.lines);
        if before < FEWEST {
            return None;
        }
        let usual = median(self.past.iter().take(before).map(|p| p.1));
        let threshold = self.factor * (1.0 + usual);
        let mut window = self.past.range(before..);
        let since_images = self.past[before - 1].0;
        window.all(|p| p.1 > threshold).then_some(Reading {
            value: loss.abs(),
            threshold,
            since_images,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::first_fire;
    use super::*;

    fn fires(values: impl Iterator<Item = f64>) -> Option<(u64, Reading)> {
        let mut signal = GeneratorLoss::new(10.0, 3);
        first_fire(values, |images, value| signal.feed(images, value))
    }

    #[test]
    fn a_runaway_fires() {
        let series = (0..20).map(|line| if line < 12 { -1.0 } else { 30.0 });
        let (line, reading) = fires(series).unwrap();
        assert_eq!(line, 14);
        assert_eq!((reading.value, reading.threshold), (30.0, 20.0));
        assert_eq!(reading.since_images, 110);
    }

    #[test]
    fn a_spike_and_a_wild_beginning_do_not() {
        let spike = (0..30).map(|line| if line == 20 { 300.0 } else { 0.5 });
        assert_eq!(fires(spike), None);
        let beginning = (0..30).map(|line| if line < 4 { 80.0 } else { 1.0 });
        assert_eq!(fires(beginning), None);
    }
}
