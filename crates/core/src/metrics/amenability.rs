//! Whether a model is amenable to truncation (BigGAN sec. 3.1 and fig. 2b): truncated z must trade variety
//! for fidelity, and not produce saturated pictures.
//!
//! The paper calls 16 % of its models amenable without orthogonal regularisation and 60 % with it, and
//! judges by eye. Here the criteria are numbers, with our own limits.

/// A channel value beyond this magnitude, in [-1, 1], is saturated.
const SATURATED: f32 = 0.99;
/// How much the share of saturated values may grow by truncation.
const MAX_GROWTH: f64 = 0.1;
/// Least share of the untruncated Inception score that must remain.
const MIN_SCORE: f64 = 0.9;

/// Measurements of samples at one truncation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AtTruncation {
    /// Share of saturated channel values.
    pub saturated: f64,
    /// Inception score: fidelity and balance.
    pub inception_score: f64,
}

/// Whether truncation works.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// It works.
    Amenable,
    /// Pictures saturate at the truncation of this index.
    Saturates(usize),
    /// The Inception score drops at the truncation of this index.
    LosesFidelity(usize),
}

/// Share of the channel values that are saturated; 0 of none.
pub fn saturated(images_pm1: &[f32]) -> f64 {
    let count = images_pm1.iter().filter(|v| v.abs() > SATURATED).count();
    count as f64 / images_pm1.len().max(1) as f64
}

/// The first criterion that fails, from the weakest truncation to the strongest.
///
/// The share of saturated values may grow by at most 0.1 over that without truncation, and at least 0.9 of
/// the Inception score must remain.
pub fn amenability(off: AtTruncation, truncated: &[AtTruncation]) -> Verdict {
    for (index, at) in truncated.iter().enumerate() {
        if at.saturated - off.saturated > MAX_GROWTH {
            return Verdict::Saturates(index);
        }
        if at.inception_score < MIN_SCORE * off.inception_score {
            return Verdict::LosesFidelity(index);
        }
    }
    Verdict::Amenable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_by_hand() {
        assert_eq!(saturated(&[0.99, -0.995, 1.0, 0.0]), 0.5);
        assert_eq!(saturated(&[]), 0.0);
    }

    #[test]
    fn the_first_sign_counts() {
        let at = |saturated, inception_score| AtTruncation {
            saturated,
            inception_score,
        };
        let off = at(0.3, 5.0);
        let good = at(0.35, 6.0);
        assert_eq!(amenability(off, &[good, at(0.2, 4.6)]), Verdict::Amenable);
        assert_eq!(
            amenability(off, &[good, at(0.5, 1.0)]),
            Verdict::Saturates(1)
        );
        assert_eq!(
            amenability(off, &[good, good, at(0.1, 4.4)]),
            Verdict::LosesFidelity(2)
        );
    }
}
