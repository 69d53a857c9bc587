//! What describes a network: read from TOML recipes and stored in every model file.
//!
//! Unknown keys are errors; [`GeneratorConfig::validate`] and [`DiscriminatorConfig::validate`]
//! refuse shapes that cannot be built, before anything is allocated.

use serde::{Deserialize, Serialize};

use crate::arch::{self, BOTTOM};
use crate::error::{Error, Result};

/// Widest network that is accepted: the paper's is 96 (128 for BigGAN-deep).
const MAX_CHANNELS: usize = 1024;
/// Most classes that are accepted: JFT-300M, the paper's largest set, has about 18,000.
const MAX_CLASSES: usize = 100_000;
/// Longest latent that is accepted: the paper's longest is 160.
const MAX_Z: usize = 4096;

/// How the class reaches the batch norms of G.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClassEmbedding {
    /// One embedding of this dimension shared by all layers, projected to each gain and bias
    /// (BigGAN sec. 3, "shared embedding").
    Shared {
        /// Dimension of the embedding (128 in the paper).
        dim: usize,
    },
    /// A separate embedding of each gain and bias, as in SA-GAN (the paper's baseline).
    PerLayer,
}

/// Architecture of a BigGAN generator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeneratorConfig {
    /// Side of the output image in pixels: 32, 64, 128, 256 or 512.
    pub resolution: usize,
    /// Width: channel multiplier "Ch." of the paper (64 or 96 at full size).
    pub channels: usize,
    /// Length of z, all chunks together.
    pub z_dim: usize,
    /// Number of classes.
    pub classes: usize,
    /// How the class reaches the batch norms.
    pub class_embedding: ClassEmbedding,
    /// Hierarchical z: one chunk a block beside the first (BigGAN sec. 3 and appendix B).
    pub hierarchical_z: bool,
    /// Resolutions after whose block self-attention stands, e.g. `[64]`.
    #[serde(default)]
    pub attention: Vec<usize>,
    /// Spectral norm on every convolution and linear layer of G.
    #[serde(default = "yes")]
    pub spectral_norm: bool,
    /// Epsilon of batch norm (1e-4 in the paper, 1e-5 in BigGAN-PyTorch).
    #[serde(default = "default_bn_eps")]
    pub bn_eps: f64,
    /// Epsilon of the power iteration's normalisations.
    #[serde(default = "default_sn_eps")]
    pub sn_eps: f64,
    /// Momentum of batch norm's running statistics.
    #[serde(default = "default_bn_momentum")]
    pub bn_momentum: f64,
}

/// Architecture of a BigGAN discriminator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiscriminatorConfig {
    /// Side of the input image in pixels.
    pub resolution: usize,
    /// Width: channel multiplier.
    pub channels: usize,
    /// Number of classes.
    pub classes: usize,
    /// Resolutions after whose block self-attention stands.
    #[serde(default)]
    pub attention: Vec<usize>,
    /// Epsilon of the power iteration's normalisations.
    #[serde(default = "default_sn_eps")]
    pub sn_eps: f64,
}

fn yes() -> bool {
    true
}
fn default_bn_eps() -> f64 {
    1e-4 // BigGAN appendix C: "an epsilon of 1e-4 in BatchNorm and Spectral Norm"
}
fn default_sn_eps() -> f64 {
    1e-4 // as above
}
fn default_bn_momentum() -> f64 {
    0.1 // BigGAN-PyTorch layers.py:298
}

impl GeneratorConfig {
    /// Number of pieces z is cut into: one for the first linear layer and one a block if
    /// hierarchical, else one.
    ///
    /// # Errors
    /// If the resolution has no table.
    pub fn z_chunks(&self) -> Result<usize> {
        Ok(if self.hierarchical_z {
            arch::generator_blocks(self.resolution)?.len() + 1
        } else {
            1
        })
    }

    /// Length of the condition that reaches each block's batch norms: class embedding and chunk of
    /// z, or the class itself where embeddings are per layer.
    ///
    /// # Errors
    /// If the resolution has no table.
    pub fn condition_dim(&self) -> Result<usize> {
        Ok(match self.class_embedding {
            ClassEmbedding::PerLayer => self.classes,
            ClassEmbedding::Shared { dim } if self.hierarchical_z => {
                dim + self.z_dim / self.z_chunks()?
            }
            ClassEmbedding::Shared { dim } => dim,
        })
    }

