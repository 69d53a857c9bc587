//! The BigGAN discriminator with projection head (Miyato and Koyama 2018, "cGANs with Projection
//! Discriminator"; BigGAN appendix B).

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::arch::{self, RGB};
use crate::blocks::{DiscriminatorBlock, Pass};
use crate::config::DiscriminatorConfig;
use crate::error::Result;
use crate::layers::init::Initialiser;
use crate::layers::{Conv2d, Embedding, Linear, Updates};

/// Index of this network for the initial weights of a seed.
const NETWORK: u64 = 1;

/// Image and class to one logit.
#[derive(Module, Debug)]
pub struct Discriminator {
    /// 3x3 on the image, in the deep architectures.
    pub input_conv: Option<Conv2d>,
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
        Self::build(config, &mut Initialiser::new(seed, NETWORK, device))
    }

    /// A discriminator whose weights are all 0, to be loaded.
    ///
    /// # Errors
    /// If the configuration is not valid.
    pub fn zeros(config: &DiscriminatorConfig, device: &Device) -> Result<Self> {
        Self::build(config, &mut Initialiser::zeros(device))
    }

    fn build(config: &DiscriminatorConfig, init: &mut Initialiser<'_>) -> Result<Self> {
        config.validate()?;
        let shapes = arch::discriminator_blocks(config)?;
        let (first, features) = (shapes[0].channels[0], shapes[shapes.len() - 1].channels[1]);
        let sn_eps = config.power_eps();
        let input_conv = config
            .architecture
            .is_deep()
            .then(|| Conv2d::new(init, [RGB, first], 3, true, sn_eps));
        let blocks = shapes
            .iter()
            .enumerate()
            .map(|(index, shape)| DiscriminatorBlock::new(init, config, shape, index == 0))
            .collect();
        Ok(Self {
            input_conv,
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
    /// The next singular vectors go to the pass; an ordinary one is [`Updates`](crate::layers::Updates).
    pub fn forward(
        &self,
        images: Tensor<4>,
        class_weights: Tensor<2>,
        pass: &mut dyn Pass,
    ) -> Tensor<2> {
        let h = self.through(images, self.blocks.len(), pass);
        let h = pass.relu(h); // [n, c, h, w]
        let [n, c, height, width] = h.dims();
        let features = h.reshape([n, c, height * width]).sum_dim(2);
        let features = features.reshape([n, c]);
        let projection = pass.embed(&self.embed, class_weights) * features.clone(); // [n, c]
        pass.linear(&self.linear, features) + projection.sum_dim(1) // [n, 1]
    }

    /// The maps after the first blocks.
    ///
    /// # Shapes
    /// - images: `[n, 3, r, r]`
    /// - returns `[n, c, h, w]`
    pub(crate) fn through(
        &self,
        images: Tensor<4>,
        blocks: usize,
        pass: &mut dyn Pass,
    ) -> Tensor<4> {
        let first = match &self.input_conv {
            Some(input_conv) => pass.conv(input_conv, images),
            None => images,
        };
        let blocks = self.blocks[..blocks].iter();
        blocks.fold(first, |h, block| block.forward(h, pass))
    }

    /// [`Discriminator::forward`] without updates.
    pub fn evaluate(&self, images: Tensor<4>, class_weights: Tensor<2>) -> Tensor<2> {
        self.forward(images, class_weights, &mut Updates::default())
    }
}
