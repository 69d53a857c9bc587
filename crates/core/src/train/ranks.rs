//! A step that several processes take together: each rank's images, and what is summed.
//!
//! Every rank computes the loss of the whole batch, from the logits of all ranks, and differentiates it
//! with respect to its own images only. The gradient of the step is the plain sum over ranks, for any loss and
//! for even or uneven parts, without a factor for the number of ranks.

use std::ops::Range;

use burn::tensor::Tensor;

use super::TrainConfig;
use super::batch::check_pairs;
use crate::collective::{Group, Share};
use crate::error::{Error, Result};
use crate::kernels::all_reduce_sum;

/// The processes that train together.
#[derive(Debug, Clone)]
pub struct Ranks {
    world: Group,
    norm: Group,
}

/// Images that are computed together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// Batch indices over all ranks.
    pub whole: Range<usize>,
    /// Batch indices of this rank; may be empty.
    pub own: Range<usize>,
    /// Their position in the tensors of this rank; its first image if it has none.
    pub local: Range<usize>,
}

impl Part {
    /// Whether the images of this rank count.
    pub fn counts(&self) -> bool {
        !self.own.is_empty()
    }

    /// Batch index of the first image that this rank computes.
    pub fn first(&self) -> usize {
        if self.counts() {
            self.own.start
        } else {
            self.whole.start
        }
    }
}

impl Ranks {
    /// A single process.
    pub fn single() -> Self {
        Self::new(Group::single(), Group::single())
    }

    /// All ranks, and those that share batch norm's statistics: `norm.world()` consecutive ranks, among which
    /// this rank has the index `norm.rank()`.
    pub fn new(world: Group, norm: Group) -> Self {
        Self { world, norm }
    }

    /// All ranks.
    pub fn world(&self) -> &Group {
        &self.world
    }

    /// The ranks that share batch norm's statistics.
    pub fn norm(&self) -> &Group {
        &self.norm
    }

    /// Whether every rank has the statistics of the whole batch.
    fn norm_is_whole(&self) -> bool {
        self.norm.world() == self.world.world()
    }

    /// Refuses a configuration that these ranks cannot compute.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) naming the key, both values and the remedy.
    pub fn check(&self, config: &TrainConfig) -> Result<()> {
        let (world, norm) = (self.world.world(), self.norm.world());
        if let Some(size) = config.techniques.bn_group
            && size != norm
        {
            return Err(Error::config("techniques.bn_group")
                .found(size)
                .expected(format_args!("a divisor of the {world} ranks"))
                .remedy(format_args!(
                    "run a multiple of {size}, or leave it out for statistics over all of them"
                )));
        }
        let smallest = config.techniques.parts(config.batch_size);
        let smallest = smallest.iter().map(Range::len).min().unwrap_or(0);
        if !self.norm_is_whole() && smallest < world {
            return Err(Error::config("techniques.bn_group")
                .found(norm)
                .expected(format_args!(
                    "less, or a group would have no image: \
                     {world} ranks share {smallest} images at a time"
                ))
                .remedy(format_args!(
                    "raise batch_size {}, run fewer ranks, or leave bn_group out",
                    config.batch_size
                )));
        }
        Ok(())
    }

    /// Batch indices of this rank; an empty rank computes index 0 and discards it.
    pub fn rows(&self, config: &TrainConfig) -> Vec<Range<usize>> {
        let parts = self.parts(config, config.batch_size);
        let own: Vec<_> = parts.into_iter().map(|part| part.own).collect();
        let some = own.iter().any(|rows| !rows.is_empty());
        match some {
            true => own.into_iter().filter(|rows| !rows.is_empty()).collect(),
            false => std::iter::once(0..1).collect(),
        }
    }

    /// The parts of a batch of `n`.
    pub(super) fn parts(&self, config: &TrainConfig, n: usize) -> Vec<Part> {
        let mut before = 0;
        let of = |whole: Range<usize>| {
            let own = slice(&whole, self.world.rank(), self.world.world());
            let local = match own.len() {
                0 => 0..1,
                len => before..before + len,
            };
            before += own.len();
            Part { whole, own, local }
        };
        config.techniques.parts(n).into_iter().map(of).collect()
    }

    /// Size of the batch of which this rank has `local` images: the recipe's, or `local` for a single process.
    ///
    /// # Errors
    /// If this rank has another number of images than its part.
    pub(super) fn batch(&self, config: &TrainConfig, local: usize) -> Result<usize> {
        if self.world.is_single() {
            return Ok(local);
        }
        let rows: usize = self.rows(config).iter().map(Range::len).sum();
        if rows == local {
            return Ok(config.batch_size);
        }
        Err(Error::config(format_args!(
            "the images of rank {} of {}",
            self.world.rank(),
            self.world.world()
        ))
        .found(local)
        .expected(format_args!("{rows} of {}", config.batch_size)))
    }

    /// As [`check_pairs`], for this rank's images.
    pub(super) fn check_pairs(&self, reals: usize, fakes: usize, needed: bool) -> Result<()> {
        match needed || !self.world.is_single() {
            true => check_pairs(reals, fakes),
            false => Ok(()),
        }
    }

