//! Mean and covariance of a stream of feature vectors in constant memory.

use nalgebra::{DMatrix, DVector};

/// Running mean and co-moment in f64 (Welford; merging by Chan, Golub and LeVeque 1983).
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    count: usize,
    mean: DVector<f64>,
    comoment: DMatrix<f64>,
}

impl Moments {
    /// Moments of nothing, for vectors of `dim` values.
    pub fn new(dim: usize) -> Self {
        Self {
            count: 0,
            mean: DVector::zeros(dim),
            comoment: DMatrix::zeros(dim, dim),
        }
    }

    /// Adds vectors.
    ///
    /// # Shapes
    /// - features: `[n, dim]`, row-major
    ///
    /// # Panics
    /// If the length is no multiple of `dim`.
    pub fn add(&mut self, features: &[f32]) {
        let dim = self.mean.len();
        assert_eq!(features.len() % dim, 0, "whole vectors of {dim} values");
        for row in features.chunks_exact(dim) {
            let x = DVector::from_iterator(dim, row.iter().map(|&v| f64::from(v)));
            self.count += 1;
            let before = &x - &self.mean;
            self.mean += &before / self.count as f64;
            let after = x - &self.mean;
            self.comoment.ger(1.0, &before, &after, 1.0);
        }
    }

    /// Number of vectors.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Mean.
    pub fn mean(&self) -> &DVector<f64> {
        &self.mean
    }

    /// Unbiased covariance (divided by n - 1), as numpy's `cov` and the usual FID code.
    ///
    /// # Panics
    /// With fewer than two vectors.
    pub fn covariance(&self) -> DMatrix<f64> {
        assert!(
            self.count > 1,
            "a covariance needs two vectors, got {}",
            self.count
        );
        let c = &self.comoment / (self.count - 1) as f64;
        (&c + c.transpose()) * 0.5
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let mut m = Moments::new(2);
        m.add(&[1.0, 2.0, 3.0, 6.0]);
        m.add(&[5.0, 4.0]);
        assert_eq!(m.mean().as_slice(), [3.0, 4.0]);
        let c = m.covariance();
        assert!((c[(0, 0)] - 4.0).abs() < 1e-12);
        assert!((c[(1, 1)] - 4.0).abs() < 1e-12);
        assert!((c[(0, 1)] - 2.0).abs() < 1e-12);
        assert_eq!(c[(0, 1)], c[(1, 0)]);
    }
}
