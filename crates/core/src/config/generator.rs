//! The description of a generator.

use serde::{Deserialize, Serialize};

use super::checks::{MAX_CHANNELS, MAX_CLASSES, check_attention, check_depth, in_range, in_unit};
use super::{Architecture, ClassEmbedding, blocks_per_stage, default_sn_eps, is_default, yes};
use crate::error::{Error, Result};
use crate::latent_kind::LatentKind;

/// Longest latent that is accepted: the paper's longest is 160.
const MAX_Z: usize = 4096;

/// Architecture of a BigGAN generator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeneratorConfig {
    /// Tables and blocks.
    #[serde(default, skip_serializing_if = "is_default")]
    pub architecture: Architecture,
    /// Blocks per stage, for the deep architectures only; default 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<usize>,
    /// Side of the output image in pixels: a row of [`RESOLUTIONS`](super::RESOLUTIONS).
    pub resolution: usize,
    /// Width: channel multiplier "Ch." of the paper (64 or 96 at full size).
    pub channels: usize,
    /// Length of z, all chunks together.
    pub z_dim: usize,
    /// The distribution of z; default normal.
    #[serde(default, skip_serializing_if = "LatentKind::is_normal")]
    pub latent: LatentKind,
    /// Number of classes.
    pub classes: usize,
    /// How the class reaches the batch norms.
    pub class_embedding: ClassEmbedding,
    /// Hierarchical z: one chunk for the first layer and one per block (BigGAN sec. 3 and appendix B).
    /// Without it z feeds only the first layer. False in the deep architectures, where each layer gets all of z.
    pub hierarchical_z: bool,
    /// Resolutions whose block is followed by self-attention, e.g. `[64]`.
    #[serde(default)]
    pub attention: Vec<usize>,
    /// Spectral norm on every convolution and linear layer of G.
    #[serde(default = "yes")]
    pub spectral_norm: bool,
    /// Epsilon of batch norm (1e-4 in the paper, 1e-5 in BigGAN-PyTorch).
    #[serde(default = "default_bn_eps")]
    pub bn_eps: f64,
    /// Epsilon of the last, unconditional batch norm if it differs: BigGAN-PyTorch keeps
    /// 1e-5 there whatever its flag says (`BigGAN.py:178-180`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_bn_eps: Option<f64>,
    /// Epsilon of the power iteration's normalisations.
    #[serde(default = "default_sn_eps")]
    pub sn_eps: f64,
    /// Momentum of batch norm's running statistics.
    #[serde(default = "default_bn_momentum")]
    pub bn_momentum: f64,
}

fn default_bn_eps() -> f64 {
    1e-4 // BigGAN appendix C: raised from 1e-8 in batch and spectral norm, for low precision
}
fn default_bn_momentum() -> f64 {
    0.1 // BigGAN-PyTorch layers.py:298
}

impl GeneratorConfig {
    /// Residual blocks per stage: 1, or the depth of a deep architecture.
    pub fn blocks_per_stage(&self) -> usize {
        blocks_per_stage(self.architecture, self.depth)
    }

    /// Number of chunks of z: one for the first linear layer and one per block if
    /// hierarchical, else one.
    ///
    /// # Errors
    /// If the resolution has no table.
    pub fn z_chunks(&self) -> Result<usize> {
        Ok(if self.hierarchical_z {
            self.architecture.generator_stages(self.resolution)? + 1
        } else {
            1
        })
    }

    /// Length of the first linear layer's input: a chunk of z, or in the deep architectures the
    /// class embedding and z.
    ///
    /// # Errors
    /// If the resolution has no table.
    pub fn linear_dim(&self) -> Result<usize> {
        match self.class_embedding {
            ClassEmbedding::Shared { dim } if self.architecture.is_deep() => Ok(dim + self.z_dim),
            _ => Ok(self.z_dim / self.z_chunks()?),
        }
    }

    /// Length of the condition of each block's batch norms: the class embedding and the block's part of z,
    /// or the class itself if embeddings are per layer.
    ///
    /// # Errors
    /// If the resolution has no table.
    pub fn condition_dim(&self) -> Result<usize> {
        Ok(match self.class_embedding {
            ClassEmbedding::PerLayer => self.classes,
            ClassEmbedding::Shared { dim } if self.architecture.is_deep() => dim + self.z_dim,
            ClassEmbedding::Shared { dim } if self.hierarchical_z => {
                dim + self.z_dim / self.z_chunks()?
            }
            ClassEmbedding::Shared { dim } => dim,
        })
    }

    /// Epsilon of the power iterations, if there are any.
    pub fn power_eps(&self) -> Option<f64> {
        self.spectral_norm.then_some(self.sn_eps)
    }

    /// Epsilon of the last batch norm.
    pub fn last_bn_eps(&self) -> f64 {
        self.output_bn_eps.unwrap_or(self.bn_eps)
    }

