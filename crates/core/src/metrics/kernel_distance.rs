//! Kernel distance, called KID in Inception's features (Binkowski, Sutherland, Arbel and Gretton 2018,
//! sec. 4): the unbiased squared maximum mean discrepancy of two sets.

use nalgebra::DMatrix;

use super::Estimate;
use super::vectors::count_vectors;
use crate::error::{Error, Result};
use crate::random::{Stream, permutation};

/// Subsets of both sets whose distances are averaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subsets {
    /// How many.
    pub count: usize,
    /// Vectors of each set in a subset, drawn without replacement.
    pub size: usize,
    /// Seed of the choice, in the steps `1..=2 count` of [`Stream::EvaluationChoice`].
    pub seed: u64,
}

/// Mean and deviation over subsets of
/// `sum_{i != j} (k(x_i, x_j) + k(y_i, y_j)) / (m (m - 1)) - 2 / m^2 sum_{i, j} k(x_i, y_j)` with
/// `k(x, y) = (x . y / dim + 1)^3` (google/compare_gan compare_gan/metrics/kid_score.py:128-133).
///
/// It is 0 on average for sets of the same distribution, so it may be negative.
///
/// # Shapes
/// - fakes: `[n, dim]`, real: `[m, dim]`, row-major
///
/// # Errors
/// If there is no subset, or a subset has fewer than two vectors or more than a set.
pub fn kernel_distance(
    fakes: &[f32],
    real: &[f32],
    dim: usize,
    subsets: &Subsets,
) -> Result<Estimate> {
    let counts = [count_vectors(fakes, dim)?, count_vectors(real, dim)?];
    let Subsets { count, size, seed } = *subsets;
    if count == 0 || size < 2 || size > counts[0].min(counts[1]) {
        return Err(Error::request("the subsets")
            .found(format_args!(
                "{count} of {size} vectors, of sets of {} and {}",
                counts[0], counts[1]
            ))
            .expected("1 or more, of 2 vectors up to the smaller set"));
    }
    let distances: Vec<f64> = (0..count as u64)
        .map(|subset| {
            let x = choose(fakes, dim, size, [seed, 2 * subset + 1]);
            let y = choose(real, dim, size, [seed, 2 * subset + 2]);
            discrepancy(&x, &y)
        })
        .collect();
    Ok(Estimate::from_parts(&distances))
}

/// `size` vectors without replacement as the columns of a matrix.
fn choose(features: &[f32], dim: usize, size: usize, [seed, step]: [u64; 2]) -> DMatrix<f64> {
    let order = permutation(seed, Stream::EvaluationChoice, step, features.len() / dim);
    let values = order[..size]
        .iter()
        .flat_map(|&index| &features[index as usize * dim..][..dim])
        .map(|&v| f64::from(v));
    DMatrix::from_iterator(dim, size, values)
}

/// The unbiased squared discrepancy of two sets of as many columns.
fn discrepancy(x: &DMatrix<f64>, y: &DMatrix<f64>) -> f64 {
    let m = x.ncols() as f64;
    let xt = x.transpose(); // one matrix product; `tr_mul` would take dot products one by one
    let within = [kernels(&xt, x), kernels(&y.transpose(), y)]
        .map(|k| (k.sum() - k.trace()) / (m * (m - 1.0)));
    within[0] + within[1] - 2.0 * kernels(&xt, y).sum() / (m * m)
}

/// `(x_i . y_j / dim + 1)^3` for the rows of `xt` and the columns of `y`.
fn kernels(xt: &DMatrix<f64>, y: &DMatrix<f64>) -> DMatrix<f64> {
    let dim = y.nrows() as f64;
    (xt * y).map(|dot| {
        let base = dot / dim + 1.0;
        base * base * base
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Draws;

    const WHOLE: Subsets = Subsets {
        count: 1,
        size: 3,
        seed: 5,
    };

    fn normals(n: usize, step: u64, shift: f64) -> Vec<f32> {
        let mut draws = Draws::new(1, Stream::Sample, step, 0);
        (0..n).map(|_| (draws.normal() + shift) as f32).collect()
    }

    #[test]
    fn by_the_definition() {
        let x = [[1.0f32, 2.0], [0.0, -1.0], [3.0, 0.5]];
        let y = [[2.0f32, 2.0], [-1.0, 1.0], [0.5, 4.0]];
        let kernel =
            |a: [f32; 2], b: [f32; 2]| (f64::from(a[0] * b[0] + a[1] * b[1]) / 2.0 + 1.0).powi(3);
        let mut expected = 0.0;
        for i in 0..3 {
            for j in 0..3 {
                if i != j {
                    expected += (kernel(x[i], x[j]) + kernel(y[i], y[j])) / 6.0;
                }
                expected -= 2.0 * kernel(x[i], y[j]) / 9.0;
            }
        }
        let (x, y) = (x.as_flattened(), y.as_flattened());
        let found = kernel_distance(x, y, 2, &WHOLE).unwrap();
        assert!((found.mean - expected).abs() < 1e-12 * expected.abs());
        assert_eq!(found.deviation, 0.0);
    }

    #[test]
    fn one_distribution_is_at_distance_zero_and_a_shifted_one_is_not() {
        let subsets = Subsets {
            count: 20,
            size: 100,
            seed: 0,
        };
        let of = |shift| {
            let (x, y) = (normals(4000, 0, 0.0), normals(4000, 1, shift));
            kernel_distance(&x, &y, 4, &subsets).unwrap()
        };
        let (same, other) = (of(0.0), of(1.0));
        // one deviation, since the subsets overlap; 20 disjoint subsets would allow less
        assert!(same.mean.abs() < same.deviation, "{same:?}");
        assert!(other.mean > 10.0 * same.deviation, "{other:?}");
    }

    #[test]
    fn the_seed_decides() {
        let (x, y) = (normals(400, 0, 0.0), normals(400, 1, 0.0));
        let of = |seed| {
            let subsets = Subsets {
                count: 3,
                size: 10,
                seed,
            };
            kernel_distance(&x, &y, 4, &subsets).unwrap()
        };
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn subsets_must_fit() {
        let too_large = kernel_distance(&[0.0; 4], &[0.0; 8], 2, &WHOLE).unwrap_err();
        assert!(
            too_large.to_string().contains("sets of 2 and 4"),
            "{too_large}"
        );
        assert!(kernel_distance(&[0.0; 3], &[0.0; 8], 2, &WHOLE).is_err());
    }
}
