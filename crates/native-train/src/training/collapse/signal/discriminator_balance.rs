//! D wins, or D loses: in both cases G stops learning.
//!
//! D wins if its loss is near 0 and its logits are far apart: with G frozen, both parts of D's loss go
//! slowly to zero (BigGAN appendix G). D loses if its logits of reals and fakes agree: when G is allowed to
//! win, training breaks down completely (same appendix).
//!
//! Both are asked of differences of logits, which have a meaning with every objective, whether or not it has a boundary;
//! the gap of a win is in the units of the objective's targets ([`Objective::winning_gap_share`]).
//!
//! [`Objective::winning_gap_share`]: biggan::train::Objective::winning_gap_share

use super::Reading;
use crate::records::alarm::Signal;

/// Watches D's loss and logits.
#[derive(Debug, Clone)]
pub struct DiscriminatorBalance {
    loss: f64,
    gap: f64,
    lost_gap: f64,
    lines: usize,
    wins: Streak,
    loses: Streak,
}

impl DiscriminatorBalance {
    /// Fires after `lines` lines in a row with a loss of at most `loss` in magnitude and logits at
    /// least `gap` apart, or with logits at most `lost_gap` apart.
    pub fn new(loss: f64, gap: f64, lost_gap: f64, lines: usize) -> Self {
        Self {
            loss,
            gap,
            lost_gap,
            lines,
            wins: Streak::default(),
            loses: Streak::default(),
        }
    }

    /// The next line.
    pub fn feed(
        &mut self,
        images: u64,
        loss: f64,
        real: f64,
        fake: f64,
    ) -> Option<(Signal, Reading)> {
        let gap = real - fake;
        let wins = loss.abs() <= self.loss && gap >= self.gap;
        let loses = gap.abs() <= self.lost_gap;
        let (wins, loses) = (self.wins.feed(images, wins), self.loses.feed(images, loses));
        let whole = |streak: Option<(usize, u64)>| {
            streak
                .filter(|(lines, _)| *lines >= self.lines)
                .map(|(_, since)| since)
        };
        let reading = |value, threshold, since_images| Reading {
            value,
            threshold,
            since_images,
        };
        let wins = whole(wins).map(|since| reading(loss, self.loss, since));
        let loses = whole(loses).map(|since| reading(gap, self.lost_gap, since));
        wins.map(|r| (Signal::DiscriminatorWins, r))
            .or(loses.map(|r| (Signal::DiscriminatorLoses, r)))
    }

    /// Forgets earlier lines, for example because G was frozen and D was bound to win.
    pub fn reset(&mut self) {
        (self.wins, self.loses) = (Streak::default(), Streak::default());
    }
}

/// Lines in a row, and images seen at the first of them.
#[derive(Debug, Clone, Copy, Default)]
struct Streak(Option<(usize, u64)>);

impl Streak {
    fn feed(&mut self, images: u64, goes_on: bool) -> Option<(usize, u64)> {
        let longer = self
            .0
            .map_or((1, images), |(lines, since)| (lines + 1, since));
        self.0 = goes_on.then_some(longer);
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_window_is_needed() {
        let mut signal = DiscriminatorBalance::new(0.05, 2.0, 0.1, 3);
        assert_eq!(signal.feed(10, 0.01, 3.0, -3.0), None);
        assert_eq!(signal.feed(20, 0.01, 3.0, -3.0), None);
        assert_eq!(signal.feed(30, 0.3, 3.0, -3.0), None); // breaks the streak
        assert_eq!(signal.feed(40, 0.01, 3.0, -3.0), None);
        assert_eq!(signal.feed(50, 0.02, 3.0, -3.0), None);
        let (what, reading) = signal.feed(60, 0.03, 3.0, -3.0).unwrap();
        assert_eq!(what, Signal::DiscriminatorWins);
        assert_eq!((reading.value, reading.threshold), (0.03, 0.05));
        assert_eq!(reading.since_images, 40);
    }

    #[test]
    fn logits_that_agree_are_a_loss() {
        let mut signal = DiscriminatorBalance::new(0.05, 2.0, 0.1, 3);
        assert_eq!(signal.feed(10, 2.0, 0.5, -0.5), None);
        assert_eq!(signal.feed(20, 2.0, -0.15, -0.16), None);
        assert_eq!(signal.feed(30, 2.0, -0.16, -0.15), None);
        let (what, reading) = signal.feed(40, 2.0, 0.25, 0.25).unwrap();
        assert_eq!(
            (what, reading.since_images),
            (Signal::DiscriminatorLoses, 20)
        );
        signal.reset();
        assert_eq!(signal.feed(50, 2.0, 0.25, 0.25), None);
    }

    #[test]
    fn a_small_loss_without_a_gap_is_no_win() {
        // Wasserstein: the loss is minus the gap, and a pairing loss may pass 0
        let mut signal = DiscriminatorBalance::new(0.05, 2.0, 0.0, 1);
        assert_eq!(signal.feed(10, 0.04, 0.7, 0.5), None);
        assert_eq!(signal.feed(20, -6.0, 3.0, -3.0), None);
    }
}
