//! The largest singular values of a weight, which BigGAN sec. 4 observes and clamps.
//!
//! Subspace iteration with re-orthonormalisation (Golub and Van Loan, "Matrix Computations", sec. 8.2.4, applied to
//! W^T W), ended by a Rayleigh-Ritz step (Saad, "Numerical Methods for Large Eigenvalue Problems", alg. 5.3): the
//! vectors are turned within their subspace to be singular vectors, which without it they are only where the values
//! are far apart. Thin products on the device, nothing read back.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};

use super::eigen::{eigenvectors, orthonormal};
use crate::error::Result;
use crate::named::{NamedTensors, read_values};
use crate::random::{Draws, Stream};

/// Extra columns, which speed up the convergence of the requested ones.
const GUARD: usize = 3;
/// Iterations that bring the three largest values of a random matrix within a few per mille.
const ITERATIONS: usize = 30;
/// Iterations of [`largest_singular`].
const FEW_ITERATIONS: usize = 10;

/// Singular values, largest first: as many as `columns`, or as the smaller side of the matrix.
///
/// # Shapes
/// - matrix: `[out, rest]`, without autodiff
/// - returns `[columns]`
fn iterate(matrix: Tensor<2>, columns: usize, iterations: usize) -> Tensor<1> {
    let [out, rest] = matrix.dims();
    let columns = columns.min(out).min(rest);
    let transposed = matrix.clone().transpose();
    let mut right = orthonormal(start(rest, columns, &matrix.device()));
    for _ in 0..iterations {
        let left = orthonormal(matrix.clone().matmul(right));
        right = orthonormal(transposed.clone().matmul(left));
    }
    let image = matrix.matmul(right); // [out, columns]
    let turn = eigenvectors(image.clone().transpose().matmul(image.clone())); // [columns, columns]
    let scaled = image.matmul(turn); // W v = sigma u
    scaled.square().sum_dim(0).sqrt().reshape([columns])
}

/// The largest singular values of every weight of two or more dimensions, as `[out, rest]`, largest
/// first: `k` of them, or as many as the weight has.
///
/// Weights are as stored, before spectral norm divides them.
///
/// # Errors
/// If the device fails.
pub async fn spectra(weights: &NamedTensors, k: usize) -> Result<BTreeMap<String, Vec<f32>>> {
    let mut found = read_spectra(weights, k + GUARD, ITERATIONS).await?;
    for sigma in found.values_mut() {
        // equal values come in any order
        sigma.sort_by(|a, b| b.total_cmp(a));
        sigma.truncate(k);
    }
    Ok(found)
}

/// The largest singular value of each of these weights by a short power iteration: an estimate from below,
/// within a few per cent, for comparison with itself at other times.
///
/// # Errors
/// If the device fails.
pub async fn largest_singular(weights: &NamedTensors) -> Result<BTreeMap<String, f32>> {
    let found = read_spectra(weights, 1, FEW_ITERATIONS).await?;
    Ok(found
        .into_iter()
        .map(|(name, sigma)| (name, sigma[0]))
        .collect())
}

/// Up to `columns` values, unordered, of each weight that is a matrix.
async fn read_spectra(
    weights: &NamedTensors,
    columns: usize,
    iterations: usize,
) -> Result<BTreeMap<String, Vec<f32>>> {
    let found: Vec<(&String, Tensor<1>)> = weights
        .iter()
        .filter_map(|(name, weight)| {
            Some((name, iterate(weight.as_matrix()?, columns, iterations)))
        })
        .collect();
    if found.is_empty() {
        return Ok(BTreeMap::new());
    }
    // one read for all
    let all = found.iter().map(|(_, sigma)| sigma.clone()).collect();
    let mut values = read_values(Tensor::cat(all, 0)).await?.into_iter();
    Ok(found
        .into_iter()
        .map(|(name, sigma)| {
            (
                name.clone(),
                values.by_ref().take(sigma.dims()[0]).collect(),
            )
        })
        .collect())
}

