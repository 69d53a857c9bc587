//! The discriminator as shapes; the layers are those of [`crate::model::Discriminator`].

use super::{LayerShape, NetworkShape};
use crate::arch::{self, BlockShape, RGB, bottleneck};
use crate::blocks::shortcut_channels;
use crate::config::DiscriminatorConfig;
use crate::error::Result;

impl NetworkShape {
    /// Of a discriminator.
    ///
    /// # Errors
    /// If the configuration is not valid.
    pub fn discriminator(config: &DiscriminatorConfig) -> Result<Self> {
        config.validate()?;
        let blocks = arch::discriminator_blocks(config)?;
        let mut layers = Vec::new();
        if config.architecture.is_deep() {
            let channels = [RGB, blocks[0].channels[0]];
            let side = config.resolution;
            layers.push(LayerShape::of_conv("input_conv", channels, 3, side));
        }
        for (index, shape) in blocks.iter().enumerate() {
            let name = format!("blocks.{index}");
            layers.push(if config.architecture.is_deep() {
                deep(&name, shape, shortcut_channels(config, shape))
            } else {
                plain(&name, shape, index == 0)
            });
            if shape.attention {
                let channels = shape.channels[1];
                layers.push(LayerShape::of_attention(&name, channels, shape.resolution));
            }
        }
        let last = blocks[blocks.len() - 1];
        let features = last.channels[1];
        let mut linear = LayerShape::of_linear("linear", [features, 1], true, 1);
        linear.map(features, last.resolution); // the last ReLU
        layers.push(linear);
        let classes = [config.classes, features];
        let mut embed = LayerShape::of_embedding("embed", classes);
        embed.vectors += config.classes as u64;
        layers.push(embed);
        Ok(Self { layers })
    }
}

impl LayerShape {
    /// The pooled shortcut, if there is one, and the sum.
    fn join_pooled(&mut self, shape: &BlockShape) {
        if shape.resamples {
            self.map(shape.channels[0], shape.resolution);
        }
        self.map(shape.channels[1], shape.resolution);
    }
}

fn plain(name: &str, shape: &BlockShape, first: bool) -> LayerShape {
    let [channels_in, channels_out] = shape.channels;
    let (before, after) = (
        shape.resolution << usize::from(shape.resamples),
        shape.resolution,
    );
    let mut block = LayerShape::new(name, shape.channels, after);
    if !first {
        block.map(channels_in, before); // ReLU
    }
    block.conv("conv1", [channels_in, channels_out], 3, true, before);
    block.map(channels_out, before); // ReLU
    block.conv("conv2", [channels_out, channels_out], 3, true, before);
    if shape.resamples || channels_in != channels_out {
        block.conv("conv_sc", [channels_in, channels_out], 1, true, after);
    }
    block.join_pooled(shape);
    block
}

fn deep(name: &str, shape: &BlockShape, shortcut: Option<usize>) -> LayerShape {
    let [channels_in, channels_out] = shape.channels;
    let hidden = bottleneck(channels_out);
    let (before, after) = (
        shape.resolution << usize::from(shape.resamples),
        shape.resolution,
    );
    let mut block = LayerShape::new(name, shape.channels, after);
    block.map(channels_in, before); // ReLU
    block.conv("conv1", [channels_in, hidden], 1, true, before);
    block.conv("conv2", [hidden, hidden], 3, true, before);
    block.conv("conv3", [hidden, hidden], 3, true, before);
    block.map(3 * hidden, before); // ReLUs
    if shape.resamples {
        block.map(hidden, after); // pooled
    }
    block.conv("conv4", [hidden, channels_out], 1, true, after);
    if let Some(channels) = shortcut {
        block.conv("conv_sc", [channels_in, channels], 1, true, after);
    }
    block.join_pooled(shape);
    block
}
