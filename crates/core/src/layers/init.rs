//! Initial weights, drawn on the host from the portable generator.

use burn::module::{Param, ParamId};
use burn::tensor::{Device, Tensor, TensorData};

use crate::random::{Draws, Stream};

/// Draws initial values; each tensor has its own stream, in the order of construction.
#[derive(Debug)]
pub struct Initialiser<'a> {
    seed: u64,
    /// Distinguishes the networks of one run (0 generator, 1 discriminator, ..).
    network: u64,
    next: u64,
    /// Whether all values are 0.
    zeros: bool,
    device: &'a Device,
}

impl<'a> Initialiser<'a> {
    /// An initialiser for one network of a run.
    pub fn new(seed: u64, network: u64, device: &'a Device) -> Self {
        Self {
            seed,
            network,
            next: 0,
            zeros: false,
            device,
        }
    }

    /// An initialiser for networks that are about to be loaded: all values are 0.
    pub fn zeros(device: &'a Device) -> Self {
        Self {
            zeros: true,
            ..Self::new(0, 0, device)
        }
    }

    /// The device of the parameters.
    pub fn device(&self) -> &Device {
        self.device
    }

    fn draws(&mut self) -> Draws {
        self.next += 1;
        Draws::new(self.seed, Stream::Init, self.network, self.next)
    }

    /// Trainable weight `[out, ...]` whose matrix `[out, rest]` has orthonormal rows or columns,
    /// whichever are fewer (Saxe et al. 2014; BigGAN appendix C).
    pub fn orthogonal<const D: usize>(&mut self, shape: [usize; D]) -> Param<Tensor<D>> {
        if self.zeros {
            // made when it is asked for, which what is loaded in its place never is
            let zeros = move |device: &Device, _| Tensor::zeros(shape, device);
            let (id, device) = (ParamId::new(), self.device.clone());
            return Param::uninitialized(id, zeros, device, true, shape.into());
        }
        let rows = shape[0];
        let cols = shape[1..].iter().product();
        let values = orthogonal_matrix(rows, cols, &mut self.draws());
        Param::from_tensor(Tensor::from_data(
            TensorData::new(values, shape),
            self.device,
        ))
    }

    /// Trainable tensor with every value the same.
    pub fn constant<const D: usize>(&self, shape: [usize; D], value: f32) -> Param<Tensor<D>> {
        Param::from_tensor(Tensor::full(shape, value, self.device))
    }

    /// State (no gradient) with every value the same.
    pub fn state(&self, len: usize, value: f32) -> Param<Tensor<1>> {
        Param::from_tensor(Tensor::full([len], value, self.device)).set_require_grad(false)
    }

    /// Starting vector of a power iteration: normal, of length 1.
    pub fn unit_vector(&mut self, len: usize) -> Param<Tensor<1>> {
        if self.zeros {
            return self.state(len, 0.0);
        }
        let mut draws = self.draws();
        let values: Vec<f64> = (0..len).map(|_| draws.normal()).collect();
        let norm = libm::sqrt(values.iter().map(|v| v * v).sum());
        let unit: Vec<f32> = values.iter().map(|v| (v / norm) as f32).collect();
        Param::from_tensor(Tensor::from_data(TensorData::new(unit, [len]), self.device))
            .set_require_grad(false)
    }
}

/// Multiply-adds above which vectors are computed in blocks and in parallel. Smaller matrices are computed one
/// vector at a time, which keeps the bits of the runs reported in docs/.
const LARGE_MULTIPLY_ADDS: usize = 1 << 30;
/// Vectors per block.
const BLOCK: usize = 32;
/// Vectors of a block per thread: each vector of the basis is read once for all of them.
const AT_ONCE: usize = 4;

/// A `rows x cols` matrix, row-major, with orthonormal rows (`rows <= cols`) or columns.
///
/// Gram-Schmidt in f64, each vector orthogonalised twice ("twice is enough": Giraud et al. 2005).
fn orthogonal_matrix(rows: usize, cols: usize, draws: &mut Draws) -> Vec<f32> {
    let (count, len) = (rows.min(cols), rows.max(cols));
    let basis = if count * count * len > LARGE_MULTIPLY_ADDS {
        orthonormal(count, len, BLOCK, dot_in_lanes, draws)
    } else {
        orthonormal(count, len, 1, dot, draws)
    };
    let mut matrix = vec![0.0; rows * cols];
    for (i, vector) in basis.iter().enumerate() {
        for (j, &value) in vector.iter().enumerate() {
            let place = if rows <= cols {
                i * cols + j
            } else {
                j * cols + i
            };
            matrix[place] = value as f32;
        }
    }
    matrix
}

