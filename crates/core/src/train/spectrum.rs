//! The largest singular values of a weight, which BigGAN sec. 4 observes and clamps.
//!
//! Subspace iteration with re-orthonormalisation (Golub and Van Loan, "Matrix Computations", sec.
//! 8.2.4, applied to W^T W): thin products on the device, nothing read back.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};

use crate::error::Result;
use crate::layers::unit;
use crate::named::{NamedTensors, read_values};
use crate::random::{Draws, Stream};

/// Extra columns, which speed up the convergence of the requested ones.
const GUARD: usize = 3;
/// Iterations that bring the three largest values of a random matrix within a few per mille.
pub const ITERATIONS: usize = 30;
/// Iterations of [`largest_singular`].
const FEW_ITERATIONS: usize = 10;
/// Below this a column is taken for zero.
const TINY: f64 = 1e-20;

/// Singular values and vectors, largest first.
#[derive(Debug, Clone)]
pub struct SingularTriples {
    /// `[k]`
    pub sigma: Tensor<1>,
    /// Left vectors `[out, k]`.
    pub left: Tensor<2>,
    /// Right vectors `[rest, k]`.
    pub right: Tensor<2>,
}

/// The `k` largest singular values of a matrix, with their vectors. Nearly equal values may be
/// in any order.
///
/// # Shapes
/// - matrix: `[out, rest]`, without autodiff; k is limited to its smaller side
pub fn top_singular(matrix: Tensor<2>, k: usize, iterations: usize) -> SingularTriples {
    let k = k.min(matrix.dims()[0]).min(matrix.dims()[1]).max(1);
    let all = iterate(matrix, k + GUARD, iterations);
    SingularTriples {
        sigma: all.sigma.narrow(0, 0, k),
        left: all.left.narrow(1, 0, k),
        right: all.right.narrow(1, 0, k),
    }
}

/// As many triples as `columns`, or as the smaller side of the matrix.
fn iterate(matrix: Tensor<2>, columns: usize, iterations: usize) -> SingularTriples {
    let [out, rest] = matrix.dims();
    let columns = columns.min(out).min(rest);
    let transposed = matrix.clone().transpose();
    let mut right = orthonormal(start(rest, columns, &matrix.device()));
    let mut left = orthonormal(matrix.clone().matmul(right.clone()));
    for _ in 0..iterations {
        right = orthonormal(transposed.clone().matmul(left));
        left = orthonormal(matrix.clone().matmul(right.clone()));
    }
    let sigma = (matrix.matmul(right.clone()) * left.clone()).sum_dim(0); // [1, columns]
    SingularTriples {
        sigma: sigma.reshape([columns]),
        left,
        right,
    }
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
        // nearly equal values, as of orthogonal weights, come in any order
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
            Some((
                name,
                iterate(weight.as_matrix()?, columns, iterations).sigma,
            ))
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
            let mut draws = Draws::new(0, Stream::Init, 0, row as u64);
            (0..columns).map(move |_| (draws.uniform() - 0.5) as f32)
        })
        .collect();
    Tensor::from_data(TensorData::new(values, [rows, columns]), device)
}

/// Gram-Schmidt, twice over, which is as exact as a Householder QR (Giraud et al. 2005).
fn orthonormal(matrix: Tensor<2>) -> Tensor<2> {
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
            a = unit(a, TINY);
        }
        done = Some(match done {
            Some(basis) => Tensor::cat(vec![basis, a], 1),
            None => a,
        });
    }
    done.unwrap_or(matrix)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(t: Tensor<1>) -> Vec<f32> {
        t.into_data().try_to_vec().unwrap()
    }

    /// `A diag(s) B^T` with orthonormal A and B.
    fn with_singular_values(s: &[f64], out: usize, rest: usize, device: &Device) -> Tensor<2> {
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
            let found = top_singular(w.clone(), 3, ITERATIONS);
            for (sigma, expected) in values(found.sigma.clone()).iter().zip(s) {
                assert!(
                    (f64::from(*sigma) - expected).abs() < 1e-4,
                    "{sigma} {expected}"
                );
            }
            // W v0 = sigma0 u0; vectors of closer values converge more slowly
            let first = |t: Tensor<2>| t.narrow(1, 0, 1);
            let scaled = first(found.left) * found.sigma.narrow(0, 0, 1).unsqueeze();
            let error = (w.matmul(first(found.right)) - scaled).abs().max();
            assert!(values(error.reshape([1]))[0] < 1e-4);
        }
    }

    #[test]
    fn a_matrix_of_rank_one_has_one() {
        let device = Device::flex();
        let w = with_singular_values(&[2.0], 5, 6, &device);
        let found = values(top_singular(w, 3, ITERATIONS).sigma);
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