    /// Checks everything that could not be built or would be silently wrong.
    ///
    /// # Errors
    /// [`Error::Config`] naming the key, its value and the remedy.
    pub fn validate(&self) -> Result<()> {
        let chunks = self.z_chunks()?;
        in_range("generator.channels", self.channels, 1, MAX_CHANNELS)?;
        in_range("generator.z_dim", self.z_dim, 1, MAX_Z)?;
        in_range("generator.classes", self.classes, 1, MAX_CLASSES)?;
        if !self.z_dim.is_multiple_of(chunks) {
            return Err(Error::Config(format!(
                "generator.z_dim {} is not divisible by the {chunks} chunks of a hierarchical z at \
                 resolution {}; use {} or {}, or set hierarchical_z = false",
                self.z_dim,
                self.resolution,
                (self.z_dim / chunks).max(1) * chunks,
                (self.z_dim / chunks + 1) * chunks,
            )));
        }
        match self.class_embedding {
            ClassEmbedding::Shared { dim } => {
                in_range("generator.class_embedding.dim", dim, 1, MAX_Z)?;
            }
            ClassEmbedding::PerLayer if self.hierarchical_z => {
                return Err(Error::Config(
                    "generator.hierarchical_z = true needs class_embedding kind \"shared\": a \
                     per-layer embedding has no room for a chunk of z"
                        .into(),
                ));
            }
            ClassEmbedding::PerLayer => {}
        }
        let resolutions: Vec<usize> = (1..=arch::generator_blocks(self.resolution)?.len())
            .map(|block| BOTTOM << block)
            .collect();
        check_attention("generator", &self.attention, &resolutions)?;
        in_unit("generator.bn_eps", self.bn_eps)?;
        in_unit("generator.sn_eps", self.sn_eps)?;
        in_unit("generator.bn_momentum", self.bn_momentum)
    }
}

impl DiscriminatorConfig {
    /// Checks everything that could not be built or would be silently wrong.
    ///
    /// # Errors
    /// [`Error::Config`] naming the key, its value and the remedy.
    pub fn validate(&self) -> Result<()> {
        let rows = arch::discriminator_blocks(self.resolution)?;
        in_range("discriminator.channels", self.channels, 1, MAX_CHANNELS)?;
        in_range("discriminator.classes", self.classes, 1, MAX_CLASSES)?;
        let mut resolutions = Vec::new();
        let mut resolution = self.resolution;
        for row in rows {
            resolution >>= usize::from(row.downsample);
            resolutions.push(resolution);
        }
        resolutions.dedup();
        check_attention("discriminator", &self.attention, &resolutions)?;
        in_unit("discriminator.sn_eps", self.sn_eps)
    }
}

fn in_range(key: &str, value: usize, low: usize, high: usize) -> Result<()> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(Error::Config(format!(
        "{key} is {value}; it must be {low} to {high}"
    )))
}

fn in_unit(key: &str, value: f64) -> Result<()> {
    if value > 0.0 && value < 1.0 {
        return Ok(());
    }
    Err(Error::Config(format!(
        "{key} is {value}; it must lie between 0 and 1"
    )))
}

fn check_attention(network: &str, attention: &[usize], available: &[usize]) -> Result<()> {
    match attention.iter().find(|r| !available.contains(r)) {
        None => Ok(()),
        Some(missing) => Err(Error::Config(format!(
            "{network}.attention names resolution {missing}, but its blocks end at {available:?}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> GeneratorConfig {
        GeneratorConfig {
            resolution: 32,
            channels: 4,
            z_dim: 16,
            classes: 5,
            class_embedding: ClassEmbedding::Shared { dim: 12 },
            hierarchical_z: true,
            attention: vec![],
            spectral_norm: true,
            bn_eps: 1e-5,
            sn_eps: 1e-6,
            bn_momentum: 0.1,
        }
    }

    #[test]
    fn hierarchical_chunks_and_condition() {
        let config = small();
        assert_eq!(config.z_chunks().unwrap(), 4);
        assert_eq!(config.condition_dim().unwrap(), 12 + 4);
        config.validate().unwrap();
    }

    #[test]
    fn refusals_name_both_values_and_a_remedy() {
        type Spoil = fn(&mut GeneratorConfig);
        let cases: [(Spoil, &str); 6] = [
            (|c| c.z_dim = 18, "use 16 or 20"),
            (|c| c.resolution = 33, "[32, 64, 128, 256, 512]"),
            (|c| c.channels = 0, "1 to 1024"),
            (|c| c.classes = 0, "1 to 100000"),
            (|c| c.attention = vec![64], "[8, 16, 32]"),
            (
                |c| c.class_embedding = ClassEmbedding::PerLayer,
                "needs class_embedding",
            ),
        ];
        for (spoil, remedy) in cases {
            let mut config = small();
            spoil(&mut config);
            let message = config.validate().unwrap_err().to_string();
            assert!(message.contains(remedy), "{message} lacks {remedy}");
        }
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
