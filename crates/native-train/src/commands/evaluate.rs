//! `native-train evaluate MODEL`: scores in the features of a classifier, each with its protocol.

use anyhow::{Context, Result, bail, ensure};
use biggan::latent::one_hot;
use biggan::metrics::{Classifier, Moments, class_spread, frechet_distance};
use biggan::named::read_values;
use biggan::sampler::Sampler;
use biggan::truncation::{LatentDistribution, Truncation};
use burn::tensor::{Device, Tensor, TensorData};
use indicatif::{ProgressBar, ProgressStyle};
use pollster::block_on;

use super::Environment;
use crate::args::EvaluateArgs;
use crate::dataset::{self, Dataset, DatasetRequest, Split};
use crate::error::{Outcome, bad_usage};
use crate::plan::DataSection;
use crate::{device, model_files};

/// Images computed together: bounds the memory, not the result.
const CHUNK: usize = 100;

/// Features, labels and predictions of a set of images.
#[derive(Debug, Default)]
struct Seen {
    features: Vec<f32>,
    labels: Vec<usize>,
    predicted: Vec<usize>,
}

/// Runs the command.
///
/// # Errors
/// If a file cannot be read, the classifier does not fit the model, or the counts are too small.
pub fn run(args: &EvaluateArgs, environment: &Environment) -> Result<Outcome> {
    let truncation: Truncation = args
        .truncation
        .parse()
        .map_err(|error: biggan::Error| bad_usage(error.to_string()))?;
    if args.count < 2 || args.recognised < 2 {
        return Err(bad_usage(format!(
            "--count {} and --recognised {} must be 2 or more",
            args.count, args.recognised
        )));
    }
    let device = device::open(args.device)?;
    let named = || format!("classifier {}", args.classifier.display());
    let bytes = std::fs::read(&args.classifier).with_context(named)?;
    let (classifier, info) = Classifier::decode(&bytes, &device).with_context(named)?;
    let sampler = super::sample::load(&args.model, &device)?;
    let distribution = sampler
        .distribution(truncation)
        .map_err(|error| bad_usage(error.to_string()))?;
    check_fit(&sampler, &classifier)?;

    let real = real_features(args, &sampler, &classifier, environment, &device)?;
    let fakes = fake_features(args, &sampler, &classifier, distribution, &device)?;

    let dim = info.classifier.features;
    let few = args.recognised.min(fakes.labels.len());
    let right = (0..few)
        .filter(|&i| fakes.labels[i] == fakes.predicted[i])
        .count();
    let recognised = right as f64 / few as f64;
    let spread = class_spread(&fakes.features[..few * dim], dim, &fakes.labels[..few])
        / class_spread(&real.features[..few * dim], dim, &real.labels[..few]);
    let moments = |features: &[f32]| {
        let mut moments = Moments::new(dim);
        moments.add(features);
        moments
    };
    let distance = frechet_distance(
        &moments(&fakes.features[..args.count * dim]),
        &moments(&real.features),
    );

    let name = &info.classifier.name;
    let statistics = format!(
        "BN standing statistics of {} samples, truncation {distribution}, seed {}",
        sampler.info().statistics.samples,
        args.seed
    );
    let scores = [
        (
            format!("recognised by {name}: n={few}, {statistics}"),
            recognised,
        ),
        (
            format!("spread within a class / real, {name}: n={few}, ref=train, {statistics}"),
            spread,
        ),
        (
            format!(
                "FD-{name}: n={}, ref=train n={}, {statistics}",
                args.count,
                real.labels.len()
            ),
            distance,
        ),
    ];
    println!(
        "{name} classifies {:.2} % of the real test images rightly",
        info.test_accuracy * 100.0
    );
    for (protocol, score) in &scores {
        println!("{score:>10.4}  {protocol}");
    }
    if args.update {
        let mut info = sampler.info().clone();
        info.scores.extend(scores);
        model_files::write_info(&args.model, &info)?;
    }
    Ok(Outcome::Done)
}

