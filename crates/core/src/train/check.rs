//! A short training run with everything fixed, to compare one platform with another: native with
//! browsers, the CPU backend with GPUs.

use std::collections::BTreeMap;

use burn::tensor::Device;

use super::{
    AdamConfig, EmaConfig, Gradient, Gradients, Noise, Ranks, Techniques, TrainConfig, TrainState,
    Which, round,
};
use crate::config::{Architecture, ClassEmbedding, DiscriminatorConfig, GeneratorConfig};
use crate::error::{Error, Result};
use crate::file::{Dtype, encode};
use crate::named::{HostTensor, HostTensors, read_values};

const RESOLUTION: usize = 32;
const CLASSES: usize = 3;
const BATCH: usize = 4;

/// What a check run computed.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckRun {
    /// Losses of D and G, a pair a step.
    pub losses: Vec<[f32; 2]>,
    /// Gradients of the first step, `discriminator.<name>` and `generator.<name>`, flat.
    pub gradients: HostTensors,
    /// Networks and average after the last step.
    pub weights: HostTensors,
}

/// Hierarchical z, shared embedding, attention and orthogonal regularisation at the smallest sizes.
///
/// Adam's epsilon is the 1e-6 of BigGAN-PyTorch's ImageNet scripts: with beta1 = 0 a smaller one
/// turns the rounding of a vanishing gradient into a whole step.
pub fn check_config(seed: u64) -> TrainConfig {
    let adam = |lr| AdamConfig {
        lr,
        beta1: 0.0,
        beta2: 0.999,
        eps: 1e-6,
    };
    TrainConfig {
        generator: GeneratorConfig {
            architecture: Architecture::Biggan,
            depth: None,
            resolution: RESOLUTION,
            channels: 2,
            latent: crate::latent_kind::LatentKind::Normal,
            z_dim: 16,
            classes: CLASSES,
            class_embedding: ClassEmbedding::Shared { dim: 4 },
            hierarchical_z: true,
            attention: vec![8],
            spectral_norm: true,
            bn_eps: 1e-4,
            output_bn_eps: None,
            sn_eps: 1e-4,
            bn_momentum: 0.1,
        },
        discriminator: DiscriminatorConfig {
            architecture: Architecture::Biggan,
            depth: None,
            resolution: RESOLUTION,
            channels: 2,
            classes: CLASSES,
            attention: vec![16],
            attention_after_stages: vec![],
            activated_shortcut: false,
            spectral_norm: true,
            sn_eps: 1e-4,
        },
        adam_g: adam(5e-5),
        adam_d: adam(2e-4),
        ema: EmaConfig {
            decay: 0.9,
            start_step: 0,
            ramp: false,
        },
        batch_size: BATCH,
        d_steps: 1,
        orthogonal: 1e-4,
        orthogonal_d: 0.0,
        orthogonal_term: super::OrthogonalTerm::Modified,
        orthogonal_factor: super::orthogonal::TRUE_FACTOR,
        techniques: Techniques::default(),
        seed,
    }
}

/// Runs `steps` steps (D, G, average) on synthetic images.
///
/// # Errors
/// If the device fails.
pub async fn check_run(seed: u64, steps: usize, device: &Device) -> Result<CheckRun> {
    let config = check_config(seed);
    let mut state = TrainState::new(&config, device)?;
    let (ranks, mut reals) = (Ranks::single(), Noise::new(&config));
    let mut losses = Vec::with_capacity(steps);
    let mut first = BTreeMap::new();
    for step in 0..steps {
        let gradients = match step {
            0 => Gradients::Kept(&mut first),
            _ => Gradients::Dropped,
        };
        let report;
        (state, report) = round::<Error>(
            state,
            &config,
            &ranks,
            &mut reals,
            Which::Both,
            gradients,
            device,
        )
        .await?;
        let loss = |measured: Option<f64>| measured.map_or(f32::NAN, |loss| loss as f32);
        losses.push([loss(report.loss_d), loss(report.loss_g)]);
    }
    let mut gradients = HostTensors::default();
    for (network, gradient) in first {
        gradients.extend_under(network, read_flat(gradient).await?);
    }
    let mut weights = state.to_host().await?;
    for other in ["adam_g", "adam_d", "controls"] {
        let _ = weights.take_under(other);
    }
    Ok(CheckRun {
        losses,
        gradients,
        weights,
    })
}

impl CheckRun {
    /// All of it as a safetensors file: `losses` `[steps, 2]`, `gradients.*`, `weights.*`.
    ///
    /// # Errors
    /// As [`encode`].
    pub fn encode(self) -> Result<Vec<u8>> {
        let mut all = HostTensors::default();
        let losses = HostTensor {
            shape: vec![self.losses.len(), 2],
            values: self.losses.into_iter().flatten().collect(),
        };
        all.0.insert("losses".to_owned(), losses);
        all.extend_under("gradients", self.gradients);
        all.extend_under("weights", self.weights);
        encode(&all, &BTreeMap::new(), Dtype::F32)
    }
}

async fn read_flat(gradients: Gradient) -> Result<HostTensors> {
    let mut host = HostTensors::default();
    for (name, gradient) in gradients {
        let values = read_values(gradient).await?;
        let shape = vec![values.len()];
        host.0.insert(name, HostTensor { shape, values });
    }
    Ok(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_exactly_and_depends_on_the_seed() {
        let run = |seed| pollster::block_on(check_run(seed, 2, &Device::flex())).unwrap();
        let first = run(1);
        assert_eq!(first, run(1));
        assert_ne!(first.losses, run(2).losses);
        assert_eq!(first.losses.len(), 2);
        assert!(first.losses.iter().flatten().all(|loss| loss.is_finite()));
        // every weight of both networks has a gradient in the first step
        let trainable = |prefix: &str| {
            let under = format!("{prefix}.");
            let state = |name: &str| {
                let last = name.rsplit('.').next().unwrap_or_default();
                matches!(last, "u" | "mean" | "variance")
            };
            let names = first.weights.0.keys();
            names
                .filter(|name| name.starts_with(&under) && !state(name))
                .cloned()
                .collect::<Vec<_>>()
        };
        for name in [trainable("generator"), trainable("discriminator")].concat() {
            assert!(
                first.gradients.0.contains_key(&name),
                "{name} has no gradient"
            );
        }
    }
}
