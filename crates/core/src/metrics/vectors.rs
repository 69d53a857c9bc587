//! Sets of feature vectors as flat rows.

use crate::error::{Error, Result};

/// Number of vectors of `dim` values.
///
/// # Errors
/// If the length is not a multiple of `dim`.
pub(super) fn count_vectors(features: &[f32], dim: usize) -> Result<usize> {
    if dim == 0 || !features.len().is_multiple_of(dim) {
        return Err(Error::request("the number of values")
            .found(features.len())
            .expected(format_args!("whole vectors of {dim}"))
            .remedy(format_args!("give features as [n, {dim}]")));
    }
    Ok(features.len() / dim)
}

/// Squared Euclidean distance in f64; exactly symmetric, and 0 for copies.
pub fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    /// Partial sums, so that the compiler may use vector instructions.
    const LANES: usize = 8;
    let square = |x: f32, y: f32| {
        let difference = f64::from(x) - f64::from(y);
        difference * difference
    };
    let mut sums = [0.0; LANES];
    let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = a.remainder().iter().zip(b.remainder());
    let rest: f64 = rest.map(|(&x, &y)| square(x, y)).sum();
    for (a, b) in a.zip(b) {
        for lane in 0..LANES {
            sums[lane] += square(a[lane], b[lane]);
        }
    }
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_by_hand() {
        let a: Vec<f32> = (0..11).map(|i| i as f32).collect();
        let b: Vec<f32> = (0..11).map(|i| (2 * i) as f32).collect();
        assert_eq!(squared_distance(&a, &b), 385.0); // sum of i^2
        assert_eq!(squared_distance(&b, &a), 385.0);
        assert_eq!(squared_distance(&a, &a), 0.0);
    }
}
