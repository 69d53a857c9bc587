//! Portable random numbers, keyed by what they are for.
//!
//! Every draw comes from `(seed, stream, step, global sample index)`: the four numbers are the 256-bit
//! key of a ChaCha8 generator. A rank or micro-batch asks for its own indices, so N ranks draw what
//! one process draws. A resumed run needs no generator state. Native and wasm agree bit for bit (integer
//! arithmetic, and `libm` for the transcendental functions).

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What a stream of random numbers is used for; streams never overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Stream {
    /// Initial weights.
    Init = 1,
    /// Order of the training images.
    DataOrder = 2,
    /// Latents and labels of the fake images in discriminator steps.
    DiscriminatorFakes = 3,
    /// Latents and labels in generator steps.
    GeneratorFakes = 4,
    /// Latents and labels for standing statistics.
    StandingStats = 5,
    /// Latents of samples that a user requests.
    Sample = 6,
    /// Augmentation in front of D.
    Augment = 7,
    /// Latents and labels of evaluations.
    Evaluation = 8,
    /// Mirroring of training images, by index in the run.
    Flip = 9,
    /// Directions of the small steps from a picture to its children.
    Breeding = 10,
    /// The draws that the chunks of a picture's z are rotated towards.
    ChunkTurn = 11,
    /// Choice of the real images that a probe shows to D.
    ProbeReals = 12,
    /// Latents and labels of the fakes that a probe shows to D.
    ProbeFakes = 13,
    /// Latents of the samples whose variance within a class is watched.
    ProbeVariance = 14,
    /// Columns that an iteration for singular values starts from.
    Spectrum = 15,
    /// Choice of the real images of an evaluation, and of the subsets of the kernel distance.
    EvaluationChoice = 16,
    /// Noise in place of training images.
    Noise = 17,
    /// Choice of the trained classes that new ones start from.
    NewClasses = 18,
}

/// A generator for one purpose, step and sample.
#[derive(Debug, Clone)]
pub struct Draws(ChaCha8Rng);

impl Draws {
    /// The generator keyed by `(seed, stream, step, index)`.
    pub fn new(seed: u64, stream: Stream, step: u64, index: u64) -> Self {
        let mut key = [0u8; 32];
        for (slot, word) in key
            .chunks_exact_mut(8)
            .zip([seed, stream as u64, step, index])
        {
            slot.copy_from_slice(&word.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    /// Uniform in the open interval (0, 1), a multiple of 2^-53 plus 2^-54.
    pub fn uniform(&mut self) -> f64 {
        open_unit(self.0.next_u64())
    }

    /// Uniform integer in `0..bound`, without bias (rejection of the incomplete last interval).
    ///
    /// # Panics
    /// If `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "below: the bound must be positive, got 0");
        let limit = u64::MAX - u64::MAX % bound;
        loop {
            let value = self.0.next_u64();
            if value < limit {
                return value % bound;
            }
        }
    }

    /// Standard normal by inverse CDF.
    pub fn normal(&mut self) -> f64 {
        crate::normal::normal_quantile(self.uniform())
    }
}

/// `(k + 1/2) 2^-53` with k the upper 53 bits, in the open interval (0, 1).
///
/// From 2^52 on the half is rounded away, to the even neighbour, and the last k would give 1, whose quantile is
/// infinite.
fn open_unit(bits: u64) -> f64 {
    const SCALE: f64 = 1.0 / (1u64 << 53) as f64;
    (((bits >> 11) as f64 + 0.5) * SCALE).min(1.0 - SCALE)
}

/// A permutation of `0..count` (Fisher-Yates), keyed by seed, stream and step.
pub fn permutation(seed: u64, stream: Stream, step: u64, count: usize) -> Vec<u32> {
    let mut draws = Draws::new(seed, stream, step, 0);
    let mut order: Vec<u32> = (0..count as u32).collect();
    for last in (1..count).rev() {
        order.swap(last, draws.below(last as u64 + 1) as usize);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_depend_on_every_part_of_the_key_and_on_nothing_else() {
        let first = |seed, stream, step, index| Draws::new(seed, stream, step, index).uniform();
        let base = first(1, Stream::Sample, 2, 3);
        assert_eq!(base.to_bits(), first(1, Stream::Sample, 2, 3).to_bits());
        for other in [
            first(2, Stream::Sample, 2, 3),
            first(1, Stream::Init, 2, 3),
            first(1, Stream::Sample, 3, 3),
            first(1, Stream::Sample, 2, 4),
        ] {
            assert_ne!(base.to_bits(), other.to_bits());
        }
    }

    #[test]
    fn a_uniform_number_is_below_1_and_above_0() {
        let largest = open_unit(u64::MAX);
        assert_eq!(largest, 1.0 - 1.0 / (1u64 << 53) as f64);
        assert!(crate::normal::normal_quantile(largest).is_finite());
        assert_eq!(open_unit(0), 0.5 / (1u64 << 53) as f64);
        // every other value is as it was
        for k in [1, 2, (1 << 52) - 1, 1 << 52, (1 << 52) + 1, (1 << 53) - 2] {
            let bits: u64 = k << 11;
            assert_eq!(open_unit(bits), (k as f64 + 0.5) / (1u64 << 53) as f64);
        }
    }

    #[test]
    fn normals_have_mean_zero_and_variance_one() {
        let mut draws = Draws::new(7, Stream::Sample, 0, 0);
        let n = 100_000;
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..n {
            let x = draws.normal();
            sum += x;
            squares += x * x;
        }
        // five standard errors of the mean and of the variance
        assert!((sum / f64::from(n)).abs() < 5.0 / f64::from(n).sqrt());
        assert!((squares / f64::from(n) - 1.0).abs() < 5.0 * (2.0 / f64::from(n)).sqrt());
    }

    #[test]
    fn permutation_holds_each_index_once() {
        let mut order = permutation(3, Stream::DataOrder, 1, 1000);
        assert_ne!(order[..10], (0..10).collect::<Vec<u32>>()[..]);
        order.sort_unstable();
        assert!(order.iter().enumerate().all(|(i, &v)| i as u32 == v));
    }
}
