//! The features of real images and of samples, from which scores are computed.

use std::ops::Range;

use anyhow::Result;
use biggan::collective::Group;
use biggan::latent::{LatentKey, Latents, one_hot_values};
use biggan::metrics::{Classifier, FeatureNetwork, InceptionScore, Moments, saturated};
use biggan::named::read_values;
use biggan::random::Stream;
use biggan::sampler::Sampler;
use biggan::truncation::LatentDistribution;
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor, TensorData};
use pollster::block_on;

use super::choice;
use crate::dataset::Dataset;
use crate::terminal::Bar;

/// Images generated together: affects memory, not the result.
pub const CHUNK: usize = 100;
/// Splits of the Inception score, as usual (ajbrock/BigGAN-PyTorch inception_utils.py,
/// `num_splits`).
const SPLITS: usize = 10;

/// How many images each score uses.
#[derive(Debug, Clone, Copy)]
pub struct Counts {
    /// For scores that hold nothing in memory.
    pub count: usize,
    /// For scores that compare neighbours, at most `count`.
    pub neighbours: usize,
    /// For recognised classes and spread; 0 if no class can be recognised.
    pub recognised: usize,
}

/// The training set: moments of all images, and the features of some.
#[derive(Debug)]
pub struct RealImages {
    /// Of all images.
    pub moments: Moments,
    /// Features of images chosen within each class, `[n, dim]`.
    pub of_classes: Vec<f32>,
    /// Their labels.
    pub labels: Vec<usize>,
    /// Features of images chosen among all, `[neighbours, dim]`.
    pub chosen: Vec<f32>,
}

/// Samples of classes drawn at random.
#[derive(Debug)]
pub struct Samples {
    /// Of the first `count` samples.
    pub moments: Moments,
    /// The same.
    pub inception: InceptionScore,
    /// Share of their channel values that are saturated.
    pub saturated: f64,
    /// Features of the first samples, `[neighbours or recognised, dim]`.
    pub features: Vec<f32>,
    /// `[recognised]`
    pub labels: Vec<usize>,
    /// `[recognised]`
    pub predicted: Vec<usize>,
}

/// A network's output for images, read from the device.
pub struct Said {
    /// `[n, dim]`
    pub features: Vec<f32>,
    /// `[n, classes]`
    pub probabilities: Vec<f32>,
    /// `[n]`
    pub predicted: Vec<usize>,
}

/// Runs the network over the whole training set, in its own order.
///
/// # Errors
/// If the device fails.
pub fn real_images(
    data: &Dataset,
    network: &dyn FeatureNetwork,
    resolution: usize,
    counts: Counts,
    seed: u64,
    device: &Device,
    group: &Group,
) -> Result<RealImages> {
    let dim = network.info().features;
    let chosen = choice::of_all(data.len(), counts.neighbours, seed);
    let of_classes = match counts.recognised {
        0 => vec![false; data.len()],
        count => choice::by_class(&data.labels, count, seed),
    };
    let mut real = RealImages {
        moments: Moments::new(dim),
        of_classes: Vec::new(),
        labels: Vec::new(),
        chosen: Vec::new(),
    };
    each(
        data,
        network,
        resolution,
        device,
        group,
        |indices, features| {
            real.moments.add(features);
            for (index, features) in indices.zip(features.chunks_exact(dim)) {
                if of_classes[index] {
                    real.of_classes.extend(features);
                    real.labels.push(usize::from(data.labels[index]));
                }
                if chosen[index] {
                    real.chosen.extend(features);
                }
            }
        },
    )?;
    Ok(real)
}

/// Passes the features of all images of a data set to `see`, in chunks with their indices.
///
/// # Errors
/// If the device fails.
pub fn each(
    data: &Dataset,
    network: &dyn FeatureNetwork,
    resolution: usize,
    device: &Device,
    group: &Group,
    mut see: impl FnMut(Range<usize>, &[f32]),
) -> Result<()> {
    let bar = progress("real images", data.len());
    let look_at = |indices: Range<usize>| {
        let images = data.images_pm1(indices, resolution, device)?;
        let said = extract(network, images)?;
        Ok((said, 0.0))
    };
    in_turns(data.len(), network, group, look_at, |indices, said, _| {
        bar.inc(indices.len());
        see(indices, &said.features);
        Ok(())
    })?;
    bar.finish();
    Ok(())
}