/// Fixed pseudo-random columns: the same matrix gives the same values everywhere.
fn start(rows: usize, columns: usize, device: &Device) -> Tensor<2> {
    let values: Vec<f32> = (0..rows)
        .flat_map(|row| {
            let mut draws = Draws::new(0, Stream::Spectrum, 0, row as u64);
            (0..columns).map(move |_| (draws.uniform() - 0.5) as f32)
        })
        .collect();
    Tensor::from_data(TensorData::new(values, [rows, columns]), device)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn values(t: Tensor<1>) -> Vec<f32> {
        t.into_data().try_to_vec().unwrap()
    }

    /// `A diag(s) B^T` with orthonormal A and B.
    pub(crate) fn with_singular_values(
        s: &[f64],
        out: usize,
        rest: usize,
        device: &Device,
    ) -> Tensor<2> {
        let random = |rows: usize, seed: u64| {
            let v: Vec<f32> = (0..rows)
                .flat_map(|row| {
                    let mut draws = Draws::new(seed, Stream::Sample, 0, row as u64);
                    (0..s.len()).map(move |_| draws.normal() as f32)
                })
                .collect();
            orthonormal(Tensor::from_data(
                TensorData::new(v, [rows, s.len()]),
                device,
            ))
        };
        let scale: Vec<f32> = s.iter().map(|&v| v as f32).collect();
        let scale = Tensor::<1>::from_data(TensorData::new(scale, [s.len()]), device);
        (random(out, 1) * scale.unsqueeze()).matmul(random(rest, 2).transpose())
    }

    #[test]
    fn known_singular_values_are_found() {
        let device = Device::flex();
        let s = [5.0, 4.0, 3.5, 1.0, 0.5, 0.25, 0.1];
        for (out, rest) in [(8, 40), (40, 8), (7, 7)] {
            let w = with_singular_values(&s, out, rest, &device);
            for (sigma, expected) in values(iterate(w, 3 + GUARD, ITERATIONS)).iter().zip(s) {
                assert!(
                    (f64::from(*sigma) - expected).abs() < 1e-4,
                    "{sigma} {expected}"
                );
            }
        }
    }

    #[test]
    fn values_that_are_near_come_in_their_order() {
        let device = Device::flex();
        let s: Vec<f64> = (0..64).map(|i| 1.0 - 0.01 * f64::from(i)).collect();
        let found = values(iterate(
            with_singular_values(&s, 64, 200, &device),
            3 + GUARD,
            ITERATIONS,
        ));
        for (sigma, expected) in found.iter().zip(&s).take(3) {
            assert!((f64::from(*sigma) - expected).abs() < 0.01, "{found:?}");
        }
        assert!(
            found.windows(2).all(|pair| pair[0] >= pair[1] - 1e-5),
            "{found:?}"
        );
    }

    #[test]
    fn a_matrix_of_rank_one_has_one() {
        let device = Device::flex();
        let w = with_singular_values(&[2.0], 5, 6, &device);
        let found = values(iterate(w, 3, ITERATIONS));
        assert_eq!(found.len(), 3);
        assert!(
            (found[0] - 2.0).abs() < 1e-5 && found[1].abs() < 1e-5,
            "{found:?}"
        );
    }

    #[test]
    fn a_short_iteration_finds_the_largest() {
        let device = Device::flex();
        let weight = |s: &[f64]| {
            let values = with_singular_values(s, 6, 12, &device).reshape([72]);
            let shape = vec![6, 3, 2, 2];
            crate::named::FlatTensor {
                values,
                shape,
                trainable: true,
            }
        };
        let weights = NamedTensors::from([
            ("apart".to_owned(), weight(&[5.0, 2.0, 1.0])),
            ("near".to_owned(), weight(&[5.0, 4.8, 4.6])),
        ]);
        let found = pollster::block_on(largest_singular(&weights)).unwrap();
        assert!((found["apart"] - 5.0).abs() < 1e-4, "{found:?}");
        assert!((4.75..5.001).contains(&found["near"]), "{found:?}");
    }
}
