//! Noise in place of real images, for checks and measurements.

use burn::tensor::{Device, Tensor, TensorData};

use super::{BatchRows, RealBatch, Reals, TrainConfig};
use crate::arch::RGB;
use crate::latent::one_hot;
use crate::random::{Draws, Stream};

/// Uniform noise, of all classes in turn.
#[derive(Debug, Clone, Copy)]
pub struct Noise {
    seed: u64,
    resolution: usize,
    classes: usize,
}

impl Noise {
    /// Of the size and the classes of a configuration.
    pub fn new(config: &TrainConfig) -> Self {
        Self {
            seed: config.seed,
            resolution: config.discriminator.resolution,
            classes: config.discriminator.classes,
        }
    }
}

impl<E> Reals<E> for Noise {
    fn batch(
        &mut self,
        images_seen: u64,
        rows: &BatchRows,
        device: &Device,
    ) -> Result<RealBatch, E> {
        let side = self.resolution;
        let step = images_seen / rows.batch_size as u64;
        let rows: Vec<u64> = rows.numbers(0).collect();
        let values = rows.iter().flat_map(|&row| {
            let mut draws = Draws::new(self.seed, Stream::Noise, step, row);
            (0..RGB * side * side).map(move |_| (2.0 * draws.uniform() - 1.0) as f32)
        });
        let images = TensorData::new(values.collect::<Vec<_>>(), [rows.len(), RGB, side, side]);
        let labels = rows.iter().map(|&row| row as usize % self.classes);
        Ok(RealBatch {
            images: Tensor::from_data(images, device),
            class_weights: one_hot(&labels.collect::<Vec<_>>(), self.classes, device),
        })
    }
}