/// Processes `total` images in chunks, which are dealt round-robin to the ranks of a group. All ranks see all chunks in
/// order, each with one extra number, and so compute what one process computes.
///
/// # Errors
/// Those of `look_at` and `see`. If a rank fails, the others are left waiting: the job must end.
pub fn in_turns(
    total: usize,
    network: &dyn FeatureNetwork,
    group: &Group,
    mut look_at: impl FnMut(Range<usize>) -> Result<(Said, f64)>,
    mut see: impl FnMut(Range<usize>, Said, f64) -> Result<()>,
) -> Result<()> {
    let (dim, classes) = (network.info().features, network.info().classes);
    let chunk = |number: usize| number * CHUNK..((number + 1) * CHUNK).min(total);
    let chunks = total.div_ceil(CHUNK);
    for first in (0..chunks).step_by(group.world()) {
        let own = first + group.rank();
        let mut row = Vec::new();
        if own < chunks {
            let (said, number) = look_at(chunk(own))?;
            if group.is_single() {
                see(chunk(own), said, number)?;
                continue;
            }
            row = [said.features, said.probabilities].concat();
            row.push(number as f32);
        }
        row.resize(CHUNK * (dim + classes) + 1, 0.0);
        let all = group.all_gather(&row);
        let turns = (first..chunks).zip(all.chunks_exact(row.len()));
        for (turn, row) in turns.take(group.world()) {
            let n = chunk(turn).len();
            let (features, rest) = row.split_at(n * dim);
            let probabilities = rest[..n * classes].to_vec();
            let said = Said {
                features: features.to_vec(),
                predicted: largest(&probabilities, classes),
                probabilities,
            };
            see(chunk(turn), said, f64::from(rest[n * classes]))?;
        }
    }
    Ok(())
}

/// Classes of samples, drawn at random by the seed and the index of each: a count below the number of classes has
/// some of them all over the list, and the splits of the Inception score have all classes.
pub fn random_labels(seed: u64, indices: Range<usize>, classes: usize) -> Vec<usize> {
    let key = LatentKey {
        seed,
        stream: Stream::Sample,
        step: 0,
        first: indices.start as u64,
    };
    key.labels(indices.len(), classes)
}

/// Generates samples of random classes and runs the network over them.
///
/// # Errors
/// If the device fails.
pub fn samples(
    sampler: &Sampler,
    network: &dyn FeatureNetwork,
    distribution: LatentDistribution,
    counts: Counts,
    seed: u64,
    device: &Device,
    group: &Group,
) -> Result<Samples> {
    let config = &sampler.info().generator;
    let info = network.info();
    let total = counts.count.max(counts.recognised);
    let held = counts.neighbours.max(counts.recognised) * info.features;
    let mut made = Samples {
        moments: Moments::new(info.features),
        inception: InceptionScore::new(info.classes, counts.count / splits(counts.count))?,
        saturated: 0.0,
        features: Vec::with_capacity(held),
        labels: Vec::new(),
        predicted: Vec::new(),
    };
    let bar = progress("samples", total);
    let labels_of = |indices| random_labels(seed, indices, config.classes);
    let look_at = |indices: Range<usize>| {
        let (first, n) = (indices.start, indices.len());
        let labels: Vec<usize> = labels_of(indices);
        let z = sampler.latents(seed, first as u64, n, distribution);
        let weights = one_hot_values(&labels, config.classes);
        let latents = Latents::from_values(z, weights, [config.z_dim, config.classes], device);
        let samples = block_on(sampler.generate(latents, distribution.truncation()))?;
        let said = extract(network, as_seen(&samples.images_pm1, samples.side, device))?;
        let counted = counts.count.saturating_sub(first).min(n);
        let values = counted * 3 * samples.side * samples.side;
        Ok((said, saturated(&samples.images_pm1[..values])))
    };
    in_turns(
        total,
        network,
        group,
        look_at,
        |indices, said, saturated| {
            let (first, n) = (indices.start, indices.len());
            let counted = counts.count.saturating_sub(first).min(n);
            made.saturated += saturated * counted as f64 / counts.count as f64;
            made.inception
                .add(&said.probabilities[..counted * info.classes])?;
            made.moments.add(&said.features[..counted * info.features]);
            let missing = (held - made.features.len()).min(said.features.len());
            made.features.extend(&said.features[..missing]);
            let few = counts.recognised.saturating_sub(first).min(n);
            made.predicted.extend(&said.predicted[..few]);
            made.labels.extend(&labels_of(indices)[..few]);
            bar.inc(n);
            Ok(())
        },
    )?;
    bar.finish();
    Ok(made)
}

