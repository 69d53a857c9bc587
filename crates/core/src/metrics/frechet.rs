//! Frechet distance between two normal distributions (Dowson and Landau 1982; Heusel et al. 2017).

use nalgebra::{DMatrix, DVector, SymmetricEigen};

use super::Moments;
use crate::error::{Error, Result};

/// Mean and covariance, on which alone the distance depends.
#[derive(Debug, Clone, PartialEq)]
pub struct Normal {
    mean: DVector<f64>,
    covariance: DMatrix<f64>,
}

impl Normal {
    /// # Panics
    /// With fewer than two vectors.
    pub fn from_moments(moments: &Moments) -> Self {
        Self {
            mean: moments.mean().clone(),
            covariance: moments.covariance(),
        }
    }

    /// From stored numbers.
    ///
    /// # Shapes
    /// - mean: `[dim]`
    /// - covariance: `[dim, dim]`
    ///
    /// # Errors
    /// If the lengths do not match, a value is not finite, a variance is negative, or the matrix is not
    /// symmetric or not positive semidefinite up to rounding: then they are the moments of no vectors.
    pub fn new(mean: Vec<f64>, covariance: Vec<f64>) -> Result<Self> {
        let dim = mean.len();
        if dim == 0 || dim.checked_mul(dim) != Some(covariance.len()) {
            return Err(
                Error::file(format_args!("the covariance for a mean of {dim} values"))
                    .found(format_args!("{} values", covariance.len()))
                    .expected("the square of 1 or more"),
            );
        }
        if let Some(value) = mean.iter().chain(&covariance).find(|v| !v.is_finite()) {
            return Err(Error::file("a value of mean or covariance")
                .found(value)
                .expected("finite"));
        }
        let covariance = DMatrix::from_vec(dim, dim, covariance);
        if let Some(value) = covariance.diagonal().iter().find(|&&v| v < 0.0) {
            return Err(Error::file("a variance").found(value).expected("0 or more"));
        }
        let largest = covariance.amax();
        let skew = (&covariance - covariance.transpose()).amax();
        if skew > SYMMETRY * largest {
            return Err(Error::file("the covariance").found(format_args!(
                "not symmetric: two of its values differ by {skew}, the largest is {largest}"
            )));
        }
        let covariance = (&covariance + covariance.transpose()) * 0.5;
        let mut raised = covariance.clone();
        let rounding = SEMIDEFINITE * largest.max(f64::MIN_POSITIVE);
        for at in 0..dim {
            raised[(at, at)] += rounding;
        }
        if raised.cholesky().is_none() {
            return Err(Error::file("the covariance")
                .found("not positive semidefinite: the variance along some direction is negative")
                .expected("the covariance of vectors"));
        }
        Ok(Self {
            mean: DVector::from_vec(mean),
            covariance,
        })
    }

    /// Length of the vectors.
    pub fn dim(&self) -> usize {
        self.mean.len()
    }

    /// Mean, `[dim]`.
    pub fn mean(&self) -> &[f64] {
        self.mean.as_slice()
    }

    /// Covariance, `[dim, dim]`.
    pub fn covariance(&self) -> &[f64] {
        self.covariance.as_slice()
    }

    /// `|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))`.
    ///
    /// `tr (C1 C2)^(1/2) = tr (C1^(1/2) C2 C1^(1/2))^(1/2)` needs square roots of symmetric
    /// matrices only, which eigenvalues give exactly, unlike an iteration. Eigenvalues below zero through
    /// rounding count as zero.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn frechet_distance(&self, other: &Self) -> f64 {
        assert_eq!(self.dim(), other.dim(), "lengths of feature vectors");
        let (a, b) = (&self.covariance, &other.covariance);
        let cross = trace_of_root(a, b);
        (&self.mean - &other.mean).norm_squared() + a.trace() + b.trace() - 2.0 * cross
    }
}

/// How far two values that should be equal may differ, relative to the largest: roundings of f32.
const SYMMETRY: f64 = 1e-5;
/// How far below zero an eigenvalue may be, relative to the largest value: roundings of f32 over thousands of
/// values.
const SEMIDEFINITE: f64 = 1e-4;

