//! Spectral norm folded into a weight on the host.
//!
//! `W` is the weight as a matrix `[out, rest]`, row-major. Sums are in f64, since folding is done once.

/// `W v`.
fn times(matrix: &[f32], v: &[f64]) -> Vec<f64> {
    matrix
        .chunks_exact(v.len())
        .map(|row| row.iter().zip(v).map(|(&w, v)| f64::from(w) * v).sum())
        .collect()
}

/// `W^T u`.
fn transposed_times(matrix: &[f32], u: &[f64]) -> Vec<f64> {
    let mut product = vec![0.0; matrix.len() / u.len()];
    for (row, u) in matrix.chunks_exact(product.len()).zip(u) {
        for (sum, &w) in product.iter_mut().zip(row) {
            *sum += u * f64::from(w);
        }
    }
    product
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `x / max(|x|, eps)`.
fn unit(mut x: Vec<f64>, eps: f64) -> Vec<f64> {
    let norm = libm::sqrt(dot(&x, &x)).max(eps);
    x.iter_mut().for_each(|x| *x /= norm);
    x
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

/// `sigma = u . (W v)` of PyTorch's spectral norm in evaluation, with the stored vectors
/// (`torch/nn/utils/spectral_norm.py`, `compute_weight`).
///
/// # Shapes
/// - matrix: `[out, rest]`; u: `[out]`; v: `[rest]`; none empty
pub(super) fn stored_sigma(matrix: &[f32], u: &[f32], v: &[f32]) -> f64 {
    dot(&wide(u), &times(matrix, &wide(v)))
}

/// `sigma` of BigGAN-PyTorch in evaluation: one power step from the stored `u`, which is not updated
/// (`layers.py:28-50,87-99`): `v = unit(W^T u)`, `u' = unit(W v)`, `sigma = u' . (W v)`.
///
/// # Shapes
/// As [`stored_sigma`].
pub(super) fn stepped_sigma(matrix: &[f32], u: &[f32], eps: f64) -> f64 {
    let v = unit(transposed_times(matrix, &wide(u)), eps);
    let product = times(matrix, &v);
    let next = unit(product.clone(), eps);
    dot(&next, &product)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // W = [[3, 0], [0, 1]]: from u = (1, 1) v = (3, 1)/sqrt 10, W v = (9, 1)/sqrt 10,
        // sigma = |W v| = sqrt(82/10)
        let w = [3.0, 0.0, 0.0, 1.0];
        assert!((stepped_sigma(&w, &[1.0, 1.0], 1e-12) - 8.2_f64.sqrt()).abs() < 1e-12);
        assert_eq!(
            stored_sigma(&w, &[0.6, 0.8], &[1.0, 0.0]),
            f64::from(0.6f32) * 3.0
        );
    }

    #[test]
    fn rectangles_keep_rows_and_columns_apart() {
        // W = [[1, 2, 3]]: u = (1), v = W / |W|, sigma = |W|
        let w = [1.0, 2.0, 3.0];
        assert!((stepped_sigma(&w, &[-0.5], 1e-12) - 14.0_f64.sqrt()).abs() < 1e-12);
        assert!((stepped_sigma(&w, &[1.0, 0.0, 0.0], 1e-12) - 14.0_f64.sqrt()).abs() < 1e-12);
    }
}