    /// This rank's part of a batch, for batch norm; `None` for a single process.
    pub(super) fn share(&self, parts: &[Part]) -> Option<Share> {
        if self.norm.is_single() {
            return None;
        }
        let (world, size) = (self.world.world(), self.norm.world());
        let first = self.world.rank() / size * size;
        let of = |rank| {
            let parts = parts.iter();
            parts
                .map(|part| slice(&part.whole, rank, world).len())
                .sum()
        };
        let images = (first..first + size).map(of);
        Some(Share::new(self.norm.clone(), images.collect()))
    }

    /// The rows of all ranks, in the order of the batch; a gradient reaches this rank's only.
    ///
    /// # Shapes
    /// - own: `[local, k]` with autodiff
    /// - returns `[whole, k]`
    pub(super) fn gather(&self, own: Tensor<2>, part: &Part) -> Tensor<2> {
        if self.world.is_single() {
            return own;
        }
        let columns = own.dims()[1];
        let device = own.clone().without_autodiff().device();
        let zeros = |rows| Tensor::<2>::zeros([rows, columns], &device);
        let (before, after) = (
            part.own.start - part.whole.start,
            part.whole.end - part.own.end,
        );
        let counted = part.counts();
        let values = match counted {
            true => own.clone().without_autodiff(),
            false => zeros(0),
        };
        let table = joined([zeros(before), values, zeros(after)]);
        let all = all_reduce_sum(table, &self.world).autodiff();
        if !counted {
            // every rank needs a gradient for every weight, here 0
            return all + own.narrow(0, 0, 1) * 0.0;
        }
        let others = |from, rows| (rows > 0).then(|| all.clone().narrow(0, from, rows));
        let last = others(before + part.own.len(), after);
        let rows = [others(0, before), Some(own), last];
        Tensor::cat(rows.into_iter().flatten().collect(), 0)
    }

    /// The sum over ranks of a number.
    pub(super) fn sum(&self, value: Tensor<1>) -> Tensor<1> {
        match self.world.is_single() {
            true => value,
            false => all_reduce_sum(value, &self.world),
        }
    }
}

/// [`Ranks::gather`] of two columns of logits in one sum over ranks. In a single process they may differ in
/// length.
pub(super) fn gather_pair(
    ranks: &Ranks,
    part: &Part,
    fake: Tensor<2>,
    real: Tensor<2>,
) -> [Tensor<2>; 2] {
    if ranks.world.is_single() {
        return [fake, real];
    }
    let both = ranks.gather(Tensor::cat(vec![fake, real], 1), part);
    [both.clone().narrow(1, 0, 1), both.narrow(1, 1, 1)]
}

/// Rank `rank`'s images: parts of equal size, up to one image.
fn slice(range: &Range<usize>, rank: usize, world: usize) -> Range<usize> {
    let (each, more) = (range.len() / world, range.len() % world);
    let from = range.start + rank * each + rank.min(more);
    from..from + each + usize::from(rank < more)
}

/// Rows concatenated; empty tensors are left out.
fn joined(parts: [Tensor<2>; 3]) -> Tensor<2> {
    let some = parts.into_iter().filter(|rows| rows.dims()[0] > 0);
    Tensor::cat(some.collect(), 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collective::threads;
    use crate::train::check_config;

    #[test]
    fn every_image_is_of_one_rank() {
        for (n, world) in [(8, 3), (2, 3), (7, 1), (6, 3)] {
            let all = (0..world).flat_map(|rank| slice(&(5..5 + n), rank, world));
            assert_eq!(all.collect::<Vec<_>>(), (5..5 + n).collect::<Vec<_>>());
        }
        assert_eq!(slice(&(0..2), 2, 3), 2..2);
    }

    #[test]
    fn a_rank_without_images_computes_one() {
        let mut config = check_config(1);
        config.batch_size = 4;
        config.techniques.micro_batch = Some(2);
        let rows = threads::run(3, |world| {
            let ranks = Ranks::new(world.clone(), world);
            let parts = ranks.parts(&config, 4);
            (
                ranks.rows(&config),
                parts[1].local.clone(),
                parts[1].counts(),
            )
        });
        assert_eq!(rows[0], (vec![0..1, 2..3], 1..2, true));
        assert_eq!(rows[1], (vec![1..2, 3..4], 1..2, true));
        let (rows, local, counts) = &rows[2];
        assert_eq!(
            (rows.len(), &rows[0], local, *counts),
            (1, &(0..1), &(0..1), false)
        );
    }

    #[test]
    fn groups_must_fit() {
        let message = |size, batch_size, world, norm| {
            let mut config = check_config(1);
            config.techniques.bn_group = size;
            config.batch_size = batch_size;
            let [world, norm] = [world, norm].map(|n| threads::groups(n).swap_remove(0));
            let checked = Ranks::new(world, norm).check(&config);
            checked.map_err(|error| error.to_string())
        };
        assert_eq!(message(None, 4, 3, 3), Ok(()));
        assert_eq!(message(Some(2), 4, 4, 2), Ok(()));
        let refused = message(Some(2), 4, 3, 3).unwrap_err();
        assert!(
            refused.contains("bn_group is 2, expected a divisor of the 3 ranks"),
            "{refused}"
        );
        let refused = message(Some(1), 2, 3, 1).unwrap_err();
        assert!(refused.contains("share 2 images"), "{refused}");
    }
}
