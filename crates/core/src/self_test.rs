//! A numeric self-test of a device: one tiny generator with fixed weights, run there and on the CPU
//! backend, must give the same images.
//!
//! In browsers a shader that fails to compile is not an error: the result is whatever the memory
//! held (tracel-ai/cubecl#1641). Only numbers show it.

use burn::tensor::{Device, Tensor, TensorData};
use serde::Serialize;

use crate::config::{Architecture, ClassEmbedding, GeneratorConfig};
use crate::error::{Error, Result};
use crate::latent::{LatentKey, one_hot_values};
use crate::model::{Generator, PreparedGenerator};
use crate::named::map_tensors;
use crate::random::{Draws, Stream};
use crate::truncation::LatentDistribution;
#[cfg(any(feature = "train", feature = "wgpu", feature = "nccl"))]
use crate::{latent::one_hot, layers::NormMode, named::read_values};

/// Largest difference between two devices, on images in [-1, 1], that still counts as agreement:
/// half a step of an 8-bit channel. Rounding gives about 1e-6; a broken kernel gives about 1.
pub const TOLERANCE: f32 = 1.0 / 255.0;

/// Seed of weights and latents.
const SEED: u64 = 0x0005_e1f7_e570;
/// Images in the test.
const BATCH: usize = 2;
/// Their classes.
const LABELS: [usize; BATCH] = [0, 2];

/// Outcome of the self-test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SelfTest {
    /// Largest difference between the two devices; infinite where a value is not finite.
    pub max_difference: f32,
    /// Smallest and largest value of the CPU's images: the test is worth nothing if they are close.
    pub range: (f32, f32),
    /// Whether the devices agree.
    pub agrees: bool,
}

/// Compares a device with the CPU backend.
///
/// # Errors
/// If the device cannot run the generator at all.
pub async fn self_test(device: &Device) -> Result<SelfTest> {
    let expected = images(&Device::flex()).await?;
    let found = images(device).await?;
    Ok(compare(&expected, &found))
}

fn compare(expected: &[f32], found: &[f32]) -> SelfTest {
    let difference = |(a, b): (&f32, &f32)| {
        let d = (a - b).abs();
        if d.is_finite() { d } else { f32::INFINITY }
    };
    let max_difference = if expected.len() == found.len() {
        expected
            .iter()
            .zip(found)
            .map(difference)
            .fold(0.0, f32::max)
    } else {
        f32::INFINITY
    };
    SelfTest {
        max_difference,
        range: expected
            .iter()
            .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &v| {
                (low.min(v), high.max(v))
            }),
        agrees: max_difference <= TOLERANCE,
    }
}

/// Every layer of the architecture at its smallest: shared embedding, hierarchical z, attention.
fn config() -> GeneratorConfig {
    GeneratorConfig {
        architecture: Architecture::Biggan,
        depth: None,
        resolution: 32,
        channels: 2,
        latent: crate::latent_kind::LatentKind::Normal,
        z_dim: 16,
        classes: 3,
        class_embedding: ClassEmbedding::Shared { dim: 8 },
        hierarchical_z: true,
        attention: vec![16],
        spectral_norm: false,
        bn_eps: 1e-4,
        output_bn_eps: None,
        sn_eps: 1e-4,
        bn_momentum: 0.1,
    }
}

async fn images(device: &Device) -> Result<Vec<f32>> {
    let config = config();
    let generator = disturbed(Generator::new(&config, SEED, device)?, device)?;
    let key = LatentKey {
        seed: SEED,
        stream: Stream::Sample,
        step: 0,
        first: 0,
    };
    let z = key.z(BATCH, config.z_dim, LatentDistribution::NORMAL);
    #[cfg(any(feature = "train", feature = "wgpu", feature = "nccl"))]
    if *device != Device::flex() {
        let z = Tensor::from_data(TensorData::new(z, [BATCH, config.z_dim]), device);
        let classes = one_hot(&LABELS, config.classes, device);
        return read_values(generator.evaluate(z, classes, NormMode::Stored)).await;
    }
    // what draws on the CPU
    let mut prepared = PreparedGenerator::new(generator)?;
    let classes = one_hot_values(&LABELS, config.classes);
    let mut images_pm1 = vec![0.0; BATCH * prepared.image_len()];
    prepared.forward(&z, &classes, &mut images_pm1);
    Ok(images_pm1)
}

/// Initial weights with noise on top, so that nothing is 0 (gains, biases, attention's gate) or 1.
fn disturbed(generator: Generator, device: &Device) -> Result<Generator> {
    let mut index = 0;
    map_tensors(generator, |name, tensor| {
        index += 1;
        let len = tensor.values.dims()[0];
        let mut draws = Draws::new(SEED, Stream::Init, 1 << 32, index);
        let positive = name.ends_with("variance");
        let noise: Vec<f32> = (0..len)
            .map(|_| {
                let noise = 0.1 * draws.normal();
                (if positive { noise.abs() } else { noise }) as f32
            })
            .collect();
        if noise.iter().any(|v| !v.is_finite()) {
            return Err(Error::not_finite("a weight of the self-test").found("not finite"));
        }
        Ok(tensor.values + Tensor::from_data(TensorData::new(noise, [len]), device))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_agrees_with_itself_on_images_that_vary() {
        let outcome = pollster::block_on(self_test(&Device::flex())).unwrap();
        assert!(outcome.agrees && outcome.max_difference == 0.0);
        assert!(
            outcome.range.0 < -0.5 && outcome.range.1 > 0.5,
            "{outcome:?}"
        );
    }

    #[test]
    fn wrong_numbers_do_not_agree() {
        let right = [0.5, -0.5];
        for wrong in [&[0.0, 0.0][..], &[f32::NAN, -0.5], &[0.5]] {
            assert!(!compare(&right, wrong).agrees, "{wrong:?}");
        }
        assert!(compare(&right, &[0.500_001, -0.5]).agrees);
    }
}