fn check_fit(sampler: &Sampler, classifier: &Classifier) -> Result<()> {
    let (model, config) = (&sampler.info().generator, classifier.config());
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

/// The whole training set, in its own order.
fn real_features(
    args: &EvaluateArgs,
    sampler: &Sampler,
    classifier: &Classifier,
    environment: &Environment,
    device: &Device,
) -> Result<Seen> {
    let section = DataSection {
        dataset: args
            .dataset
            .clone()
            .unwrap_or_else(|| sampler.info().dataset.name.clone()),
        path: args.data.clone(),
        class_names: None,
        // the checksum says whether these are the images that the model saw
        skip_broken: true,
    };
    let request = DatasetRequest {
        section: &section,
        split: Split::Train,
        classes: sampler.info().generator.classes,
    };
    let resolution = sampler.info().generator.resolution;
    let real: Dataset = dataset::load(&request, resolution, environment.data_home.as_deref())?;
    // imported models do not say which images they saw
    let trained_on = &sampler.info().dataset.sha256;
    if !trained_on.is_empty() && real.info.sha256 != *trained_on {
        bail!(
            "the data set {} is another than the model was trained on; give the right one with --data",
            real.info.name
        );
    }
    let mut seen = Seen::default();
    let bar = progress("real images", real.len())?;
    for first in (0..real.len()).step_by(CHUNK) {
        let indices = first..(first + CHUNK).min(real.len());
        let images = real.images_pm1(indices.clone(), resolution, device);
        seen.look(classifier, images)?;
        seen.labels
            .extend(indices.map(|index| usize::from(real.labels[index])));
        bar.inc(CHUNK as u64);
    }
    bar.finish_and_clear();
    Ok(seen)
}

/// Samples of all classes in turn.
fn fake_features(
    args: &EvaluateArgs,
    sampler: &Sampler,
    classifier: &Classifier,
    distribution: LatentDistribution,
    device: &Device,
) -> Result<Seen> {
    let config = &sampler.info().generator;
    let total = args.count.max(args.recognised);
    let mut seen = Seen::default();
    let bar = progress("samples", total)?;
    for first in (0..total).step_by(CHUNK) {
        let n = CHUNK.min(total - first);
        let labels: Vec<usize> = (first..first + n).map(|i| i % config.classes).collect();
        let z = sampler.latents(args.seed, first as u64, n, distribution);
        let z = Tensor::from_data(TensorData::new(z, [n, config.z_dim]), device);
        let classes = one_hot(&labels, config.classes, device);
        let samples = block_on(sampler.generate(z, classes, distribution.truncation()))?;
        let side = samples.side;
        // the eyes of a viewer get bytes, and so does the classifier
        let seen_pm1: Vec<f32> = samples
            .images_pm1
            .iter()
            .map(|&v| biggan::image::from_u8(biggan::image::to_u8(v)))
            .collect();
        let images = Tensor::from_data(TensorData::new(seen_pm1, [n, 3, side, side]), device);
        seen.look(classifier, images)?;
        seen.labels.extend(labels);
        bar.inc(n as u64);
    }
    bar.finish_and_clear();
    Ok(seen)
}

impl Seen {
    fn look(&mut self, classifier: &Classifier, images: Tensor<4>) -> Result<()> {
        let output = classifier.forward(images);
        let classes = output.logits.dims()[1];
        let logits = block_on(read_values(output.logits))?;
        self.predicted
            .extend(logits.chunks_exact(classes).map(argmax));
        self.features
            .extend(block_on(read_values(output.features))?);
        Ok(())
    }
}

/// The class of each image by the classifier.
///
/// # Errors
/// If the device fails.
pub fn predictions(classifier: &Classifier, images: Tensor<4>) -> Result<Vec<usize>> {
    let mut seen = Seen::default();
    seen.look(classifier, images)?;
    Ok(seen.predicted)
}

fn argmax(row: &[f32]) -> usize {
    let largest = row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    largest.map_or(0, |(index, _)| index)
}

fn progress(what: &'static str, total: usize) -> Result<ProgressBar> {
    let style =
        ProgressStyle::with_template(&format!("{what} {{bar:24}} {{pos}}/{{len}}  {{eta}} left"))?;
    Ok(ProgressBar::new(total as u64).with_style(style))
}
