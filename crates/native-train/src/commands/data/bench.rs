//! `native-train data bench`: is reading ever slower than training?

use std::time::Instant;

use anyhow::Result;
use biggan::train::{BatchRows, Reals};
use burn::tensor::Device;

use crate::args::BenchArgs;
use crate::dataset::{self, DatasetRequest, Loader, Split};
use crate::environment::Environment;
use crate::error::Outcome;
use crate::run::plan_file;

/// Runs the command.
///
/// # Errors
/// If the recipe or the data do not allow it.
pub fn run(args: &BenchArgs, environment: &Environment) -> Result<Outcome> {
    let plan = plan_file::read(&args.config, &args.set)?;
    let train = plan.train();
    let request = DatasetRequest {
        section: plan.data(),
        split: Split::Train,
        classes: train.generator.classes,
    };
    let resolution = train.generator.resolution;
    let started = Instant::now();
    let dataset = dataset::load(&request, resolution, environment.data_home.as_deref())?;
    let opened = started.elapsed().as_secs_f64();
    let count = dataset.len();
    say!(
        "opening {}: {count} images in {opened:.2} s, {:.0} images/s, once",
        dataset.info.name,
        count as f64 / opened
    );
    let mut loader = Loader::new(dataset, train.seed, resolution).with_flips(plan.data().flip);
    let (started, mut images) = (Instant::now(), 0);
    while images < args.images {
        loader.batch(images, &BatchRows::all(train.batch_size), &Device::flex())?;
        images += train.batch_size as u64;
    }
    let secs = started.elapsed().as_secs_f64();
    say!(
        "batches of {}: {images} images in {secs:.2} s, {:.0} images/s",
        train.batch_size,
        images as f64 / secs
    );
    Ok(Outcome::Done)
}
