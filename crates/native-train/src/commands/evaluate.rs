//! `native-train evaluate MODEL`: scores in the features of a classifier, each with its protocol.

pub mod features;
mod scores;

use std::path::Path;

use anyhow::{Context, Result, ensure};
use biggan::config::GeneratorConfig;
use biggan::metrics::{Classifier, ClassifierInfo};
use biggan::truncation::{LatentDistribution, Truncation};
use burn::tensor::Device;

use self::features::{real_images, samples};
use self::scores::Scored;
use super::Environment;
use crate::args::EvaluateArgs;
use crate::error::{Outcome, bad_usage};
use crate::{device, model_files};

pub use self::features::predictions;

/// Runs the command.
///
/// # Errors
/// If a file cannot be read, the classifier does not fit the model, or the counts are too small.
pub fn run(args: &EvaluateArgs, environment: &Environment) -> Result<Outcome> {
    if args.count < 2 || args.recognised < 2 {
        return Err(bad_usage(format!(
            "--count {} and --recognised {} must be 2 or more",
            args.count, args.recognised
        )));
    }
    let texts = std::iter::once(&args.truncation).chain(&args.curve);
    let truncations = texts.map(|text| text.parse::<Truncation>().map_err(usage));
    let truncations = truncations.collect::<Result<Vec<_>>>()?;
    let device = device::open(args.device)?;
    let (classifier, info) = read_classifier(&args.classifier, &device)?;
    let sampler = super::sample::load(&args.model, &device)?;
    let distributions = truncations
        .into_iter()
        .map(|t| sampler.distribution(t).map_err(usage));
    let distributions: Vec<LatentDistribution> = distributions.collect::<Result<_>>()?;
    let (distribution, curve) = (distributions[0], &distributions[1..]);
    check_fit(&sampler.info().generator, &classifier)?;

    let real = real_images(args, &sampler, &classifier, environment, &device)?;
    let made = samples(args, &sampler, &classifier, distribution, &device)?;
    let scored = Scored {
        args,
        dim: info.classifier.features,
        real: &real,
        samples: &made,
    };
    let name = &info.classifier.name;
    let statistics = format!(
        "BN standing statistics of {} samples, truncation {distribution}, seed {}",
        sampler.info().statistics.samples,
        args.seed
    );
    let scores = scored.all(name, &statistics)?;
    println!(
        "{name} classifies {:.2} % of the real test images rightly",
        info.test_accuracy * 100.0
    );
    for (protocol, score) in &scores {
        println!("{score:>12.6}  {protocol}");
    }
    if args.by_class {
        println!("recognised by {name}, of class:");
        for (class, hits) in sampler.info().class_names.iter().zip(scored.by_class()) {
            let share = hits.right as f64 / hits.of as f64;
            println!("{share:>12.6}  {class}: n={}", hits.of);
        }
    }
    if args.update {
        let mut info = sampler.info().clone();
        info.scores.extend(scores);
        model_files::write_info(&args.model, &info)?;
    }
    if !curve.is_empty() {
        println!("  recognised        spread            FD  at truncation; else as above");
    }
    for &distribution in curve {
        let made = samples(args, &sampler, &classifier, distribution, &device)?;
        let at = Scored {
            samples: &made,
            ..scored
        };
        let [recognised, spread, distance] = [at.recognised(), at.spread(), at.frechet()];
        println!("{recognised:>12.6}  {spread:>12.6}  {distance:>12.6}  {distribution}");
    }
    Ok(Outcome::Done)
}

fn usage(error: biggan::Error) -> anyhow::Error {
    bad_usage(error.to_string())
}

/// A classifier and what it says of itself.
///
/// # Errors
/// If the file cannot be read or is no classifier.
pub fn read_classifier(path: &Path, device: &Device) -> Result<(Classifier, ClassifierInfo)> {
    let named = || format!("classifier {}", path.display());
    let bytes = std::fs::read(path).with_context(named)?;
    Classifier::decode(&bytes, device).with_context(named)
}

/// Refuses a classifier of other images than a generator's.
///
/// # Errors
/// Naming resolution and classes of both.
pub fn check_fit(model: &GeneratorConfig, classifier: &Classifier) -> Result<()> {
    let config = classifier.config();
    ensure!(
        (model.resolution, model.classes) == (config.resolution, config.classes),
        "the model makes {0}x{0} images of {1} classes, the classifier looks at {2}x{2} of {3}; \
         train a classifier on the model's data set",
        model.resolution,
        model.classes,
        config.resolution,
        config.classes
    );
    Ok(())
}