type Dot = fn(&[f64], &[f64]) -> f64;

/// Orthonormal vectors, computed `block` at a time; they do not depend on the number of threads.
fn orthonormal(
    count: usize,
    len: usize,
    block: usize,
    dot: Dot,
    draws: &mut Draws,
) -> Vec<Vec<f64>> {
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(count);
    while basis.len() < count {
        let vectors = block.min(count - basis.len());
        let mut drawn: Vec<Vec<f64>> = (0..vectors)
            .map(|_| (0..len).map(|_| draws.normal()).collect())
            .collect();
        in_parallel(&mut drawn, |vectors| {
            for _ in 0..2 {
                for other in &basis {
                    for vector in &mut *vectors {
                        remove(vector, other, dot);
                    }
                }
            }
        });
        let before = basis.len();
        for mut vector in drawn {
            for _ in 0..2 {
                for other in &basis[before..] {
                    remove(&mut vector, other, dot);
                }
            }
            let norm = libm::sqrt(vector.iter().map(|v| v * v).sum());
            // a draw in the span of the others is repeated
            if norm > 1e-6 {
                vector.iter_mut().for_each(|v| *v /= norm);
                basis.push(vector);
            }
        }
    }
    basis
}

/// Calls `body` for each [`AT_ONCE`] vectors, in parallel with the feature `rayon`.
fn in_parallel(vectors: &mut [Vec<f64>], body: impl Fn(&mut [Vec<f64>]) + Sync + Send) {
    #[cfg(feature = "rayon")]
    {
        use rayon::prelude::*;
        vectors.par_chunks_mut(AT_ONCE).for_each(body);
    }
    #[cfg(not(feature = "rayon"))]
    vectors.chunks_mut(AT_ONCE).for_each(body);
}

/// Removes from `vector` its component along `unit`.
fn remove(vector: &mut [f64], unit: &[f64], dot: Dot) {
    let along = dot(vector, unit);
    for (a, b) in vector.iter_mut().zip(unit) {
        *a -= along * b;
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// With eight independent partial sums.
fn dot_in_lanes(a: &[f64], b: &[f64]) -> f64 {
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        for (lane, (a, b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += a * b;
        }
    }
    lanes.iter().sum::<f64>() + dot(a_rest, b_rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_orthonormal_and_begin_as_single_vectors_do() {
        let draws = || Draws::new(1, Stream::Init, 0, 0);
        let (count, len) = (2 * BLOCK + 5, 2 * BLOCK + 9);
        let single = orthonormal(count, len, 1, dot, &mut draws());
        let blocks = orthonormal(count, len, BLOCK, dot_in_lanes, &mut draws());
        for (i, (a, b)) in single.iter().zip(&blocks).enumerate() {
            for (j, other) in blocks.iter().enumerate() {
                let expected = f64::from(u8::from(i == j));
                assert!((dot(b, other) - expected).abs() < 1e-12, "{i}, {j}");
            }
            assert!((dot(a, b) - 1.0).abs() < 1e-9, "vector {i}");
        }
    }

    #[test]
    fn rows_or_columns_are_orthonormal() {
        for (rows, cols) in [(3, 7), (7, 3), (5, 5), (1, 4), (4, 1)] {
            let m = orthogonal_matrix(rows, cols, &mut Draws::new(1, Stream::Init, 0, 0));
            let at = |i: usize, j: usize| {
                f64::from(if rows <= cols {
                    m[i * cols + j]
                } else {
                    m[j * cols + i]
                })
            };
            let (count, len) = (rows.min(cols), rows.max(cols));
            for a in 0..count {
                for b in 0..count {
                    let dot: f64 = (0..len).map(|k| at(a, k) * at(b, k)).sum();
                    let expected = f64::from(u8::from(a == b));
                    assert!(
                        (dot - expected).abs() < 1e-6,
                        "{rows}x{cols} {a},{b}: {dot}"
                    );
                }
            }
        }
    }
}
