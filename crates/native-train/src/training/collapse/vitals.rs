//! What the detector looks at beside the losses, measured at every line of the log.

use anyhow::Result;
use biggan::model::Generator;
use biggan::random::Stream;
use biggan::train::{TrainState, largest_singular, probe};
use burn::tensor::Device;
use pollster::block_on;

use crate::records::vitals::Vitals;

/// G's first layer, from z (BigGAN sec. 4.1).
const FIRST_LAYER: &str = "generator.linear.weight";
/// Samples of each class.
const OF_A_CLASS: usize = 4;
/// Most classes that are sampled; the first ones are.
const MAX_CLASSES: usize = 8;
/// Most pixels of all samples together, where a class alone is not more.
const MAX_PIXELS: usize = 1 << 19;

impl Vitals {
    /// Of a state.
    ///
    /// # Errors
    /// If a value is not finite, or the device fails.
    pub fn measure(state: &TrainState, seed: u64, device: &Device) -> Result<Self> {
        let mut weights = probe::weights(state);
        weights.retain(|name, _| name == FIRST_LAYER || name.starts_with("discriminator."));
        let sigma = block_on(largest_singular(&weights))?;
        let sample_variance = sample_variance(&state.generator, seed, device)?;
        let singular = sigma.iter().map(|(layer, value)| {
            let name = format!("the singular value of {layer}");
            (name, f64::from(*value))
        });
        let variance = ("the variance between samples".to_owned(), sample_variance);
        let mut measured = singular.chain([variance]);
        match measured.find(|(_, value)| !value.is_finite()) {
            None => Ok(Self {
                sigma,
                sample_variance,
            }),
            Some((name, value)) => Err(biggan::Error::not_finite(name)
                .found(value)
                .within(format_args!("after generator step {}", state.g_step))
                .into()),
        }
    }
}

/// Variance between samples of the same class; the latents are the same at every time.
fn sample_variance(generator: &Generator, seed: u64, device: &Device) -> Result<f64> {
    let config = generator.config();
    let of_a_class = OF_A_CLASS * config.resolution.pow(2);
    let classes = config
        .classes
        .min(MAX_CLASSES)
        .min((MAX_PIXELS / of_a_class).max(1));
    let labels: Vec<usize> = (0..classes).flat_map(|class| [class; OF_A_CLASS]).collect();
    let z = probe::fixed_z(generator, seed, Stream::ProbeVariance, 0, labels.len());
    let images = block_on(probe::samples(generator, z, &labels, device))?;
    Ok(variance_within(&images, classes, OF_A_CLASS))
}

/// Unbiased variance over the `n` images of a group, averaged over values and groups.
///
/// # Shapes
/// - images: `[groups, n, values]`, row-major
fn variance_within(images: &[f32], groups: usize, n: usize) -> f64 {
    let group = images.len() / groups;
    let values = group / n;
    let mut sum = 0.0;
    for images in images.chunks_exact(group) {
        for value in 0..values {
            let at = |image: usize| f64::from(images[image * values + value]);
            let mean = (0..n).map(at).sum::<f64>() / n as f64;
            sum += (0..n).map(|i| (at(i) - mean).powi(2)).sum::<f64>();
        }
    }
    sum / (groups * values * (n - 1)) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variance_by_hand() {
        // two groups of two images of two values: variances 2 and 0, then 8 and 0.5
        let images = [0.0, 5.0, 2.0, 5.0, 1.0, 2.0, 5.0, 3.0];
        let expected = (2.0 + 0.0 + 8.0 + 0.5) / 4.0;
        assert!((variance_within(&images, 2, 2) - expected).abs() < 1e-12);
        // what lies between groups does not count
        assert_eq!(variance_within(&[1.0, 1.0, 9.0, 9.0], 2, 2), 0.0);
    }
}
