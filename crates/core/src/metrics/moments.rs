//! Mean and covariance of a stream of feature vectors in constant memory.

use nalgebra::{DMatrix, DVector};

/// Vectors added at once.
const BLOCK: usize = 256;

/// Running mean and co-moment in f64 (merged by Chan, Golub and LeVeque 1983).
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    count: usize,
    mean: DVector<f64>,
    comoment: DMatrix<f64>,
}

impl Moments {
    /// Moments of no vectors yet, for vectors of `dim` values.
    pub fn new(dim: usize) -> Self {
        Self {
            count: 0,
            mean: DVector::zeros(dim),
            comoment: DMatrix::zeros(dim, dim),
        }
    }

    /// Adds vectors in blocks of a few hundred, with one matrix product per block.
    ///
    /// # Shapes
    /// - features: `[n, dim]`, row-major
    ///
    /// # Panics
    /// If the length is not a multiple of `dim`.
    pub fn add(&mut self, features: &[f32]) {
        let dim = self.mean.len();
        assert_eq!(features.len() % dim, 0, "whole vectors of {dim} values");
        for rows in features.chunks(BLOCK * dim) {
            let n = rows.len() / dim;
            // row-major [n, dim] is column-major [dim, n]
            let mut x = DMatrix::from_iterator(dim, n, rows.iter().map(|&v| f64::from(v)));
            let mean = x.column_mean();
            x.column_iter_mut().for_each(|mut column| column -= &mean);
            self.comoment.gemm(1.0, &x, &x.transpose(), 1.0);
            let all = (self.count + n) as f64;
            let delta = mean - &self.mean;
            let between = self.count as f64 * n as f64 / all;
            self.comoment.ger(between, &delta, &delta, 1.0);
            self.mean += delta * (n as f64 / all);
            self.count += n;
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

    /// Unbiased covariance (divided by n - 1), as in numpy's `cov` and the usual FID code.
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

    #[test]
    fn pieces_of_any_size_are_the_whole_set_far_from_zero() {
        // 700 vectors around 1000 with a deviation of about 1: sums of squares in f32 would lose
        // it entirely
        let rows: Vec<f32> = (0..700 * 3)
            .map(|i| 1000.0 + (i * i % 101) as f32 / 32.0)
            .collect();
        let mut whole = Moments::new(3);
        whole.add(&rows);
        let mut pieces = Moments::new(3);
        for piece in rows.chunks(3 * 17) {
            pieces.add(piece);
        }
        assert_eq!(pieces.count(), 700);
        let at = |i: usize, j: usize| f64::from(rows[3 * i + j]);
        let mean: Vec<f64> = (0..3)
            .map(|j| (0..700).map(|i| at(i, j)).sum::<f64>() / 700.0)
            .collect();
        for moments in [whole, pieces] {
            let covariance = moments.covariance();
            for j in 0..3 {
                assert!((moments.mean()[j] - mean[j]).abs() < 1e-10);
                for k in 0..3 {
                    let product = |i| (at(i, j) - mean[j]) * (at(i, k) - mean[k]);
                    let expected = (0..700).map(product).sum::<f64>() / 699.0;
                    assert!((covariance[(j, k)] - expected).abs() < 1e-9);
                }
            }
        }
    }
}
