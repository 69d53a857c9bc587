//! The signals of collapse, each a pure struct that is fed numbers, one line of the log at a time.

mod discriminator_balance;
mod generator_loss;
mod sample_variance;
mod sigma_jump;
mod worse_score;

pub use discriminator_balance::DiscriminatorBalance;
pub use generator_loss::GeneratorLoss;
pub use sample_variance::SampleVariance;
pub use sigma_jump::SigmaJump;
pub use worse_score::WorseScore;

/// A value beyond its threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// The value.
    pub value: f64,
    /// The threshold.
    pub threshold: f64,
    /// Images seen when it last looked healthy.
    pub since_images: u64,
}

/// The median; of an even number the mean of the middle two.
///
/// # Panics
/// Without values.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    assert!(!sorted.is_empty(), "the median of no values");
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() % 2 {
        1 => sorted[middle],
        _ => 0.5 * (sorted[middle - 1] + sorted[middle]),
    }
}

/// The number of the first value that fires, ten images apart, and its reading.
#[cfg(test)]
fn first_fire(
    values: impl Iterator<Item = f64>,
    mut feed: impl FnMut(u64, f64) -> Option<Reading>,
) -> Option<(u64, Reading)> {
    (0..)
        .zip(values)
        .find_map(|(line, value)| Some((line, feed(line * 10, value)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), 2.5);
    }
}
