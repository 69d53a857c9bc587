//! Architecture tables: one row a block, one table a resolution.
//!
//! Channel counts are multiples of the width `ch` (the paper's channel multiplier, "Ch." in its
//! Table 1). Source: Brock et al. 2018, appendix B, tables 4 to 6 (128, 256, 512); the sizes 32 and
//! 64 and all discriminators below 512 from ajbrock/BigGAN-PyTorch `BigGAN.py:21-50,257-280`; the
//! discriminator of 512 from google/compare_gan `resnet_biggan.py:344-361`.

use crate::error::{Error, Result};

/// One residual block of the generator; every block doubles the resolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GeneratorBlockRow {
    /// Input channels, in multiples of the width.
    pub channels_in: usize,
    /// Output channels, in multiples of the width.
    pub channels_out: usize,
}

/// One residual block of the discriminator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiscriminatorBlockRow {
    /// Input channels, in multiples of the width; 0 stands for the three channels of the image.
    pub channels_in: usize,
    /// Output channels, in multiples of the width.
    pub channels_out: usize,
    /// Whether the block halves the resolution.
    pub downsample: bool,
}

/// Side of the generator's first feature map and of the lowest resolution, in pixels.
pub const BOTTOM: usize = 4;

/// Resolutions with a table.
pub const RESOLUTIONS: [usize; 5] = [32, 64, 128, 256, 512];

fn unknown(resolution: usize) -> Error {
    Error::Config(format!(
        "resolution {resolution} has no architecture table; choose one of {RESOLUTIONS:?}"
    ))
}

/// Generator blocks of BigGAN for an output resolution, first (8x8) to last.
///
/// # Errors
/// If the resolution has no table.
pub fn generator_blocks(resolution: usize) -> Result<Vec<GeneratorBlockRow>> {
    let channels: &[usize] = match resolution {
        32 => &[4, 4, 4, 4],
        64 => &[16, 16, 8, 4, 2],
        128 => &[16, 16, 8, 4, 2, 1],
        256 => &[16, 16, 8, 8, 4, 2, 1],
        512 => &[16, 16, 8, 8, 4, 2, 1, 1],
        other => return Err(unknown(other)),
    };
    Ok(channels
        .windows(2)
        .map(|pair| GeneratorBlockRow {
            channels_in: pair[0],
            channels_out: pair[1],
        })
        .collect())
}

/// Discriminator blocks of BigGAN for an input resolution, from the image to the head.
///
/// # Errors
/// If the resolution has no table.
pub fn discriminator_blocks(resolution: usize) -> Result<Vec<DiscriminatorBlockRow>> {
    // (outputs of the blocks, number of leading blocks that downsample)
    let (outputs, downsampling): (&[usize], usize) = match resolution {
        32 => (&[4, 4, 4, 4], 2),
        64 => (&[1, 2, 4, 8, 16], 4),
        128 => (&[1, 2, 4, 8, 16, 16], 5),
        256 => (&[1, 2, 4, 8, 8, 16, 16], 6),
        512 => (&[1, 1, 2, 4, 8, 8, 16, 16], 7),
        other => return Err(unknown(other)),
    };
    let inputs = std::iter::once(0).chain(outputs.iter().copied());
    Ok(inputs
        .zip(outputs)
        .enumerate()
        .map(
            |(index, (channels_in, &channels_out))| DiscriminatorBlockRow {
                channels_in,
                channels_out,
                downsample: index < downsampling,
            },
        )
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_reach_their_resolution() {
        for resolution in RESOLUTIONS {
            let blocks = generator_blocks(resolution).unwrap();
            assert_eq!(BOTTOM << blocks.len(), resolution);
            let d = discriminator_blocks(resolution).unwrap();
            let last = resolution >> d.iter().filter(|row| row.downsample).count();
            // BigGAN-PyTorch's table for 32 stops at 8x8 (see the module's source)
            assert_eq!(last, if resolution == 32 { 8 } else { 4 });
        }
    }

    #[test]
    fn unknown_resolution_names_the_choices() {
        let message = generator_blocks(48).unwrap_err().to_string();
        assert!(message.contains("48") && message.contains("[32, 64, 128, 256, 512]"));
    }
}
