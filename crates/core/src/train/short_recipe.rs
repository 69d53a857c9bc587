//! The choices for a small run, and the configuration that follows from them.

use serde::{Deserialize, Serialize, Serializer};

use super::{AdamConfig, AugmentConfig, EmaConfig, Operation, Techniques, TrainConfig};
use crate::config::{Architecture, ClassEmbedding, DiscriminatorConfig, GeneratorConfig};
use crate::error::Result;
use crate::latent_kind::LatentKind;
use crate::request::deserialize_seed;

/// The usual length of the shared class embedding: the paper's 128 (appendix B) is for 1,000 classes.
const EMBEDDING: usize = 64;

/// What the user chooses; everything else is the paper's or BigGAN-PyTorch's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShortRecipe {
    /// Channel multiplier of G and of D ("Ch." in the paper's Table 1).
    pub width: usize,
    /// Length of z; one chunk per block and one for the first layer.
    pub z_dim: usize,
    /// Length of the shared class embedding, 64 if it is not given.
    #[serde(default = "embedding")]
    pub embedding: usize,
    /// Real images per D step, and fakes per step of either.
    pub batch_size: usize,
    /// Learning rate of G.
    pub rate_g: f64,
    /// Learning rate of D.
    pub rate_d: f64,
    /// Steps of D for each of G.
    pub d_steps: usize,
    /// Strength of the modified orthogonal regularisation (BigGAN sec. 3.1), 0 for none.
    pub orthogonal: f64,
    /// Decay of the average of G.
    pub ema_decay: f64,
    /// Step of G at which the average starts.
    pub ema_start: u64,
    /// DiffAugment's operations before D; may be empty.
    pub augment: Vec<Operation>,
    /// Self-attention at half the resolution.
    pub attention: bool,
    /// Seed of weights, latents and data order.
    #[serde(serialize_with = "in_digits", deserialize_with = "deserialize_seed")]
    pub seed: u64,
}

fn embedding() -> usize {
    EMBEDDING
}

/// JavaScript's numbers end at 2^53.
fn in_digits<S: Serializer>(seed: &u64, to: S) -> std::result::Result<S::Ok, S::Error> {
    to.collect_str(seed)
}

impl ShortRecipe {
    /// The whole configuration for images of a side and a number of classes.
    ///
    /// # Errors
    /// If it cannot describe networks or a run; the message names the key, both values and the remedy.
    pub fn config(&self, resolution: usize, classes: usize) -> Result<TrainConfig> {
        let attention = match self.attention {
            true => vec![resolution / 2],
            false => vec![],
        };
        // eps 1e-6: with beta1 = 0 a smaller one turns the rounding of a vanishing gradient into a step
        let adam = |lr| AdamConfig {
            lr,
            beta1: 0.0,
            beta2: 0.999,
            eps: 1e-6,
        };
        let config = TrainConfig {
            generator: GeneratorConfig {
                architecture: Architecture::Biggan,
                depth: None,
                resolution,
                channels: self.width,
                z_dim: self.z_dim,
                latent: LatentKind::Normal,
                classes,
                class_embedding: ClassEmbedding::Shared {
                    dim: self.embedding,
                },
                hierarchical_z: true,
                attention: attention.clone(),
                spectral_norm: true,
                bn_eps: 1e-5,
                output_bn_eps: None,
                sn_eps: 1e-6,
                bn_momentum: 0.1,
            },
            discriminator: DiscriminatorConfig {
                architecture: Architecture::Biggan,
                depth: None,
                resolution,
                channels: self.width,
                classes,
                attention,
                attention_after_stages: vec![],
                activated_shortcut: false,
                spectral_norm: true,
                sn_eps: 1e-6,
            },
            adam_g: adam(self.rate_g),
            adam_d: adam(self.rate_d),
            ema: EmaConfig {
                decay: self.ema_decay,
                start_step: self.ema_start,
                ramp: true,
            },
            batch_size: self.batch_size,
            d_steps: self.d_steps,
            orthogonal: self.orthogonal,
            orthogonal_d: 0.0,
            orthogonal_term: super::OrthogonalTerm::Modified,
            orthogonal_factor: super::orthogonal::TRUE_FACTOR,
            techniques: Techniques {
                augment: (!self.augment.is_empty()).then(|| AugmentConfig {
                    operations: self.augment.clone(),
                    ada_target: None,
                }),
                ..Techniques::default()
            },
            seed: self.seed,
        };
        config.validate()?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITTEN: &str = r#"{"width": 4, "zDim": 60, "batchSize": 16, "rateG": 2e-4, "rateD": 2e-4,
        "dSteps": 1, "orthogonal": 1e-4, "emaDecay": 0.99, "emaStart": 0, "augment": ["color"],
        "attention": true, "seed": "18446744073709551615"}"#;

    #[test]
    fn it_reads_what_browsers_write_and_fits_every_small_resolution() {
        let recipe: ShortRecipe = serde_json::from_str(WRITTEN).unwrap();
        assert_eq!(recipe.seed, u64::MAX);
        let written = serde_json::to_string(&recipe).unwrap();
        assert_eq!(
            serde_json::from_str::<ShortRecipe>(&written).unwrap(),
            recipe
        );
        for resolution in [16, 32, 64] {
            let config = recipe.config(resolution, 3).unwrap();
            assert_eq!(config.generator.attention, [resolution / 2]);
            assert_eq!(config.discriminator.resolution, resolution);
        }
    }

    #[test]
    fn what_cannot_be_built_is_refused() {
        let mut recipe: ShortRecipe = serde_json::from_str(WRITTEN).unwrap();
        recipe.z_dim = 61;
        let message = recipe.config(32, 3).unwrap_err().to_string();
        assert!(
            message.contains("61") && message.contains("60 or 64"),
            "{message}"
        );
        let unknown = WRITTEN.replace("width", "wide");
        assert!(serde_json::from_str::<ShortRecipe>(&unknown).is_err());
    }
}
