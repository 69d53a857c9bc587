//! The generator as shapes; the layers are those of [`crate::model::Generator`].

use super::{LayerShape, NetworkShape};
use crate::arch::{self, BOTTOM, BlockShape, RGB, bottleneck};
use crate::config::{ClassEmbedding, GeneratorConfig, Skip};
use crate::error::Result;

impl NetworkShape {
    /// Of a generator.
    ///
    /// # Errors
    /// If the configuration is not valid.
    pub fn generator(config: &GeneratorConfig) -> Result<Self> {
        config.validate()?;
        let blocks = arch::generator_blocks(config)?;
        let condition = config.condition_dim()?;
        let mut layers = Vec::new();
        if let ClassEmbedding::Shared { dim } = config.class_embedding {
            layers.push(LayerShape::of_embedding("shared", [config.classes, dim]));
        }
        let bottom = blocks[0].channels[0] * BOTTOM * BOTTOM;
        let first = [config.linear_dim()?, bottom];
        layers.push(LayerShape::of_linear("linear", first, true, BOTTOM));
        for (index, shape) in blocks.iter().enumerate() {
            let name = format!("blocks.{index}");
            let norm = Condition {
                dim: condition,
                embedding: config.class_embedding,
            };
            layers.push(if config.architecture.is_deep() {
                deep(&name, shape, &norm, config.architecture.skip())
            } else {
                plain(&name, shape, &norm)
            });
            if shape.attention {
                let channels = shape.channels[1];
                layers.push(LayerShape::of_attention(&name, channels, shape.resolution));
            }
        }
        let last = blocks[blocks.len() - 1].channels[1];
        let mut bn = LayerShape::new("output_bn", [last, last], config.resolution);
        bn.tensor("gain", &[last]);
        bn.tensor("bias", &[last]);
        bn.norms.push(last);
        bn.map(last, config.resolution);
        layers.push(bn);
        let rgb = [last, RGB];
        layers.push(LayerShape::of_conv(
            "output_conv",
            rgb,
            3,
            config.resolution,
        ));
        Ok(Self { layers })
    }
}

/// How gains and biases are computed.
struct Condition {
    dim: usize,
    embedding: ClassEmbedding,
}

impl LayerShape {
    fn conditional_norm(&mut self, name: &str, by: &Condition, channels: usize, side: usize) {
        let weight = match by.embedding {
            ClassEmbedding::Shared { .. } => [channels, by.dim],
            ClassEmbedding::PerLayer => [by.dim, channels],
        };
        self.tensor(&format!("{name}.gain.weight"), &weight);
        self.tensor(&format!("{name}.bias.weight"), &weight);
        if let ClassEmbedding::Shared { .. } = by.embedding {
            self.vectors += 2 * channels as u64; // embeddings of G are not normalised
        }
        self.multiply_adds += 2 * (by.dim * channels) as u64;
        self.norms.push(channels);
        self.map(channels, side);
    }

    /// The upsampled shortcut, if there is one, and the sum.
    fn join(&mut self, shape: &BlockShape) {
        let maps = 1 + usize::from(shape.resamples);
        self.map(maps * shape.channels[1], shape.resolution);
    }
}

fn plain(name: &str, shape: &BlockShape, by: &Condition) -> LayerShape {
    let [channels_in, channels_out] = shape.channels;
    let (before, after) = (shape.resolution / 2, shape.resolution);
    let mut block = LayerShape::new(name, shape.channels, after);
    block.conditional_norm("bn1", by, channels_in, before);
    block.conv("conv1", [channels_in, channels_out], 3, true, after);
    block.conditional_norm("bn2", by, channels_out, after);
    block.conv("conv2", [channels_out, channels_out], 3, true, after);
    block.conv("conv_sc", [channels_in, channels_out], 1, true, before);
    block.join(shape);
    block
}

fn deep(name: &str, shape: &BlockShape, by: &Condition, skip: Skip) -> LayerShape {
    let [channels_in, channels_out] = shape.channels;
    let hidden = bottleneck(channels_in);
    let (before, after) = (
        shape.resolution >> usize::from(shape.resamples),
        shape.resolution,
    );
    let mut block = LayerShape::new(name, shape.channels, after);
    block.conditional_norm("bn1", by, channels_in, before);
    block.conv("conv1", [channels_in, hidden], 1, true, before);
    block.conditional_norm("bn2", by, hidden, before);
    block.conv("conv2", [hidden, hidden], 3, true, after);
    block.conditional_norm("bn3", by, hidden, after);
    block.conv("conv3", [hidden, hidden], 3, true, after);
    block.conditional_norm("bn4", by, hidden, after);
    block.conv("conv4", [hidden, channels_out], 1, true, after);
    if skip == Skip::Convolution {
        block.conv("conv_sc", [channels_in, channels_out], 1, true, before);
    }
    block.join(shape);
    block
}
