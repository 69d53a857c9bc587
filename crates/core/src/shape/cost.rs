//! Memory and arithmetic of training two networks, from their shapes: the one estimate for recipes, dry runs, the
//! cluster model and browsers.

use serde::Serialize;

use super::NetworkShape;
use crate::config::{DiscriminatorConfig, GeneratorConfig};
use crate::error::Result;

/// Copies of the state while a checkpoint is written: on the device, on the host and in the bytes of the file. A step
/// needs fewer, gradients and new values next to the state.
const COPIES: u64 = 3;
const FLOAT: u64 = size_of::<f32>() as u64;

/// What training costs. In browsers wasm memory was 0.6 to 0.9 of [`Cost::peak_bytes`] at 16 and 32 pixels, width 6
/// to 32, batch 24 to 64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cost {
    /// Learnable values of G.
    pub parameters_g: u64,
    /// Learnable values of D.
    pub parameters_d: u64,
    /// Bytes of a training state: weights, moments, average, and the statistics of batch and spectral norm.
    pub state_bytes: u64,
    /// Bytes of the state and of its copies while a checkpoint is written.
    pub weight_bytes: u64,
    /// Bytes of the feature maps of a step.
    pub map_bytes: u64,
    /// Bytes of the largest single tensor: a weight, or the maps of a layer.
    pub largest_tensor_bytes: u64,
    /// Multiply-adds of a round, per image of the batch: a backward pass counts as two forward.
    pub multiply_adds: u64,
}

impl Cost {
    /// Of networks that compute so many images at once.
    ///
    /// # Errors
    /// If they are not valid.
    pub fn estimate(
        generator: &GeneratorConfig,
        discriminator: &DiscriminatorConfig,
        images_at_once: usize,
        d_steps: usize,
    ) -> Result<Self> {
        let g = NetworkShape::generator(generator)?;
        let d = NetworkShape::discriminator(discriminator)?;
        let n = images_at_once as u64;
        let (slots_g, slots_d) = (
            g.slots(generator.spectral_norm),
            d.slots(discriminator.spectral_norm),
        );
        // a weight and two moments; G has its average as well
        let values = 4 * g.parameters() + 2 * slots_g + 3 * d.parameters() + slots_d;
        let state_bytes = FLOAT * values;
        // D sees reals and fakes at once; G's gradient goes through D's maps of the fakes
        let d_step = 2 * d.activation_bytes();
        let g_step = g.activation_bytes() + d.activation_bytes();
        let weights = [&g, &d].into_iter().flat_map(NetworkShape::tensors);
        let weights = weights.map(|(_, shape)| FLOAT * super::count(shape));
        // a layer has two maps or more
        let maps_g = g.layers.iter().map(|l| n * l.activation_bytes() / 2);
        let maps_d = d.layers.iter().map(|l| n * l.activation_bytes());
        let (pass_g, pass_d) = (g.multiply_adds(), d.multiply_adds());
        Ok(Self {
            parameters_g: g.parameters(),
            parameters_d: d.parameters(),
            state_bytes,
            weight_bytes: COPIES * state_bytes,
            // gradients of maps are short-lived, and some maps are not kept for them
            map_bytes: n * d_step.max(g_step),
            largest_tensor_bytes: weights.chain(maps_g).chain(maps_d).max().unwrap_or(0),
            multiply_adds: d_steps as u64 * (pass_g + 6 * pass_d) + 3 * (pass_g + pass_d),
        })
    }

    /// Bytes at the peak, without what the program itself takes.
    pub fn peak_bytes(&self) -> u64 {
        self.weight_bytes + self.map_bytes
    }
}

impl NetworkShape {
    /// Number of values that are not learned: singular vectors, and the mean and variance of batch norms.
    fn slots(&self, spectral_norm: bool) -> u64 {
        let vectors: u64 = self.layers.iter().map(|layer| layer.vectors).sum();
        let norms = self.layers.iter().flat_map(|layer| &layer.norms);
        let statistics: u64 = norms.map(|&channels| 2 * channels as u64).sum();
        statistics + if spectral_norm { vectors } else { 0 }
    }
}
