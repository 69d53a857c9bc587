//! A rank's part of a batch, and the statistics of the whole.

use super::Group;

/// A rank's part of a batch. A rank with no image computes one that does not count, since every rank makes
/// the same calls and the mean of no rows would be NaN.
#[derive(Debug, Clone)]
pub struct Share {
    group: Group,
    /// Images of the batch on each rank of the group.
    images: Vec<usize>,
}

impl Share {
    /// The part of this rank of a batch with `images[rank]` images on each rank.
    ///
    /// # Panics
    /// If there are not as many numbers as ranks, or no images at all.
    pub fn new(group: Group, images: Vec<usize>) -> Self {
        assert_eq!(group.world(), images.len(), "ranks and parts of the batch");
        assert!(images.iter().any(|&n| n > 0), "a batch without images");
        Self { group, images }
    }

    /// The ranks with the other parts.
    pub fn group(&self) -> &Group {
        &self.group
    }

    /// Images of the whole batch.
    pub fn images(&self) -> usize {
        self.images.iter().sum()
    }

    /// Whether the images of this rank count.
    pub fn counts(&self) -> bool {
        self.images[self.group.rank()] > 0
    }

    /// Each rank's share of the batch.
    pub fn weights(&self) -> impl Iterator<Item = f64> {
        let all = self.images() as f64;
        self.images.iter().map(move |&n| n as f64 / all)
    }

    /// Mean and biased variance of each channel over the batch, from those of this rank's part
    /// (Chan, Golub and LeVeque 1983, for any number of parts):
    /// `mean = sum_r w_r mean_r`, `var = sum_r w_r (var_r + (mean_r - mean)^2)`, `w_r = n_r / n`.
    /// Nothing cancels, however large the mean is.
    pub fn merge(&self, mean: &[f32], var: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let channels = mean.len();
        let table = self.group.all_gather(&[mean, var].concat());
        // a rank that does not count may hold anything
        let rows = || table.chunks_exact(2 * channels).zip(self.weights());
        let parts = || rows().filter(|(_, weight)| *weight > 0.0);
        let merged = |c: usize| {
            let at = |row: &[f32], column: usize| f64::from(row[column]);
            let mean: f64 = parts().map(|(row, w)| w * at(row, c)).sum();
            let spread = |row: &[f32]| at(row, channels + c) + (at(row, c) - mean).powi(2);
            let var: f64 = parts().map(|(row, w)| w * spread(row)).sum();
            (mean as f32, var as f32)
        };
        (0..channels).map(merged).unzip()
    }

    /// Sums of each channel over the batch, from those of this rank's part.
    pub fn sum(&self, parts: &mut [Vec<f64>; 2]) {
        let counted = if self.counts() { 1.0 } else { 0.0 };
        let own = parts.iter().flatten().map(|sum| (counted * sum) as f32);
        let mut values: Vec<f32> = own.collect();
        self.group.all_reduce_sum(&mut values);
        for (sum, value) in parts.iter_mut().flatten().zip(values) {
            *sum = f64::from(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collective::threads;

    #[test]
    fn moments_of_parts_are_those_of_the_whole_however_large_the_mean() {
        let whole = [1e3 + 1.0, 1e3 + 2.0, 1e3 + 3.0, 1e3 + 6.0f32];
        let moments = |part: &[f32]| {
            let n = part.len() as f64;
            let mean = part.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
            let square = |v: &f32| (f64::from(*v) - mean).powi(2);
            (mean, part.iter().map(square).sum::<f64>() / n)
        };
        let parts = [&whole[..1], &whole[1..], &[]];
        let found = threads::run(3, |group| {
            let share = Share::new(group.clone(), vec![1, 3, 0]);
            // a rank that does not count may hold anything
            let (mean, var) = match parts[group.rank()] {
                [] => (7.0, 1e9),
                part => moments(part),
            };
            share.merge(&[mean as f32], &[var as f32])
        });
        let (mean, var) = moments(&whole);
        for (found_mean, found_var) in found {
            assert_eq!(found_mean, [mean as f32]);
            assert!(
                (f64::from(found_var[0]) - var).abs() < 1e-3,
                "{found_var:?} and {var}"
            );
        }
    }
}
