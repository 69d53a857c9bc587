//! Residual blocks of BigGAN and BigGAN-deep.

mod discriminator;
mod discriminator_deep;
mod generator;
mod generator_deep;
mod pass;

use burn::module::Module;
use burn::tensor::Tensor;

use crate::arch::BlockShape;
use crate::config::{DiscriminatorConfig, GeneratorConfig};
use crate::error::Result;
use crate::layers::init::Initialiser;
use crate::layers::{NormMode, Normaliser, SelfAttention, Updates};

pub use discriminator::PlainDiscriminatorBlock;
pub use discriminator_deep::DeepDiscriminatorBlock;
pub(crate) use discriminator_deep::shortcut_channels;
pub use generator::PlainGeneratorBlock;
pub use generator_deep::DeepGeneratorBlock;
pub use pass::Pass;

/// A block of the generator.
#[derive(Module, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "all blocks of a network are of one kind"
)]
pub enum GeneratorBlock {
    /// BigGAN.
    Plain(PlainGeneratorBlock),
    /// BigGAN-deep.
    Deep(DeepGeneratorBlock),
}

impl GeneratorBlock {
    /// A block of the configuration's kind.
    ///
    /// # Errors
    /// If the configuration's resolution has no table.
    pub fn new(
        init: &mut Initialiser<'_>,
        config: &GeneratorConfig,
        shape: &BlockShape,
    ) -> Result<Self> {
        Ok(if config.architecture.is_deep() {
            Self::Deep(DeepGeneratorBlock::new(init, config, shape)?)
        } else {
            Self::Plain(PlainGeneratorBlock::new(init, config, shape)?)
        })
    }

    /// # Shapes
    /// - x: `[n, in, h, w]`
    /// - condition: `[n, condition_dim]`
    /// - returns `[n, out, h, w]`, doubled where the block upsamples
    pub fn forward(
        &self,
        x: Tensor<4>,
        condition: Tensor<2>,
        norm: NormMode<'_>,
        updates: &mut Updates,
    ) -> Tensor<4> {
        match self {
            Self::Plain(block) => block.forward(x, condition, norm, updates),
            Self::Deep(block) => block.forward(x, condition, norm, updates),
        }
    }

    /// Bakes the spectral norm into the weights, for inference.
    pub fn fold(&mut self) {
        match self {
            Self::Plain(block) => block.fold(),
            Self::Deep(block) => block.fold(),
        }
    }

    /// The normalisers in the order of the forward pass, with the names of their layers.
    pub fn normalisers_mut(&mut self) -> Vec<(&'static str, &mut Normaliser)> {
        match self {
            Self::Plain(block) => {
                vec![("bn1", &mut block.bn1.stats), ("bn2", &mut block.bn2.stats)]
            }
            Self::Deep(block) => vec![
                ("bn1", &mut block.bn1.stats),
                ("bn2", &mut block.bn2.stats),
                ("bn3", &mut block.bn3.stats),
                ("bn4", &mut block.bn4.stats),
            ],
        }
    }
}

/// A block of the discriminator.
#[derive(Module, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "all blocks of a network are of one kind"
)]
pub enum DiscriminatorBlock {
    /// BigGAN.
    Plain(PlainDiscriminatorBlock),
    /// BigGAN-deep.
    Deep(DeepDiscriminatorBlock),
}

impl DiscriminatorBlock {
    /// A block of the configuration's kind; `first` says whether it is the network's first.
    pub fn new(
        init: &mut Initialiser<'_>,
        config: &DiscriminatorConfig,
        shape: &BlockShape,
        first: bool,
    ) -> Self {
        if config.architecture.is_deep() {
            Self::Deep(DeepDiscriminatorBlock::new(init, config, shape))
        } else {
            Self::Plain(PlainDiscriminatorBlock::new(init, config, shape, first))
        }
    }

    /// # Shapes
    /// - x: `[n, in, h, w]`
    /// - returns `[n, out, h, w]`, halved where the block downsamples
    pub fn forward(&self, x: Tensor<4>, pass: &mut dyn Pass) -> Tensor<4> {
        match self {
            Self::Plain(block) => block.forward(x, pass),
            Self::Deep(block) => block.forward(x, pass),
        }
    }

    /// Its self-attention.
    pub fn attention(&self) -> Option<&SelfAttention> {
        match self {
            Self::Plain(block) => block.attention.as_ref(),
            Self::Deep(block) => block.attention.as_ref(),
        }
    }
}
