//! A score computed on several parts: its mean and how much it varies.

/// Mean of the parts of a score and their standard deviation (divided by n, as numpy's `std`, which
/// the published numbers of KID and Inception score use).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Mean.
    pub mean: f64,
    /// Standard deviation, 0 for a single part.
    pub deviation: f64,
}

impl Estimate {
    /// # Panics
    /// Without a part.
    pub(super) fn from_parts(parts: &[f64]) -> Self {
        assert!(!parts.is_empty(), "an estimate needs a part, got none");
        let n = parts.len() as f64;
        let mean = parts.iter().sum::<f64>() / n;
        let variance = parts.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n;
        Self {
            mean,
            deviation: variance.sqrt(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let estimate = Estimate::from_parts(&[1.0, 5.0]);
        assert_eq!((estimate.mean, estimate.deviation), (3.0, 2.0));
        assert_eq!(Estimate::from_parts(&[7.0]).deviation, 0.0);
    }
}
