//! Latents and classes: the input of the generator.

use burn::tensor::{Device, Tensor, TensorData};

use crate::error::{Error, Result};
use crate::random::{Draws, Stream};
use crate::truncation::LatentDistribution;

/// Inputs of a generator pass.
#[derive(Debug, Clone)]
pub struct Latents {
    /// `[n, z_dim]`
    pub z: Tensor<2>,
    /// `[n, classes]`
    pub class_weights: Tensor<2>,
}

impl Latents {
    /// From values on the host, row-major.
    ///
    /// # Panics
    /// If they are not rows of these lengths.
    pub fn from_values(
        z: Vec<f32>,
        class_weights: Vec<f32>,
        [z_dim, classes]: [usize; 2],
        device: &Device,
    ) -> Self {
        let n = z.len() / z_dim;
        Self {
            z: Tensor::from_data(TensorData::new(z, [n, z_dim]), device),
            class_weights: Tensor::from_data(TensorData::new(class_weights, [n, classes]), device),
        }
    }

    /// Number of samples.
    pub fn count(&self) -> usize {
        self.z.dims()[0]
    }
}

/// The random numbers that a batch of latents is drawn from.
#[derive(Debug, Clone, Copy)]
pub struct LatentKey {
    /// Seed of the run, or of the request.
    pub seed: u64,
    /// Purpose.
    pub stream: Stream,
    /// Step, or 0.
    pub step: u64,
    /// Global index of the first sample.
    pub first: u64,
}

impl LatentKey {
    fn draws(self, sample: usize) -> Draws {
        Draws::new(
            self.seed,
            self.stream,
            self.step,
            self.first + sample as u64,
        )
    }

    /// z of `n` samples, row-major `[n, z_dim]`, on the host.
    pub fn z(self, n: usize, z_dim: usize, distribution: LatentDistribution) -> Vec<f32> {
        (0..n)
            .flat_map(|sample| {
                let mut draws = self.draws(sample);
                (0..z_dim).map(move |place| distribution.latent(place, draws.uniform()) as f32)
            })
            .collect()
    }

    /// Labels of `n` samples, uniform over the classes. They have their own key, so that changing the
    /// length of z changes no label.
    pub fn labels(self, n: usize, classes: usize) -> Vec<usize> {
        (0..n)
            .map(|sample| {
                let mut draws = Draws::new(
                    self.seed ^ LABELS,
                    self.stream,
                    self.step,
                    self.first + sample as u64,
                );
                draws.below(classes as u64) as usize
            })
            .collect()
    }

    /// Random z and random labels on a device.
    pub fn latents(
        self,
        n: usize,
        [z_dim, classes]: [usize; 2],
        distribution: LatentDistribution,
        device: &Device,
    ) -> Latents {
        let weights = one_hot_values(&self.labels(n, classes), classes);
        let z = self.z(n, z_dim, distribution);
        Latents::from_values(z, weights, [z_dim, classes], device)
    }
}

/// Separates the key of labels from that of z.
const LABELS: u64 = 0x6c61_6265_6c73_0000; // "labels"

/// Labels as one-hot rows on the host, row-major `[n, classes]`.
///
/// # Panics
/// If a label is out of range; check outside input with [`check_labels`] first.
pub fn one_hot_values(labels: &[usize], classes: usize) -> Vec<f32> {
    let mut weights = vec![0.0f32; labels.len() * classes];
    for (row, &label) in labels.iter().enumerate() {
        assert!(label < classes, "label {label} with {classes} classes");
        weights[row * classes + label] = 1.0;
    }
    weights
}

/// Labels as class weights.
///
/// # Shapes
/// - labels: `[n]`, each below `classes`
/// - returns `[n, classes]`
///
/// # Panics
/// As [`one_hot_values`].
pub fn one_hot(labels: &[usize], classes: usize, device: &Device) -> Tensor<2> {
    let weights = one_hot_values(labels, classes);
    Tensor::from_data(TensorData::new(weights, [labels.len(), classes]), device)
}

/// Refuses labels that the model does not have.
///
/// # Errors
/// If a label is out of range; the message names the label and the range.
pub fn check_labels(labels: &[usize], classes: usize) -> Result<()> {
    match labels.iter().find(|&&label| label >= classes) {
        None => Ok(()),
        Some(label) => Err(Error::request("class").found(label).expected(format_args!(
            "0 to {}, the model's classes",
            classes.saturating_sub(1)
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{ErrorFields, ErrorKind};

    #[test]
    fn a_slice_draws_what_the_whole_draws() {
        let key = LatentKey {
            seed: 5,
            stream: Stream::GeneratorFakes,
            step: 9,
            first: 0,
        };
        let whole = key.z(6, 4, LatentDistribution::NORMAL);
        let tail = LatentKey { first: 2, ..key }.z(4, 4, LatentDistribution::NORMAL);
        assert_eq!(whole[8..], tail);
        assert_eq!(
            key.labels(6, 10)[2..],
            LatentKey { first: 2, ..key }.labels(4, 10)
        );
    }

    #[test]
    fn out_of_range_label_is_named() {
        let error = check_labels(&[1, 10], 10).unwrap_err();
        let ErrorFields { name, found, .. } = error.fields();
        assert_eq!((name.as_str(), found.as_deref()), ("class", Some("10")));
        assert_eq!(error.kind(), ErrorKind::Request);
        assert!(error.to_string().contains("expected 0 to 9"), "{error}");
    }
}
