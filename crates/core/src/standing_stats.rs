//! Standing statistics (BigGAN appendix C.1): batch norm statistics gathered over
//! many passes of the finished generator, so that an image does not depend on its batch.
//!
//! The aggregate is exact (moments of all passes together), one set for each truncation, since the
//! statistics depend on it.

use burn::tensor::Device;

use crate::error::Result;
use crate::latent::LatentKey;
use crate::layers::{NormMode, Updates};
use crate::model::Generator;
use crate::named::read_values;
use crate::random::Stream;
use crate::truncation::{LatentDistribution, Truncation, TruncationKind};

/// Passes over which statistics are gathered.
#[derive(Debug, Clone, Copy)]
pub struct StandingConfig {
    /// Number of passes.
    pub passes: usize,
    /// Images per pass.
    pub batch_size: usize,
    /// Seed of the latents.
    pub seed: u64,
}

/// Mean and biased variance of each channel of a growing set, in f64.
#[derive(Debug, Clone, PartialEq)]
struct Gathered {
    mean: Vec<f64>,
    variance: Vec<f64>,
    count: usize,
}

impl Gathered {
    fn nothing(channels: usize) -> Self {
        Self {
            mean: vec![0.0; channels],
            variance: vec![0.0; channels],
            count: 0,
        }
    }

    /// Merges a mean and a variance of `count` values (Chan, Golub and LeVeque 1983): the result is
    /// that of all values together, whatever the sizes of the parts.
    fn add(&mut self, mean: &[f32], variance: &[f32], count: usize) {
        self.count += count;
        let share = count as f64 / self.count as f64;
        let new = mean.iter().zip(variance);
        let old = self.mean.iter_mut().zip(&mut self.variance);
        for ((old_mean, old_variance), (&mean, &variance)) in old.zip(new) {
            let delta = f64::from(mean) - *old_mean;
            *old_mean += delta * share;
            let within = (1.0 - share) * *old_variance + share * f64::from(variance);
            *old_variance = within + delta * delta * share * (1.0 - share);
        }
    }

    fn rounded(self) -> [Vec<f32>; 2] {
        let round = |values: Vec<f64>| values.into_iter().map(|v| v as f32).collect();
        [round(self.mean), round(self.variance)]
    }
}

/// Means and variances of every normaliser with z of one distribution, in the order of
/// [`Generator::normalisers_mut`].
///
/// # Errors
/// If the device fails.
pub async fn standing_statistics(
    generator: &Generator,
    distribution: LatentDistribution,
    config: StandingConfig,
    device: &Device,
) -> Result<Vec<[Vec<f32>; 2]>> {
    let dims = [generator.config().z_dim, generator.config().classes];
    let mut gathered: Vec<Gathered> = Vec::new();
    for pass in 0..config.passes {
        let key = LatentKey {
            seed: config.seed,
            stream: Stream::StandingStats,
            step: 0,
            first: (pass * config.batch_size) as u64,
        };
        let latents = key.latents(config.batch_size, dims, distribution, device);
        let mut updates = Updates::default();
        let (z, classes) = (latents.z, latents.class_weights);
        generator.forward(z, classes, NormMode::Batch, &mut updates);
        for (index, batch) in updates.into_moments().enumerate() {
            let mean = read_values(batch.mean).await?;
            if index == gathered.len() {
                gathered.push(Gathered::nothing(mean.len()));
            }
            let variance = read_values(batch.variance).await?;
            gathered[index].add(&mean, &variance, batch.count);
        }
    }
    Ok(gathered.into_iter().map(Gathered::rounded).collect())
}

/// A row of [`standing_statistics`] for each truncation; `on_row` is called with each before it is gathered.
///
/// # Errors
/// If a truncation is out of the kind's range, or the device fails.
pub async fn standing_table(
    generator: &Generator,
    kind: TruncationKind,
    truncations: &[Truncation],
    config: StandingConfig,
    device: &Device,
    mut on_row: impl FnMut(Truncation),
) -> Result<Vec<Vec<[Vec<f32>; 2]>>> {
    let mut rows = Vec::with_capacity(truncations.len());
    for &truncation in truncations {
        on_row(truncation);
        let z = LatentDistribution::new(generator.config().latent, kind, truncation)?;
        rows.push(standing_statistics(generator, z, config, device).await?);
    }
    Ok(rows)
}

/// How far a row of statistics has moved from another: over all channels of all normalisers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drift {
    /// Root mean square of the means' differences, in standard deviations of the old row.
    pub mean: f64,
    /// Root mean square of `ln(new / old)` of the standard deviations.
    pub deviation: f64,
}

