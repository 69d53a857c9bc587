//! The BigGAN discriminator with projection head (Miyato and Koyama 2018, "cGANs with Projection
//! Discriminator"; BigGAN appendix B).

use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use crate::arch;
use crate::blocks::{DiscriminatorBlock, DiscriminatorBlockShape};
use crate::config::DiscriminatorConfig;
use crate::error::Result;
use crate::layers::init::Initialiser;
use crate::layers::{Embedding, Linear, PowerStep};

/// Which network a seed's initial weights belong to.
const NETWORK: u64 = 1;
/// Channels of an image.
const RGB: usize = 3;

/// Image and class to one logit.
#[derive(Module, Debug)]
pub struct Discriminator {
    /// Residual blocks, the image's first.
    pub blocks: Vec<DiscriminatorBlock>,
    /// Features to the unconditional part of the logit.
    pub linear: Linear,
    /// Class vectors of the projection.
    pub embed: Embedding,
    #[module(skip)]
    config: DiscriminatorConfig,
}

impl Discriminator {
    /// A discriminator with initial weights.
    ///
    /// # Errors
    /// If the configuration is not valid.
    pub fn new(config: &DiscriminatorConfig, seed: u64, device: &Device) -> Result<Self> {
        config.validate()?;
        let init = &mut Initialiser::new(seed, NETWORK, device);
        let ch = config.channels;
        let mut resolution = config.resolution;
        let mut attention_left = config.attention.clone();
        let mut blocks = Vec::new();
        for (index, row) in arch::discriminator_blocks(config.resolution)?
            .iter()
            .enumerate()
        {
            resolution >>= usize::from(row.downsample);
            // only the first block that ends at a resolution is followed by attention
            let attention = attention_left.contains(&resolution);
            attention_left.retain(|&r| r != resolution);
            let channels_in = if index == 0 {
                RGB
            } else {
                ch * row.channels_in
            };
            let shape = DiscriminatorBlockShape {
                channels: [channels_in, ch * row.channels_out],
                preactivate: index > 0,
                downsample: row.downsample,
                attention,
            };
            blocks.push(DiscriminatorBlock::new(init, config, shape));
        }
        let features = ch
            * arch::discriminator_blocks(config.resolution)?
                .last()
                .map_or(0, |row| row.channels_out);
        let sn_eps = Some(config.sn_eps);
        Ok(Self {
            blocks,
            linear: Linear::new(init, [features, 1], true, sn_eps),
            embed: Embedding::new(init, [config.classes, features], sn_eps),
            config: config.clone(),
        })
    }

    /// The architecture.
    pub fn config(&self) -> &DiscriminatorConfig {
        &self.config
    }

    /// `linear(h) + <embed(y), h>` with h the features summed over the pixels.
    ///
    /// # Shapes
    /// - images: `[n, 3, r, r]` in [-1, 1]
    /// - class_weights: `[n, classes]`
    /// - returns logits `[n, 1]`
    ///
    /// # State
    /// Singular vectors with [`PowerStep::Keep`].
    pub fn forward(
        &mut self,
        images: Tensor<4>,
        class_weights: Tensor<2>,
        step: PowerStep,
    ) -> Tensor<2> {
        let mut h = images;
        for block in &mut self.blocks {
            h = block.forward(h, step); // [n, c, h, w]
        }
        let [n, c, height, width] = h.dims();
        let features = relu(h)
            .reshape([n, c, height * width])
            .sum_dim(2)
            .reshape([n, c]);
        let projection = self.embed.forward(class_weights, step) * features.clone(); // [n, c]
        self.linear.forward(features, step) + projection.sum_dim(1) // [n, 1]
    }
}
