//! The list of blocks of a configuration.
//!
//! A stage between two widths of the tables of [`Architecture`](crate::config::Architecture) is one block, or
//! `depth` bottleneck blocks in the deep architectures.

use crate::config::{DiscriminatorConfig, GeneratorConfig};
use crate::error::Result;

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

/// Blocks of a generator, from the 4x4 feature map to the image.
///
/// In a deep stage the last block changes channels and resolution, the others neither.
///
/// # Errors
/// If the resolution has no table.
pub fn generator_blocks(config: &GeneratorConfig) -> Result<Vec<BlockShape>> {
    let widths = config.architecture.generator_widths(config.resolution)?;
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
    let (widths, halving) = config
        .architecture
        .discriminator_widths(config.resolution)?;
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
    use crate::config::{Architecture, RESOLUTIONS};
    use crate::test_configs::{ARCHITECTURES, discriminator, generator};

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
