//! The description of a discriminator.

use serde::{Deserialize, Serialize};

use super::checks::{MAX_CHANNELS, MAX_CLASSES, check_attention, check_depth, in_range, in_unit};
use super::{Architecture, blocks_per_stage, default_sn_eps, is_default, is_no, is_yes, yes};
use crate::error::Result;

/// Architecture of a BigGAN discriminator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiscriminatorConfig {
    /// Tables and blocks.
    #[serde(default, skip_serializing_if = "is_default")]
    pub architecture: Architecture,
    /// Blocks per stage, for the deep architectures only; default 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<usize>,
    /// Side of the input image in pixels.
    pub resolution: usize,
    /// Width: channel multiplier.
    pub channels: usize,
    /// Number of classes.
    pub classes: usize,
    /// Resolutions whose first stage is followed by self-attention.
    #[serde(default)]
    pub attention: Vec<usize>,
    /// Stages, counted from 1, that are followed by self-attention: for places that a resolution
    /// cannot name, since several stages end at it (StudioGAN's `attn_d_loc`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attention_after_stages: Vec<usize>,
    /// Whether the shortcuts start after the first ReLU of their block, if it has one, as in
    /// StudioGAN, whose ReLU works in place (`src/config.py:484`, `src/models/big_resnet.py:218-233`).
    #[serde(default, skip_serializing_if = "is_no")]
    pub activated_shortcut: bool,
    /// Spectral norm on every layer of D; false if it is folded into the weights, which then give
    /// the same logits but are not meant to be trained.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub spectral_norm: bool,
    /// Epsilon of the power iteration's normalisations.
    #[serde(default = "default_sn_eps")]
    pub sn_eps: f64,
}

impl DiscriminatorConfig {
    /// Residual blocks per stage: 1, or the depth of a deep architecture.
    pub fn blocks_per_stage(&self) -> usize {
        blocks_per_stage(self.architecture, self.depth)
    }

    /// Epsilon of the power iterations, if there are any.
    pub fn power_eps(&self) -> Option<f64> {
        self.spectral_norm.then_some(self.sn_eps)
    }

    /// Refuses whatever could not be built or would be silently wrong.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) naming the key, its value and the remedy.
    pub fn validate(&self) -> Result<()> {
        check_depth("discriminator", self.architecture, self.depth, 1)?;
        in_range("discriminator.channels", self.channels, 1, MAX_CHANNELS)?;
        in_range("discriminator.classes", self.classes, 1, MAX_CLASSES)?;
        let (widths, halving) = self.architecture.discriminator_widths(self.resolution)?;
        let ends: Vec<usize> = (1..=halving).map(|s| self.resolution >> s).collect();
        // the widths of a deep D start before its first stage
        let stages = widths.len() - usize::from(self.architecture.is_deep());
        let stages: Vec<usize> = (1..=stages).collect();
        let after = &self.attention_after_stages;
        check_attention(
            "discriminator.attention",
            "resolution",
            &self.attention,
            &ends,
        )?;
        check_attention(
            "discriminator.attention_after_stages",
            "stage",
            after,
            &stages,
        )?;
        in_unit("discriminator.sn_eps", self.sn_eps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_configs::discriminator;

    #[test]
    fn attention_needs_a_place() {
        let mut config = discriminator(Architecture::Biggan, 32);
        config.attention_after_stages = vec![5];
        let error = config.validate().unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Config);
        assert_eq!(error.fields().found.as_deref(), Some("stage 5"));
        assert!(error.to_string().contains("[1, 2, 3, 4]"), "{error}");
        config.attention_after_stages = vec![4];
        config.attention = vec![4];
        let message = config.validate().unwrap_err().to_string();
        assert!(message.contains("resolution 4") && message.contains("[16, 8]"));
    }
}
