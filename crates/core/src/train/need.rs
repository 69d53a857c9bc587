//! What a training needs, from its configuration alone.

use serde::Serialize;

use super::TrainConfig;
use crate::error::Result;
use crate::shape::NetworkShape;

/// Copies of a weight of G: the weight, its average and two moments, each on the device, on the host and in the bytes
/// of a checkpoint while that is written. A step needs fewer: gradient and new value beside the four.
const COPIES_G: u64 = 3 * 4;
/// Copies of a weight of D: as of G's, without the average.
const COPIES_D: u64 = 3 * 3;

/// Memory of a training; an estimate of the peak without what the program itself takes.
///
/// In browsers the wasm memory was 0.6 to 0.9 of the estimate at 16 and 32 pixels, width 6 to 32, batch 24 to 64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrainingNeed {
    /// Learnable values of G.
    pub parameters_g: u64,
    /// Learnable values of D.
    pub parameters_d: u64,
    /// Bytes of weights, averages and moments, with the copies of a checkpoint.
    pub weight_bytes: u64,
    /// Bytes of the feature maps of a step.
    pub map_bytes: u64,
    /// Bytes of the largest single tensor: a weight, or the maps of a layer for a batch.
    pub largest_tensor_bytes: u64,
}

impl TrainingNeed {
    /// Of a configuration; nothing is built.
    ///
    /// # Errors
    /// If it is not valid.
    pub fn of(config: &TrainConfig) -> Result<Self> {
        config.validate()?;
        let g = NetworkShape::generator(&config.generator)?;
        let d = NetworkShape::discriminator(&config.discriminator)?;
        let float = size_of::<f32>() as u64;
        let n = config.batch_size as u64;
        // D sees reals and fakes at once; G's gradient goes through D's maps of the fakes
        let d_step = 2 * n * d.activation_bytes();
        let g_step = n * (g.activation_bytes() + d.activation_bytes());
        let weights = [&g, &d].into_iter().flat_map(NetworkShape::tensors);
        let weights =
            weights.map(|(_, shape)| float * shape.iter().map(|&s| s as u64).product::<u64>());
        // a map is one of two or more of its layer
        let maps_g = g
            .layers
            .iter()
            .map(|layer| n * layer.activation_bytes() / 2);
        let maps_d = d.layers.iter().map(|layer| n * layer.activation_bytes());
        Ok(Self {
            parameters_g: g.parameters(),
            parameters_d: d.parameters(),
            weight_bytes: float * (COPIES_G * g.parameters() + COPIES_D * d.parameters()),
            // gradients of maps are short-lived, and some maps are not kept for them
            map_bytes: d_step.max(g_step),
            largest_tensor_bytes: weights.chain(maps_g).chain(maps_d).max().unwrap_or(0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::{TrainState, check_config};
    use burn::tensor::Device;

    #[test]
    fn counts_are_those_of_the_networks() {
        let config = check_config(1);
        let need = TrainingNeed::of(&config).unwrap();
        let state = TrainState::new(&config, &Device::flex()).unwrap();
        let trainable = |tensors: crate::named::NamedTensors| -> u64 {
            let values = tensors.values().filter(|t| t.trainable);
            values.map(|t| t.values.dims()[0] as u64).sum()
        };
        let built = trainable(crate::named::named_tensors(&state.generator));
        assert_eq!(need.parameters_g, built);
        let mut wider = config;
        wider.batch_size *= 2;
        let more = TrainingNeed::of(&wider).unwrap();
        assert_eq!(more.map_bytes, 2 * need.map_bytes);
        assert_eq!(more.weight_bytes, need.weight_bytes);
    }
}