/// [`Normal::frechet_distance`] of the vectors of two sets.
pub fn frechet_distance(a: &Moments, b: &Moments) -> f64 {
    Normal::from_moments(a).frechet_distance(&Normal::from_moments(b))
}

/// `tr (C1 C2)^(1/2)`.
fn trace_of_root(c1: &DMatrix<f64>, c2: &DMatrix<f64>) -> f64 {
    let root = symmetric_root(c1);
    let product = &root * c2 * &root;
    let product = (&product + product.transpose()) * 0.5;
    let eigenvalues = SymmetricEigen::new(product).eigenvalues;
    eigenvalues.iter().map(|v| v.max(0.0).sqrt()).sum()
}

fn symmetric_root(matrix: &DMatrix<f64>) -> DMatrix<f64> {
    let SymmetricEigen {
        eigenvectors,
        mut eigenvalues,
    } = SymmetricEigen::new(matrix.clone());
    eigenvalues.apply(|v| *v = v.max(0.0).sqrt());
    &eigenvectors * DMatrix::from_diagonal(&eigenvalues) * eigenvectors.transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(points: &[[f32; 2]]) -> Moments {
        let mut m = Moments::new(2);
        m.add(points.as_flattened());
        m
    }

    #[test]
    fn equal_sets_are_at_distance_zero() {
        let m = moments(&[[0.0, 1.0], [2.0, 5.0], [4.0, 3.0]]);
        assert!(frechet_distance(&m, &m).abs() < 1e-12);
    }

    #[test]
    fn diagonal_case_by_hand() {
        // means (0, 0) and (3, 4); covariances diag(4/3, 16/3) and diag(16/3, 4/3):
        // 25 + 2 (1/3)(4 + 16) - 2 * 2 * 8/3
        let a = moments(&[[-1.0, -2.0], [-1.0, 2.0], [1.0, -2.0], [1.0, 2.0]]);
        let b = moments(&[[1.0, 3.0], [1.0, 5.0], [5.0, 3.0], [5.0, 5.0]]);
        let expected = 25.0 + 2.0 * 20.0 / 3.0 - 4.0 * 8.0 / 3.0;
        assert!((frechet_distance(&a, &b) - expected).abs() < 1e-10);
        assert!((frechet_distance(&b, &a) - expected).abs() < 1e-10);
    }

    /// A symmetric matrix with these eigenvalues, its axes reflected by the vector (1, 2, 3, ...).
    fn turned(eigenvalues: &[f64]) -> DMatrix<f64> {
        let n = eigenvalues.len();
        let v = DMatrix::from_fn(n, 1, |i, _| (i + 1) as f64);
        let axes = DMatrix::identity(n, n) - &v * v.transpose() * (2.0 / v.norm_squared());
        &axes * DMatrix::from_diagonal(&DVector::from_column_slice(eigenvalues)) * axes.transpose()
    }

    #[test]
    fn root_of_two_by_two_in_closed_form() {
        // (M + sqrt(det M) I) / sqrt(tr M + 2 sqrt(det M)), by Cayley and Hamilton
        let m = DMatrix::<f64>::from_row_slice(2, 2, &[5.0, 2.0, 2.0, 3.0]);
        let det = m.determinant().sqrt();
        let expected = (&m + DMatrix::identity(2, 2) * det) / (m.trace() + 2.0 * det).sqrt();
        assert!((symmetric_root(&m) - expected).norm() < 1e-12);
    }

    #[test]
    fn commuting_covariances_in_closed_form() {
        // with shared axes tr (C1 C2)^(1/2) = sum sqrt(a b); rotated, and along the axes; one matrix
        // is singular, as with fewer samples than features, and the scales are far apart
        let a = [4.0, 1e-6, 9.0, 2.5, 1e4, 0.0];
        let b = [1.0, 5.0, 1e-3, 0.3, 7e3, 2.0];
        let expected: f64 = a.iter().zip(&b).map(|(a, b)| f64::sqrt(a * b)).sum();
        let diagonal = |values: &[f64]| DMatrix::from_diagonal(&DVector::from_column_slice(values));
        for (c1, c2) in [(turned(&a), turned(&b)), (diagonal(&a), diagonal(&b))] {
            let found = trace_of_root(&c1, &c2);
            assert!((found / expected - 1.0).abs() < 1e-6, "{found}, {expected}");
            let root = symmetric_root(&c1);
            assert!((&root * &root - &c1).norm() < 1e-10 * c1.norm());
        }
    }

    /// SplitMix64 of `stream * 2^32 + index`, as numbers in [-1, 1) (tests/fixtures/frechet/make.py).
    fn uniform(stream: u64, count: usize) -> Vec<f64> {
        let mix = |index: u64| {
            let mut z = ((stream << 32) + index)
                .wrapping_add(1)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 40) as f64 / f64::from(1 << 23) - 1.0
        };
        (0..count as u64).map(mix).collect()
    }

    fn made(stream: u64, dim: usize, rank: usize, octaves: usize) -> DMatrix<f64> {
        let g = DMatrix::from_row_slice(dim, rank, &uniform(stream, dim * rank));
        let scale = |j: usize| f64::powi(2.0, -((j * octaves / rank) as i32));
        let scaled = DMatrix::from_fn(dim, rank, |i, j| g[(i, j)] * scale(j));
        scaled * g.transpose() / rank as f64
    }

    #[test]
    fn as_scipy_and_pytorch_fid() {
        /// scipy's general square root has an error of some 1e-7 for singular matrices: it is off its
        /// own real result by an imaginary part of that size.
        const RELATIVE: f64 = 1e-6;
        let text = include_str!("../../../../tests/fixtures/frechet/cases.json");
        let file: serde_json::Value = serde_json::from_str(text).unwrap();
        let cases = file["cases"].as_array().unwrap();
        assert_eq!(cases.len(), 6);
        for (index, case) in cases.iter().enumerate() {
            let what = &case["what"];
            let number = |key: &str| case[key].as_f64().unwrap();
            let pair = |key: &str| [0, 1].map(|k| case[key][k].as_u64().unwrap() as usize);
            let dim = number("dim") as usize;
            let (ranks, octaves) = (pair("ranks"), pair("octaves"));
            let [a, b] = [0, 1].map(|k| {
                let mean = uniform(100 + 2 * index as u64 + k as u64, dim);
                let stream = 2 * index as u64 + k as u64 + 1;
                let covariance = made(stream, dim, ranks[k], octaves[k]);
                Normal::new(mean, covariance.as_slice().to_vec()).unwrap()
            });
            for (found, name) in [
                (
                    trace_of_root(&a.covariance, &b.covariance),
                    "trace_of_root_scipy",
                ),
                (
                    trace_of_root(&b.covariance, &a.covariance),
                    "trace_of_root_numpy",
                ),
                (a.frechet_distance(&b), "pytorch_fid"),
            ] {
                let expected = number(name);
                assert!(
                    (found / expected - 1.0).abs() < RELATIVE,
                    "{what}, {name}: {found}, expected {expected}"
                );
            }
            assert!(
                a.frechet_distance(&a).abs() < 1e-6 * a.covariance.trace(),
                "{what}"
            );
        }
    }

    #[test]
    fn numbers_that_are_no_covariance_are_refused() {
        let refused = |mean: &[f64], covariance: &[f64], part: &str| {
            let error = Normal::new(mean.to_vec(), covariance.to_vec())
                .unwrap_err()
                .to_string();
            assert!(error.contains(part), "{error}");
        };
        refused(
            &[0.0, 1.0],
            &[1.0, 0.0, 0.0],
            "mean of 2 values is 3 values",
        );
        refused(&[], &[], "mean of 0 values");
        refused(&[f64::NAN], &[1.0], "NaN");
        refused(&[0.0], &[-1.0], "variance is -1");
        refused(&[0.0, 0.0], &[1.0, 0.5, 0.0, 1.0], "not symmetric");
        refused(
            &[0.0, 0.0],
            &[1.0, 2.0, 2.0, 1.0],
            "not positive semidefinite",
        );
        // equal vectors, and as many as leave the matrix singular, are vectors
        Normal::new(vec![0.0, 0.0], vec![0.0; 4]).unwrap();
        Normal::new(vec![0.0, 0.0], vec![1.0, 1.0, 1.0, 1.0]).unwrap();
    }
}