    /// Refuses whatever could not be built or would be silently wrong.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) naming the key, its value and the remedy.
    pub fn validate(&self) -> Result<()> {
        let chunks = self.z_chunks()?;
        // a deep stage needs a block that keeps the channels and one that changes them
        check_depth("generator", self.architecture, self.depth, 2)?;
        in_range("generator.channels", self.channels, 1, MAX_CHANNELS)?;
        in_range("generator.z_dim", self.z_dim, 1, MAX_Z)?;
        in_range("generator.classes", self.classes, 1, MAX_CLASSES)?;
        if self.hierarchical_z && self.architecture.is_deep() {
            return Err(Error::config("generator.hierarchical_z")
                .found(true)
                .expected(format_args!(
                    "false: architecture {} feeds the whole of z to every block",
                    self.architecture.name()
                ))
                .remedy("set hierarchical_z = false"));
        }
        if !self.z_dim.is_multiple_of(chunks) {
            return Err(Error::config("generator.z_dim")
                .found(self.z_dim)
                .expected(format_args!(
                    "a multiple of the {chunks} chunks of a hierarchical z at resolution {}",
                    self.resolution
                ))
                .remedy(format_args!(
                    "use {} or {}, or set hierarchical_z = false",
                    (self.z_dim / chunks).max(1) * chunks,
                    (self.z_dim / chunks + 1) * chunks
                )));
        }
        match self.class_embedding {
            ClassEmbedding::Shared { dim } => {
                in_range("generator.class_embedding.dim", dim, 1, MAX_Z)?;
            }
            ClassEmbedding::PerLayer if self.hierarchical_z || self.architecture.is_deep() => {
                return Err(Error::config("generator.class_embedding")
                    .found("\"per_layer\"")
                    .expected(format_args!(
                        "\"shared\" with architecture {} and hierarchical_z = {}: \
                         a per-layer embedding has no room for z",
                        self.architecture.name(),
                        self.hierarchical_z
                    )));
            }
            ClassEmbedding::PerLayer => {}
        }
        let stages = self.architecture.generator_stages(self.resolution)?;
        let later = (0..stages).rev();
        let ends: Vec<usize> = later.map(|stage| self.resolution >> stage).collect();
        check_attention("generator.attention", "resolution", &self.attention, &ends)?;
        in_unit("generator.bn_eps", self.bn_eps)?;
        in_unit("generator.output_bn_eps", self.last_bn_eps())?;
        in_unit("generator.sn_eps", self.sn_eps)?;
        in_unit("generator.bn_momentum", self.bn_momentum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_configs::generator;

    fn small() -> GeneratorConfig {
        generator(Architecture::Biggan, 32)
    }

    fn deep() -> GeneratorConfig {
        generator(Architecture::BigganDeep, 32)
    }

    #[test]
    fn chunks_and_conditions() {
        let config = small();
        assert_eq!(config.z_chunks().unwrap(), 4);
        assert_eq!(config.linear_dim().unwrap(), 4);
        assert_eq!(config.condition_dim().unwrap(), 6 + 4);
        config.validate().unwrap();
        let config = deep();
        assert_eq!(config.z_chunks().unwrap(), 1);
        assert_eq!(config.linear_dim().unwrap(), 6 + 16);
        assert_eq!(config.condition_dim().unwrap(), 6 + 16);
        config.validate().unwrap();
    }

    #[test]
    fn refusals_name_both_values_and_a_remedy() {
        type Spoil = fn(&mut GeneratorConfig);
        type Base = fn() -> GeneratorConfig;
        let cases: [(Base, Spoil, &str); 10] = [
            (small, |c| c.z_dim = 18, "use 16 or 20"),
            (small, |c| c.resolution = 33, "[16, 32, 64, 128, 256, 512]"),
            (small, |c| c.channels = 0, "1 to 1024"),
            (small, |c| c.classes = 0, "1 to 100000"),
            (small, |c| c.attention = vec![64], "[8, 16, 32]"),
            (small, |c| c.depth = Some(2), "remove the key"),
            (
                small,
                |c| c.class_embedding = ClassEmbedding::PerLayer,
                "class_embedding is \"per_layer\"",
            ),
            (
                deep,
                |c| c.hierarchical_z = true,
                "set hierarchical_z = false",
            ),
            (deep, |c| c.depth = Some(1), "2 to 16"),
            (
                deep,
                |c| c.class_embedding = ClassEmbedding::PerLayer,
                "class_embedding is \"per_layer\"",
            ),
        ];
        for (base, spoil, remedy) in cases {
            let mut config = base();
            spoil(&mut config);
            let message = config.validate().unwrap_err().to_string();
            assert!(message.contains(remedy), "{message} lacks {remedy}");
        }
    }

    #[test]
    fn files_of_plain_biggan_stay_as_they_were() {
        let value = serde_json::to_value(small()).unwrap();
        for key in ["architecture", "depth", "latent", "output_bn_eps"] {
            assert!(value.get(key).is_none(), "{key}");
        }
        assert_eq!(
            serde_json::from_value::<GeneratorConfig>(value).unwrap(),
            small()
        );
        let value = serde_json::to_value(deep()).unwrap();
        assert_eq!(value["architecture"], "biggan_deep");
        assert_eq!(
            serde_json::from_value::<GeneratorConfig>(value).unwrap(),
            deep()
        );
    }

    #[test]
    fn unknown_keys_are_refused() {
        let mut value = serde_json::to_value(small()).unwrap();
        value["chanels"] = 3.into();
        let message = serde_json::from_value::<GeneratorConfig>(value)
            .unwrap_err()
            .to_string();
        assert!(message.contains("chanels"), "{message}");
    }
}