/// Images rounded to bytes and back: a network sees what a viewer sees. Values that are not finite become grey: who
/// calls this has refused them.
pub fn as_seen(images_pm1: &[f32], side: usize, device: &Device) -> Tensor<4> {
    let seen_pm1: Vec<f32> = images_pm1
        .iter()
        .map(|&v| biggan::image::from_u8(biggan::image::to_u8(v)))
        .collect();
    let n = seen_pm1.len() / (3 * side * side);
    Tensor::from_data(TensorData::new(seen_pm1, [n, 3, side, side]), device)
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
    let logits = classifier.forward(images).logits;
    let classes = logits.dims()[1];
    Ok(largest(&block_on(read_values(logits))?, classes))
}

/// Runs a network over images, in batches of the size it states.
///
/// # Errors
/// If the device fails.
pub fn extract(network: &dyn FeatureNetwork, images: Tensor<4>) -> Result<Said> {
    let info = network.info();
    let mut said = Said {
        features: Vec::new(),
        probabilities: Vec::new(),
        predicted: Vec::new(),
    };
    for images in images.split(info.at_once, 0) {
        let output = network.extract(images);
        let features = block_on(read_values(output.features))?;
        if features.iter().any(|value| !value.is_finite()) {
            return Err(biggan::Error::not_finite(format_args!(
                "a feature by the network {}",
                info.name
            ))
            .found("not finite")
            .remedy("use another network: this one is broken")
            .into());
        }
        said.features.extend(features);
        let probabilities = block_on(read_values(softmax(output.logits, 1)))?;
        said.predicted.extend(largest(&probabilities, info.classes));
        said.probabilities.extend(probabilities);
    }
    Ok(said)
}

/// Index of the largest value of each row.
fn largest(rows: &[f32], classes: usize) -> Vec<usize> {
    let argmax = |row: &[f32]| {
        let largest = row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        largest.map_or(0, |(index, _)| index)
    };
    rows.chunks_exact(classes).map(argmax).collect()
}

fn progress(what: &'static str, total: usize) -> Bar {
    Bar::new(
        total,
        &format!("{what} {{bar:24}} {{pos}}/{{len}}  {{eta}} left"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_samples_of_ten_classes_have_labels_by_seed() {
        let five = random_labels(0, 0..5, 10);
        assert_ne!(five, [0, 1, 2, 3, 4]);
        assert_eq!(five, random_labels(0, 0..5, 10));
        assert_eq!(five[2..], random_labels(0, 2..5, 10));
        assert_ne!(random_labels(0, 0..50, 10), random_labels(1, 0..50, 10));
        let mut counts = [0; 10];
        for label in random_labels(0, 0..10_000, 10) {
            counts[label] += 1;
        }
        // five standard deviations
        assert!(
            counts.iter().all(|count| (850..1150).contains(count)),
            "{counts:?}"
        );
        // the halves have the same classes, unlike halves of labels in turn with fewer samples than classes
        let half = |first: usize| random_labels(0, first..first + 500, 100);
        let classes = |labels: Vec<usize>| labels.iter().filter(|&&label| label < 50).count();
        assert!(classes(half(0)).abs_diff(classes(half(500))) < 60);
    }
}
