//! Sums over ranks of what a step computed: gradients, and statistics of groups.

use std::ops::Range;

use burn::tensor::{Tensor, TensorData};

use super::gradients::Gradient;
use super::ranks::Ranks;
use crate::collective::Group;
use crate::error::Result;
use crate::kernels::all_reduce_sum;
use crate::model::Generator;
use crate::named::{is_statistic, map_tensors, named_tensors};

/// Values in a bucket: 25 MB, as in PyTorch's data parallelism. With smaller buckets the latency outweighs the
/// sum; with larger buckets nothing is sent while the rest is gathered.
pub(super) const BUCKET: usize = 25_000_000 / size_of::<f32>();

impl Ranks {
    /// All-reduces named tensors in buckets.
    pub(super) fn reduce(&self, gradients: Gradient) -> Gradient {
        if self.world().is_single() {
            return gradients;
        }
        let (names, tensors): (Vec<_>, Vec<_>) = gradients.into_iter().unzip();
        names.into_iter().zip(sums(tensors, self.world())).collect()
    }

    /// The generator with its running statistics averaged over all groups, so that all ranks keep the same state
    /// when batch norm takes its statistics from part of the batch.
    ///
    /// # Errors
    /// As [`map_tensors`].
    pub(super) fn average_statistics(&self, generator: Generator) -> Result<Generator> {
        let (world, groups) = (self.world().world(), self.norm().world());
        if world == groups {
            return Ok(generator);
        }
        let statistics = named_tensors(&generator).into_iter();
        let statistics = statistics.filter(|(name, _)| is_statistic(name));
        let statistics = statistics.map(|(name, tensor)| (name, tensor.values));
        let mut sums = self.reduce(statistics.collect());
        map_tensors(generator, |name, tensor| {
            let sum = sums.remove(name);
            Ok(sum.map_or(tensor.values, |sum| sum / world as f64))
        })
    }
}

/// The buckets, as ranges of tensors; a tensor longer than a bucket has its own.
pub(super) fn buckets(lens: &[usize]) -> Vec<Range<usize>> {
    let mut buckets = Vec::new();
    let (mut from, mut values) = (0, 0);
    for (number, len) in lens.iter().enumerate() {
        if values > 0 && values + len > BUCKET {
            buckets.push(from..number);
            (from, values) = (number, 0);
        }
        values += len;
    }
    if from < lens.len() {
        buckets.push(from..lens.len());
    }
    buckets
}

fn sums(tensors: Vec<Tensor<1>>, group: &Group) -> Vec<Tensor<1>> {
    let lens: Vec<usize> = tensors.iter().map(|tensor| tensor.dims()[0]).collect();
    let Some(device) = tensors.first().map(Tensor::device) else {
        return tensors;
    };
    let buckets = buckets(&lens);
    let joined = |bucket: &Range<usize>| Tensor::cat(tensors[bucket.clone()].to_vec(), 0);
    let summed: Vec<Tensor<1>> = if group.on_device().is_some() {
        let joined = buckets.iter().map(joined);
        joined.map(|bucket| all_reduce_sum(bucket, group)).collect()
    } else {
        let of = |bucket: &Range<usize>| lens[bucket.clone()].iter().sum();
        let sizes: Vec<usize> = buckets.iter().map(of).collect();
        let mut fill = |number: usize| {
            let values = joined(&buckets[number]).into_data().try_into_vec::<f32>();
            values.expect("gradients are f32")
        };
        let summed = group.all_reduce_buckets(&sizes, &mut fill).into_iter();
        let tensor = |(values, len)| Tensor::from_data(TensorData::new(values, [len]), &device);
        summed.zip(sizes).map(tensor).collect()
    };
    let split = |(bucket, sum): (Range<usize>, Tensor<1>)| {
        let mut from = 0;
        let part = |len: &usize| {
            from += len;
            sum.clone().narrow(0, from - len, *len)
        };
        lens[bucket].iter().map(part).collect::<Vec<_>>()
    };
    buckets
        .iter()
        .cloned()
        .zip(summed)
        .flat_map(split)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collective::threads;
    use burn::tensor::Device;

    #[test]
    fn buckets_hold_whole_tensors_in_their_order() {
        let half = BUCKET / 2;
        assert_eq!(
            buckets(&[half, half, 1, 2 * BUCKET, 3]),
            [0..2, 2..3, 3..4, 4..5]
        );
        assert!(buckets(&[]).is_empty());
        assert_eq!(buckets(&[5]).len(), 1);
    }

    #[test]
    fn every_gradient_is_summed_under_its_name() {
        let found = threads::run(2, |group| {
            let value = 1.0 + group.rank() as f32;
            let tensor = |len| Tensor::<1>::full([len], value, &Device::flex()) * len as f32;
            let names = ["a", "b", "c"].map(str::to_owned);
            let gradients = names.into_iter().zip([2, BUCKET, 3].map(tensor)).collect();
            let sums = Ranks::new(group.clone(), group).reduce(gradients);
            sums.into_iter()
                .map(|(name, sum)| {
                    let values: Vec<f32> = sum.into_data().try_to_vec().unwrap();
                    let all = values.iter().all(|v| *v == values[0]);
                    (name, values.len(), values[0], all)
                })
                .collect::<Vec<_>>()
        });
        let row = |name: &str, len: usize| (name.to_owned(), len, 3.0 * len as f32, true);
        assert_eq!(
            found,
            vec![vec![row("a", 2), row("b", BUCKET), row("c", 3)]; 2]
        );
    }
}
