//! Frechet distance between two normal distributions (Dowson and Landau 1982; Heusel et al. 2017).

use nalgebra::{DMatrix, SymmetricEigen};

use super::Moments;

/// `|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))`.
///
/// `tr (C1 C2)^(1/2) = tr (C1^(1/2) C2 C1^(1/2))^(1/2)`, which needs square roots of symmetric
/// matrices only: they are exact by eigenvalues, unlike an iteration. Eigenvalues below zero by
/// rounding count as zero.
pub fn frechet_distance(a: &Moments, b: &Moments) -> f64 {
    let (c1, c2) = (a.covariance(), b.covariance());
    let root = symmetric_root(&c1);
    let product = &root * &c2 * &root;
    let product = (&product + product.transpose()) * 0.5;
    let eigenvalues = SymmetricEigen::new(product).eigenvalues;
    let cross: f64 = eigenvalues.iter().map(|v| v.max(0.0).sqrt()).sum();
    (a.mean() - b.mean()).norm_squared() + c1.trace() + c2.trace() - 2.0 * cross
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
}
