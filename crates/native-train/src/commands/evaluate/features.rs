//! What the scores are computed from: features of the real images and of samples.

use anyhow::{Result, bail};
use biggan::latent::one_hot;
use biggan::metrics::{Classifier, InceptionScore, Moments};
use biggan::named::read_values;
use biggan::random::{Stream, permutation};
use biggan::sampler::Sampler;
use biggan::truncation::LatentDistribution;
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor, TensorData};
use indicatif::{ProgressBar, ProgressStyle};
use pollster::block_on;

use super::Environment;
use crate::args::EvaluateArgs;
use crate::dataset::{self, Dataset, DatasetRequest, Split};
use crate::plan::DataSection;

/// Images computed together: bounds the memory, not the result.
const CHUNK: usize = 100;
/// Splits of the Inception score, as everywhere (ajbrock/BigGAN-PyTorch inception_utils.py,
/// `num_splits`).
const SPLITS: usize = 10;
/// Step of the choice of real images in `Stream::Evaluation`; the subsets of KID have those from 1.
const CHOICE_STEP: u64 = 0;

/// The training set: all of it in `moments`, and the features of as many images as asked for.
#[derive(Debug)]
pub struct RealImages {
    /// Of all images.
    pub moments: Moments,
    /// Features of the first images, `[recognised, dim]`.
    pub first: Vec<f32>,
    /// Their labels.
    pub first_labels: Vec<usize>,
    /// Features of images chosen by the seed, `[count, dim]`.
    pub chosen: Vec<f32>,
}

/// Samples of all classes in turn.
#[derive(Debug)]
pub struct Samples {
    /// `[n, dim]`
    pub features: Vec<f32>,
    /// `[n]`
    pub labels: Vec<usize>,
    /// `[n]`
    pub predicted: Vec<usize>,
    /// Of the first `--count` samples.
    pub inception: InceptionScore,
}

/// What the classifier says of images, read from the device.
struct Said {
    features: Vec<f32>,
    probabilities: Vec<f32>,
    predicted: Vec<usize>,
}

/// Looks at the whole training set, in its own order.
///
/// # Errors
/// If the data set cannot be had, or is another than the model's.
pub fn real_images(
    args: &EvaluateArgs,
    sampler: &Sampler,
    classifier: &Classifier,
    environment: &Environment,
    device: &Device,
) -> Result<RealImages> {
    let dataset = args.dataset.as_ref();
    let section = DataSection {
        // the checksum says whether these are the images that the model saw
        skip_broken: true,
        ..DataSection::of(
            dataset.unwrap_or(&sampler.info().dataset.name),
            args.data.clone(),
        )
    };
    let request = DatasetRequest {
        section: &section,
        split: Split::Train,
        classes: sampler.info().generator.classes,
    };
    let resolution = sampler.info().generator.resolution;
    let data: Dataset = dataset::load(&request, resolution, environment.data_home.as_deref())?;
    // imported models do not say which images they saw
    let trained_on = &sampler.info().dataset.sha256;
    if !trained_on.is_empty() && data.info.sha256 != *trained_on {
        bail!(
            "the data set {} is another than the model was trained on; give the right one with --data",
            data.info.name
        );
    }
    let dim = classifier.config().features;
    let mut chosen = vec![false; data.len()];
    let order = permutation(args.seed, Stream::Evaluation, CHOICE_STEP, data.len());
    for &index in order.iter().take(args.count) {
        chosen[index as usize] = true;
    }
    let mut real = RealImages {
        moments: Moments::new(dim),
        first: Vec::new(),
        first_labels: Vec::new(),
        chosen: Vec::new(),
    };
    let bar = progress("real images", data.len())?;
    for first in (0..data.len()).step_by(CHUNK) {
        let indices = first..(first + CHUNK).min(data.len());
        let images = data.images_pm1(indices.clone(), resolution, device);
        let said = look(classifier, images)?;
        real.moments.add(&said.features);
        for (index, features) in indices.zip(said.features.chunks_exact(dim)) {
            if index < args.recognised {
                real.first.extend(features);
                real.first_labels.push(usize::from(data.labels[index]));
            }
            if chosen[index] {
                real.chosen.extend(features);
            }
        }
        bar.inc(CHUNK as u64);
    }
    bar.finish_and_clear();
    Ok(real)
}

/// Makes samples of all classes in turn and looks at them.
///
/// # Errors
/// If the device fails.
pub fn samples(
    args: &EvaluateArgs,
    sampler: &Sampler,
    classifier: &Classifier,
    distribution: LatentDistribution,
    device: &Device,
) -> Result<Samples> {
    let config = &sampler.info().generator;
    let total = args.count.max(args.recognised);
    let mut made = Samples {
        features: Vec::new(),
        labels: Vec::new(),
        predicted: Vec::new(),
        inception: InceptionScore::new(config.classes, args.count / splits(args.count))?,
    };
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
        let said = look(classifier, images)?;
        let counted = args.count.saturating_sub(first).min(n) * config.classes;
        made.inception.add(&said.probabilities[..counted])?;
        made.features.extend(said.features);
        made.predicted.extend(said.predicted);
        made.labels.extend(labels);
        bar.inc(n as u64);
    }
    bar.finish_and_clear();
    Ok(made)
}

/// Splits of the Inception score of `count` samples.
pub fn splits(count: usize) -> usize {
    SPLITS.min(count)
}

/// The class of each image by the classifier.
///
/// # Errors
/// If the device fails.
pub fn predictions(classifier: &Classifier, images: Tensor<4>) -> Result<Vec<usize>> {
    Ok(look(classifier, images)?.predicted)
}

fn look(classifier: &Classifier, images: Tensor<4>) -> Result<Said> {
    let output = classifier.forward(images);
    let classes = output.logits.dims()[1];
    let logits = block_on(read_values(output.logits.clone()))?;
    Ok(Said {
        features: block_on(read_values(output.features))?,
        probabilities: block_on(read_values(softmax(output.logits, 1)))?,
        predicted: logits.chunks_exact(classes).map(argmax).collect(),
    })
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
