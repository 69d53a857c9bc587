//! Architecture tables, and the list of blocks of a configuration.
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

use crate::config::{DiscriminatorConfig, GeneratorConfig};
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
}

/// One residual block in feature maps and pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockShape {
    /// Feature maps in and out.
    pub channels: [usize; 2],
    /// Whether the block changes the resolution: G doubles it, D halves it.
    pub resamples: bool,
    /// Side of its output in pixels.
    pub resolution: usize,
    /// Whether self-attention follows.
    pub attention: bool,
}

/// Side of the generator's first feature map and of the lowest resolution, in pixels.
pub const BOTTOM: usize = 4;

/// Channels of an image.
pub const RGB: usize = 3;

/// Resolutions with a table.
pub const RESOLUTIONS: [usize; 6] = [16, 32, 64, 128, 256, 512];

fn unknown(resolution: usize) -> Error {
    Error::Config(format!(
        "resolution {resolution} has no architecture table; choose one of {RESOLUTIONS:?}"
    ))
}

/// Widths of G before its first stage and after each; every stage doubles the resolution.
fn generator_widths(architecture: Architecture, resolution: usize) -> Result<&'static [usize]> {
    Ok(match resolution {
        16 => &[4, 4, 4],
        32 => &[4, 4, 4, 4],
        64 if architecture.is_studiogan() => &[16, 8, 4, 2, 1],
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
fn discriminator_widths(
    architecture: Architecture,
    resolution: usize,
) -> Result<(&'static [usize], usize)> {
    use Architecture::{BigResnet, BigResnetDeepStudiogan};
    Ok(match (resolution, architecture) {
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
pub fn generator_stages(architecture: Architecture, resolution: usize) -> Result<usize> {
    Ok(generator_widths(architecture, resolution)?.len() - 1)
}

/// Blocks of a generator, from the 4x4 feature map to the image.
///
/// In a deep stage the last block changes channels and resolution, the others neither.
///
/// # Errors
/// If the resolution has no table.
pub fn generator_blocks(config: &GeneratorConfig) -> Result<Vec<BlockShape>> {
    let widths = generator_widths(config.architecture, config.resolution)?;
    let mut blocks = Vec::new();
    for (stage, pair) in widths.windows(2).enumerate() {
        let [before, after] = [pair[0], pair[1]].map(|width| width * config.channels);
        for block in 1..=config.blocks_per_stage() {
            let last = block == config.blocks_per_stage();
            let resolution = BOTTOM << (stage + usize::from(last));
            blocks.push(BlockShape {
                channels: [before, if last { after } else { before }],
                resamples: last,
                resolution,
                attention: last && config.attention.contains(&resolution),
            });
        }
    }
    Ok(blocks)
}

/// Blocks of a discriminator, from the image to the head.
///
/// In a deep stage the first block changes channels and resolution, the others neither.
///
/// # Errors
/// If the resolution has no table.
pub fn discriminator_blocks(config: &DiscriminatorConfig) -> Result<Vec<BlockShape>> {
    let (widths, halving) = discriminator_widths(config.architecture, config.resolution)?;
    let borders: Vec<usize> = (!config.architecture.is_deep())
        .then_some(RGB)
        .into_iter()
        .chain(widths.iter().map(|width| width * config.channels))
        .collect();
    let mut resolution = config.resolution;
    // only the first stage that ends at a resolution is followed by attention
    let mut attention_left = config.attention.clone();
    let mut blocks = Vec::new();
    for (stage, pair) in borders.windows(2).enumerate() {
        let halves = stage < halving;
        resolution >>= usize::from(halves);
        let attention = attention_left.contains(&resolution)
            || config.attention_after_stages.contains(&(stage + 1));
        attention_left.retain(|&left| left != resolution);
        for block in 1..=config.blocks_per_stage() {
            blocks.push(BlockShape {
                channels: [if block == 1 { pair[0] } else { pair[1] }, pair[1]],
                resamples: halves && block == 1,
                resolution,
                attention: attention && block == config.blocks_per_stage(),
            });
        }
    }
    Ok(blocks)
}

/// Feature maps inside a bottleneck: a quarter of the input's in G, of the output's in D
/// (BigGAN-PyTorch `BigGANdeep.py:23-32,286-294`).
pub fn bottleneck(channels: usize) -> usize {
    (channels / 4).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_configs::{ARCHITECTURES, discriminator, generator};

    #[test]
    fn names_are_those_of_files() {
        for architecture in ARCHITECTURES {
            let written = serde_json::to_value(architecture).unwrap();
            assert_eq!(written, architecture.name());
        }
    }

    #[test]
    fn tables_reach_their_resolution() {
        for architecture in ARCHITECTURES {
            for resolution in RESOLUTIONS {
                let blocks = generator_blocks(&generator(architecture, resolution)).unwrap();
                assert_eq!(blocks.last().unwrap().resolution, resolution);
                let d = discriminator_blocks(&discriminator(architecture, resolution)).unwrap();
                // the tables for 32 stop at 8x8 (see the module's sources)
                let bottom = if resolution == 32 { 8 } else { BOTTOM };
                assert_eq!(d.last().unwrap().resolution, bottom);
            }
        }
    }

    #[test]
    fn blocks_follow_each_other() {
        for architecture in ARCHITECTURES {
            for resolution in RESOLUTIONS {
                for blocks in [
                    generator_blocks(&generator(architecture, resolution)).unwrap(),
                    discriminator_blocks(&discriminator(architecture, resolution)).unwrap(),
                ] {
                    for pair in blocks.windows(2) {
                        assert_eq!(pair[0].channels[1], pair[1].channels[0]);
                    }
                }
            }
        }
    }

    /// huggingface/pytorch-pretrained-BigGAN `config.py`: (upsamples, in, out) of the 128 model.
    #[test]
    fn deep_128_is_that_of_the_published_weights() {
        let mut config = generator(Architecture::BigganDeep, 128);
        (config.channels, config.attention) = (1, vec![64]);
        let blocks = generator_blocks(&config).unwrap();
        let rows: Vec<_> = blocks
            .iter()
            .map(|b| (b.resamples, b.channels[0], b.channels[1]))
            .collect();
        let published = [
            (false, 16, 16),
            (true, 16, 16),
            (false, 16, 16),
            (true, 16, 8),
            (false, 8, 8),
            (true, 8, 4),
            (false, 4, 4),
            (true, 4, 2),
            (false, 2, 2),
            (true, 2, 1),
        ];
        assert_eq!(rows, published);
        let attention: Vec<_> = (0..10).filter(|&i| blocks[i].attention).collect();
        assert_eq!(attention, [7]);
    }

    #[test]
    fn attention_by_resolution_and_by_stage() {
        let places = |attention: &[usize], after: &[usize]| -> Vec<usize> {
            let mut config = discriminator(Architecture::Biggan, 32);
            config.attention = attention.to_vec();
            config.attention_after_stages = after.to_vec();
            let blocks = discriminator_blocks(&config).unwrap();
            (0..blocks.len()).filter(|&i| blocks[i].attention).collect()
        };
        assert_eq!(places(&[8], &[]), [1]); // 16, 8, 8, 8: the first of them
        assert_eq!(places(&[], &[1, 4]), [0, 3]);
        assert_eq!(places(&[16], &[3]), [0, 2]);
    }

    #[test]
    fn unknown_resolution_names_the_choices() {
        let message = generator_blocks(&generator(Architecture::Biggan, 48))
            .unwrap_err()
            .to_string();
        assert!(message.contains("48") && message.contains("[16, 32, 64, 128, 256, 512]"));
    }
}
