//! `native-train standing-stats MODEL`: recomputes a model's table of batch norm statistics for
//! given thresholds.

use anyhow::Result;
use biggan::file::{ModelFile, StatisticsTable};
use biggan::latent::{LatentKey, Latents};
use biggan::layers::NormMode;
use biggan::model::Generator;
use biggan::named::read_values;
use biggan::random::Stream;
use biggan::sampler::Sampler;
use biggan::standing_stats::{Drift, StandingConfig};
use biggan::truncation::{LatentDistribution, Truncation};
use burn::tensor::Device;
use pollster::block_on;

use crate::args::StandingStatsArgs;
use crate::device;
use crate::error::{Outcome, bad_usage};
use crate::files::export;
use crate::files::model_files::{self, Target, stored_type};

/// Images of the comparison with batch statistics.
const COMPARED: usize = 64;

/// Runs the command.
///
/// # Errors
/// If the model cannot be read, a threshold is out of range, or the file cannot be written.
pub fn run(args: &StandingStatsArgs) -> Result<Outcome> {
    if args.passes == 0 || args.batch < 2 {
        return Err(bad_usage(format!(
            "--passes {} and --batch {}: give 1 pass or more of 2 images or more",
            args.passes, args.batch
        )));
    }
    let target = Target::new(&args.out, None)?;
    let device = device::open(args.device.name)?;
    let file = model_files::read(&args.model)?;
    let mut info = file.info.clone();
    let dtype = stored_type(&file.tensors);
    let old = Sampler::new(file, &device)?;
    let generator = old.generator().expect("nothing was drawn yet");
    let truncations = truncations(args, &info.statistics.truncations)?;
    for &truncation in &truncations {
        old.distribution(truncation)
            .map_err(|error| bad_usage(error.to_string()))?;
    }
    let standing = StandingConfig {
        passes: args.passes,
        batch_size: args.batch,
        seed: args.seed,
    };
    let kind = info.truncation_kind;
    let rows = export::statistics(&generator, kind, &truncations, standing, &device)?;
    info.statistics = StatisticsTable {
        truncations: truncations.clone(),
        samples: args.passes * args.batch,
    };
    if !info.scores.is_empty() {
        note!(
            "note: the {} scores in the model are of its old table and are left out",
            info.scores.len()
        );
        info.scores.clear();
    }
    let made = block_on(ModelFile::from_generator(generator.clone(), info, &rows))?;
    let new = Sampler::new(made.clone(), &device)?;
    export::write(&made, dtype, &target, &device)?;
    say!(
        "truncation  drift of means  of deviations  |pixel - batch statistics|: old table  new table"
    );
    for (&truncation, row) in truncations.iter().zip(&rows) {
        let drift = Drift::between(&old.statistics(truncation)?, row);
        let z = old.distribution(truncation)?;
        let compare = Compare {
            generator: &generator,
            z,
            seed: args.seed,
            device: &device,
        };
        let [before, after] = [compare.error(&old)?, compare.error(&new)?];
        say!(
            "{:>10}  {:>14.5}  {:>13.5}  {before:>37.5}  {after:>9.5}",
            truncation.to_string(),
            drift.mean,
            drift.deviation
        );
    }
    say!(
        "drift: root mean square over all channels, of means in standard deviations of the old table, of \
         deviations in ln(new / old); pixels in [-1, 1], {COMPARED} images"
    );
    Ok(Outcome::Done)
}

/// The rows of the new table: off, and each threshold once.
fn truncations(args: &StandingStatsArgs, old: &[Truncation]) -> Result<Vec<Truncation>> {
    if args.thresholds.is_empty() {
        // a row of z = 0 has no distribution to draw from
        let drawn = old.iter().filter(|t| **t != Truncation::Threshold(0.0));
        return Ok(drawn.copied().collect());
    }
    let mut rows = vec![Truncation::Off];
    for &row in &args.thresholds {
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    Ok(rows)
}

/// How far pictures drawn with a table are from those drawn with the statistics of their batch.
struct Compare<'a> {
    /// Of both tables.
    generator: &'a Generator,
    z: LatentDistribution,
    seed: u64,
    device: &'a Device,
}

impl Compare<'_> {
    /// Mean magnitude of the difference.
    fn error(&self, sampler: &Sampler) -> Result<f64> {
        let generator = self.generator;
        let dims = [generator.config().z_dim, generator.config().classes];
        // latents that were not used for the statistics
        let key = LatentKey {
            seed: self.seed,
            stream: Stream::Evaluation,
            step: 0,
            first: 0,
        };
        let latents = key.latents(COMPARED, dims, self.z, self.device);
        let Latents { z, class_weights } = latents.clone();
        let by_batch = generator.evaluate(z, class_weights, NormMode::Batch);
        let by_batch = block_on(read_values(by_batch))?;
        let by_table = block_on(sampler.generate(latents, self.z.truncation()))?;
        let pairs = by_batch.iter().zip(&by_table.images_pm1);
        let sum: f64 = pairs.map(|(a, b)| f64::from((a - b).abs())).sum();
        Ok(sum / by_batch.len() as f64)
    }
}
