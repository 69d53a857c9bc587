//! The score worsens, in a run that is scored while it trains.
//!
//! BigGAN reports its scores from checkpoints before the collapse (sec. 3): collapse shows in the
//! score itself, which may move before any other signal. A threshold below twice the best distance raises
//! the alarm before the distance has doubled.

use super::Reading;

/// Least number of scores before a best is taken: the first scores of a run fluctuate.
const FEWEST: usize = 3;

/// Watches the Frechet distance.
#[derive(Debug, Clone)]
pub struct WorseScore {
    factor: f64,
    /// Scores so far.
    count: usize,
    best: f64,
    /// Images seen when the distance was last within the square root of the factor of the best.
    healthy: u64,
}

impl WorseScore {
    /// Fires above `factor` times the lowest distance before.
    pub fn new(factor: f64) -> Self {
        Self {
            factor,
            count: 0,
            best: f64::INFINITY,
            healthy: 0,
        }
    }

    /// The next distance.
    pub fn feed(&mut self, images: u64, frechet: f64) -> Option<Reading> {
        let threshold = self.factor * self.best;
        if frechet <= self.factor.sqrt() * self.best {
            self.healthy = images;
        }
        let enough = self.count >= FEWEST;
        self.count += 1;
        self.best = self.best.min(frechet);
        (enough && frechet > threshold).then_some(Reading {
            value: frechet,
            threshold,
            since_images: self.healthy,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::first_fire;
    use super::*;

    fn fires(values: &[f64]) -> Option<(u64, Reading)> {
        let mut signal = WorseScore::new(1.6);
        first_fire(values.iter().copied(), |images, value| {
            signal.feed(images, value)
        })
    }

    /// The end of the demonstration in docs/collapse.md, on a machine without AVX-512, where the largest
    /// singular value came too late.
    #[test]
    fn a_collapse_fires_before_the_distance_has_doubled() {
        let scores = [13.7, 13.1, 13.3, 13.9, 15.0, 16.2, 23.4, 92.2];
        let (line, reading) = fires(&scores).unwrap();
        assert_eq!(line, 6);
        assert!(reading.value < 2.0 * 13.1);
        assert!((reading.threshold - 1.6 * 13.1).abs() < 1e-9);
        assert_eq!(reading.since_images, 50); // 16.2 is within 1.265 of 13.1
    }

    #[test]
    fn a_wild_beginning_noise_and_no_number_do_not() {
        assert_eq!(fires(&[80.0, 130.0, 300.0, 110.0, 70.0]), None);
        assert_eq!(fires(&[20.0, 19.0, 22.0, 25.0, 30.0, 18.0, 28.0]), None);
        assert_eq!(fires(&[20.0, 19.0, 22.0, f64::NAN, 18.0]), None);
    }
}
