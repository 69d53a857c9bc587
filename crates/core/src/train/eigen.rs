//! Eigenvectors of symmetric matrices without negative eigenvalues, such as W^T W, from powers of the matrix: dense
//! products on the device, nothing read back.

use burn::tensor::{Tensor, TensorData};

/// Below this a column is taken for zero.
const TINY: f64 = 1e-20;
/// A column of which less than this share is left without the columns before it is a combination of them, up to rounding.
const DEPENDENT: f64 = 1e-5;

/// The eigenvector of the largest eigenvalue, `[k, 1]`.
///
/// `matrix^(2^squarings)` is near the projection onto it: with 10 squarings, eigenvalues that differ by 1 % have powers
/// that differ by a factor of 30,000. A column of that projection is the vector.
///
/// # Shapes
/// - matrix: `[k, k]`
pub(super) fn leading(matrix: Tensor<2>, squarings: usize) -> Tensor<2> {
    let [k, _] = matrix.dims();
    let device = matrix.device();
    let mut power = matrix;
    for _ in 0..squarings {
        let largest = power.clone().abs().max().clamp_min(TINY);
        power = power / largest.reshape([1, 1]);
        power = power.clone().matmul(power);
    }
    // its longest column; of equal ones, which may be opposite, the later
    let diagonal = (power.clone() * Tensor::eye(k, &device)).sum_dim(1); // [k, 1]
    let preference: Vec<f32> = (0..k).map(|i| 1.0 + 1e-3 * i as f32).collect();
    let diagonal = diagonal * Tensor::from_data(TensorData::new(preference, [k, 1]), &device);
    let largest = diagonal.clone().max().reshape([1, 1]).expand([k, 1]);
    unit(power.matmul(diagonal.equal(largest).float()), TINY)
}

/// The matrix without its part along an eigenvector y: `(I - y y^T) M (I - y y^T)`.
///
/// # Shapes
/// - matrix: `[k, k]`, returned with the same shape
/// - y: `[k, 1]`, of length 1
pub(super) fn without(matrix: Tensor<2>, y: &Tensor<2>) -> Tensor<2> {
    let row = y.clone().transpose();
    let image = matrix.clone().matmul(y.clone()); // M y
    let value = row.clone().matmul(image.clone()); // y^T M y
    let both = image.clone().matmul(row.clone()) + y.clone().matmul(image.transpose());
    matrix - both + y.clone().matmul(row) * value
}

/// Gram-Schmidt, twice over, which is as exact as a Householder QR (Giraud et al. 2005). A column that depends on those
/// before it becomes 0.
pub(super) fn orthonormal(matrix: Tensor<2>) -> Tensor<2> {
    let [rows, columns] = matrix.dims();
    let mut done: Option<Tensor<2>> = None;
    for column in 0..columns {
        let mut a = matrix.clone().slice([0..rows, column..column + 1]); // [rows, 1]
        a = unit(a, TINY);
        if let Some(basis) = &done {
            for _ in 0..2 {
                let along = basis.clone().transpose().matmul(a.clone()); // [done, 1]
                a = a - basis.clone().matmul(along);
            }
            let left = a
                .clone()
                .square()
                .sum()
                .sqrt()
                .greater_elem(DEPENDENT)
                .float();
            a = unit(a, TINY) * left.reshape([1, 1]);
        }
        done = Some(match done {
            Some(basis) => Tensor::cat(vec![basis, a], 1),
            None => a,
        });
    }
    done.unwrap_or(matrix)
}

/// All eigenvectors of a small matrix, as columns, that of the largest eigenvalue first.
///
/// # Shapes
/// - matrix: `[k, k]`, returned with the same shape
pub(super) fn eigenvectors(matrix: Tensor<2>) -> Tensor<2> {
    /// Eigenvalues that differ by 0.2 % have powers that differ by a factor of 3000.
    const SQUARINGS: usize = 12;
    let [k, _] = matrix.dims();
    let mut left_over = matrix;
    let mut found = Vec::with_capacity(k);
    for _ in 0..k {
        let y = leading(left_over.clone(), SQUARINGS);
        left_over = without(left_over, &y);
        found.push(y);
    }
    orthonormal(Tensor::cat(found, 1))
}

/// `x / max(|x|, eps)`.
fn unit(x: Tensor<2>, eps: f64) -> Tensor<2> {
    let norm = x.clone().square().sum().sqrt().clamp_min(eps);
    x / norm.reshape([1, 1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn values(t: Tensor<1>) -> Vec<f32> {
        t.into_data().try_to_vec().unwrap()
    }

    #[test]
    fn eigenvectors_of_a_small_matrix() {
        let device = Device::flex();
        // opposite entries of equal magnitude; equal eigenvalues; rank 1
        for rows in [
            [[3.0, -1.0, 0.0], [-1.0, 3.0, 0.0], [0.0, 0.0, 1.0]],
            [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 2.0]],
            [[4.0, 2.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 0.0]],
        ] {
            let matrix = Tensor::<2>::from_data(rows, &device);
            let y = eigenvectors(matrix.clone());
            let eye = Tensor::<2>::eye(3, &device);
            let worst = |t: Tensor<2>| values(t.abs().max().reshape([1]))[0];
            let turned = y.clone().transpose().matmul(matrix).matmul(y.clone()); // diagonal, descending
            let diagonal = values((turned.clone() * eye.clone()).sum_dim(1).reshape([3]));
            assert!(
                worst(turned * (eye.clone() * -1.0 + 1.0)) < 1e-4,
                "{rows:?}"
            );
            assert!(diagonal.windows(2).all(|pair| pair[0] >= pair[1] - 1e-5));
            // a vector of the eigenvalue 0 may be missing
            let gram = y.clone().transpose().matmul(y);
            let lengths = values((gram.clone() * eye.clone()).sum_dim(1).reshape([3]));
            assert!(worst(gram * (eye * -1.0 + 1.0)) < 1e-5, "{rows:?}");
            for (length, value) in lengths.iter().zip(diagonal) {
                assert!(
                    (length - 1.0).abs() < 1e-5 || value.abs() < 1e-5,
                    "{rows:?}"
                );
            }
        }
    }
}