impl Drift {
    /// From `old` to `new`, sets of means and variances in the same order; channels that are constant
    /// in either do not count.
    pub fn between(old: &[[Vec<f32>; 2]], new: &[[Vec<f32>; 2]]) -> Self {
        let (mut mean, mut deviation, mut count) = (0.0, 0.0, 0usize);
        for ([old_mean, old_variance], [new_mean, new_variance]) in old.iter().zip(new) {
            let means = old_mean.iter().zip(new_mean);
            for ((&m, &n), (&v, &w)) in means.zip(old_variance.iter().zip(new_variance)) {
                let [m, n, v, w] = [m, n, v, w].map(f64::from);
                if v > 0.0 && w > 0.0 {
                    mean += (n - m) * (n - m) / v;
                    deviation += (0.5 * libm::log(w / v)) * (0.5 * libm::log(w / v));
                    count += 1;
                }
            }
        }
        let root = |sum: f64| libm::sqrt(sum / count.max(1) as f64);
        Self {
            mean: root(mean),
            deviation: root(deviation),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Architecture;
    use crate::test_configs;

    #[test]
    fn parts_of_any_size_give_the_moments_of_the_whole_set() {
        // 24 values around 1000, in parts of 1, 5 and 18: exact in f32, so that only f64 rounds
        let all: Vec<f64> = (0..24).map(|i| 1000.0 + f64::from(i * i % 17)).collect();
        let moments = |values: &[f64]| {
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            (
                mean,
                values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n,
            )
        };
        let mut gathered = Gathered::nothing(1);
        let mut expected_within = 0.0;
        for part in [&all[..1], &all[1..6], &all[6..]] {
            let (mean, variance) = moments(part);
            // the parts are rounded to f32, which is not the aggregation's error
            let (mean, variance) = (mean as f32, variance as f32);
            gathered.add(&[mean], &[variance], part.len());
            let square = f64::from(mean) - moments(&all).0;
            expected_within += part.len() as f64 / 24.0 * (f64::from(variance) + square * square);
        }
        let (mean, variance) = moments(&all);
        assert!((gathered.mean[0] - mean).abs() < 1e-4, "f32 at 1000");
        assert!((gathered.variance[0] / variance - 1.0).abs() < 1e-5);
        assert!((gathered.variance[0] - expected_within).abs() < 1e-7);
        assert_eq!(gathered.count, 24);
        // integers within f32: to the last digits
        let mut exact = Gathered::nothing(2);
        exact.add(&[3.0, -1.0], &[2.0, 0.0], 4);
        exact.add(&[7.0, -1.0], &[6.0, 0.0], 12);
        // mean (4*3 + 12*7) / 16 = 6; variance (4*2 + 12*6)/16 + (4*9 + 12*1)/16 = 5 + 3
        assert_eq!(exact.mean, [6.0, -1.0]);
        assert!((exact.variance[0] - 8.0).abs() < 1e-14);
        assert_eq!(exact.variance[1], 0.0);
    }

    #[test]
    fn many_passes_are_one_large_batch_where_nothing_stands_before() {
        // the first normaliser sees the linear layer's output, which no batch norm has touched
        let device = Device::flex();
        let config = test_configs::generator(Architecture::Biggan, 32);
        let generator = Generator::new(&config, 3, &device).unwrap();
        let first = |passes, batch_size| {
            let standing = StandingConfig {
                passes,
                batch_size,
                seed: 5,
            };
            let all =
                standing_statistics(&generator, LatentDistribution::NORMAL, standing, &device);
            pollster::block_on(all).unwrap()[0].clone()
        };
        let ([means, variances], [whole_means, whole_variances]) = (first(7, 3), first(1, 21));
        for ((a, b), (v, w)) in means
            .iter()
            .zip(&whole_means)
            .zip(variances.iter().zip(&whole_variances))
        {
            assert!((a - b).abs() < 1e-5 * w.sqrt(), "{a}, {b}");
            assert!((v / w - 1.0).abs() < 1e-5, "{v}, {w}");
        }
        // and an average of variances would be another number
        let [_, apart] = first(1, 3);
        assert!(
            apart
                .iter()
                .zip(&whole_variances)
                .any(|(v, w)| (v / w - 1.0).abs() > 0.05)
        );
    }

    #[test]
    fn drift_by_hand() {
        let old = [[vec![0.0, 1.0], vec![4.0, 0.0]]];
        let new = [[vec![2.0, 9.0], vec![16.0, 1.0]]];
        let drift = Drift::between(&old, &new);
        assert!((drift.mean - 1.0).abs() < 1e-12);
        assert!((drift.deviation - 2.0f64.ln()).abs() < 1e-12);
        assert_eq!(Drift::between(&old, &old).mean, 0.0);
    }
}
