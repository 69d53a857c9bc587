//! Families of networks and their tables of widths.
//!
//! Channel counts are multiples of the width `ch` (the paper's channel multiplier, "Ch." in its
//! Table 1). A table is a list of widths at the borders of stages; a stage is one block, or `depth`
//! bottleneck blocks in the deep architectures.
//!
//! Sources: Brock et al. 2018, appendix B, tables 4 to 9. BigGAN below 128 and its D below 512:
//! ajbrock/BigGAN-PyTorch `BigGAN.py:21-50,257-280`; D at 512: google/compare_gan
//! `resnet_biggan.py:344-361`. Deep: `BigGANdeep.py:69-92,333-357`, huggingface/pytorch-pretrained-BigGAN
//! `convert_tf_to_pytorch.py:227-270` and compare_gan `resnet_biggan_deep.py:221-238,348-366`.
//! StudioGAN: POSTECH-CVLab/PyTorch-StudioGAN `src/models/big_resnet.py:49-63,249-279` and the two
//! `big_resnet_deep_*.py`. 16 is ours: 32 without the last stage.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A family of networks: its tables, blocks and shortcuts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    /// BigGAN (appendix B, figure 15): blocks of two 3x3.
    #[default]
    Biggan,
    /// BigGAN-deep (appendix B, figure 16): bottleneck blocks; the shortcut of G drops channels, that
    /// of D concatenates new channels.
    BigganDeep,
    /// StudioGAN's BigGAN: other widths of G at 64 and of D at 32.
    BigResnet,
    /// StudioGAN's first BigGAN-deep: BigGAN-deep with the widths of [`Self::BigResnet`] in G.
    BigResnetDeepLegacy,
    /// StudioGAN's own BigGAN-deep: 1x1 convolutions as shortcuts.
    BigResnetDeepStudiogan,
}

/// How a bottleneck block passes its input on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    /// Unchanged except for the number of channels: G drops the last ones, D concatenates the output of a 1x1.
    Identity,
    /// Through a 1x1: always in G, in D if channels or resolution change.
    Convolution,
}

impl Architecture {
    /// Whether the blocks are bottlenecks, conditioned on the whole of z.
    pub fn is_deep(self) -> bool {
        !matches!(self, Self::Biggan | Self::BigResnet)
    }

    /// Shortcut of the bottleneck blocks.
    pub fn skip(self) -> Skip {
        match self {
            Self::BigResnetDeepStudiogan => Skip::Convolution,
            _ => Skip::Identity,
        }
    }

    /// Its name in recipes and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Biggan => "biggan",
            Self::BigganDeep => "biggan_deep",
            Self::BigResnet => "big_resnet",
            Self::BigResnetDeepLegacy => "big_resnet_deep_legacy",
            Self::BigResnetDeepStudiogan => "big_resnet_deep_studiogan",
        }
    }

    fn is_studiogan(self) -> bool {
        !matches!(self, Self::Biggan | Self::BigganDeep)
    }

    /// Widths of G before its first stage and after each; every stage doubles the resolution.
    pub(crate) fn generator_widths(self, resolution: usize) -> Result<&'static [usize]> {
        Ok(match resolution {
            16 => &[4, 4, 4],
            32 => &[4, 4, 4, 4],
            64 if self.is_studiogan() => &[16, 8, 4, 2, 1],
            64 => &[16, 16, 8, 4, 2],
            128 => &[16, 16, 8, 4, 2, 1],
            256 => &[16, 16, 8, 8, 4, 2, 1],
            512 => &[16, 16, 8, 8, 4, 2, 1, 1],
            other => return Err(unknown(other)),
        })
    }

    /// Widths of D after each stage, and the number of leading stages that halve the resolution.
    ///
    /// The list of a deep D starts with the width of its input convolution, whose place is taken by the
    /// first block in the others.
    pub(crate) fn discriminator_widths(
        self,
        resolution: usize,
    ) -> Result<(&'static [usize], usize)> {
        use Architecture::{BigResnet, BigResnetDeepStudiogan};
        Ok(match (resolution, self) {
            (16, BigResnet) => (&[2, 2, 2], 2),
            (16, BigResnetDeepStudiogan) => (&[1, 4, 4], 2),
            (16, _) => (&[4, 4, 4], 2),
            (32, BigResnet) => (&[2, 2, 2, 2], 2),
            (32, BigResnetDeepStudiogan) => (&[1, 4, 4, 4], 2),
            (32, _) => (&[4, 4, 4, 4], 2),
            (64, _) => (&[1, 2, 4, 8, 16], 4),
            (128, _) => (&[1, 2, 4, 8, 16, 16], 5),
            (256, _) => (&[1, 2, 4, 8, 8, 16, 16], 6),
            (512, _) => (&[1, 1, 2, 4, 8, 8, 16, 16], 7),
            (other, _) => return Err(unknown(other)),
        })
    }

    /// Number of stages of a generator.
    ///
    /// # Errors
    /// If the resolution has no table.
    pub fn generator_stages(self, resolution: usize) -> Result<usize> {
        Ok(self.generator_widths(resolution)?.len() - 1)
    }
}

/// Resolutions with a table.
pub const RESOLUTIONS: [usize; 6] = [16, 32, 64, 128, 256, 512];

fn unknown(resolution: usize) -> Error {
    Error::config("resolution")
        .found(resolution)
        .expected(format_args!("one of {RESOLUTIONS:?}"))
}

#[cfg(test)]
mod tests {
    use crate::test_configs::ARCHITECTURES;

    #[test]
    fn names_are_those_of_files() {
        for architecture in ARCHITECTURES {
            let written = serde_json::to_value(architecture).unwrap();
            assert_eq!(written, architecture.name());
        }
    }
}
