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
    let cross = trace_of_root(&c1, &c2);
    (a.mean() - b.mean()).norm_squared() + c1.trace() + c2.trace() - 2.0 * cross
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
    use nalgebra::DVector;

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

    /// A symmetric matrix of eigenvalues, in axes turned by reflection at the vector (1, 2, 3, ...).
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
        // with shared axes tr (C1 C2)^(1/2) = sum sqrt(a b); turned, and along the axes; one of them
        // is singular, as of fewer samples than features, and the scales are far apart
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
}
