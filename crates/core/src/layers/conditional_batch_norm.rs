//! Class-conditional batch norm: gain and bias are functions of the condition.
//!
//! `y = normalise(x) (1 + gain(c)) + bias(c)`. The "1 +" matters: without it the first layers start
//! with no signal (google/compare_gan issue 54). Source: BigGAN appendix C; BigGAN-PyTorch
//! `layers.py:290-340`.

use burn::module::Module;
use burn::tensor::Tensor;

use super::init::Initialiser;
use super::{Embedding, Linear, NormMode, Normaliser, Updates};
use crate::config::{ClassEmbedding, GeneratorConfig};
use crate::error::Result;

/// Condition to gain or bias.
#[derive(Module, Debug)]
pub enum ConditionProjection {
    /// Linear in the shared class embedding joined with a chunk of z; spectrally normalised, no bias.
    Linear(Linear),
    /// One value per class and channel, as in SA-GAN; not normalised.
    Embedding(Embedding),
}

impl ConditionProjection {
    fn forward(&self, condition: Tensor<2>, updates: &mut Updates) -> Tensor<2> {
        match self {
            Self::Linear(linear) => linear.forward(condition, updates),
            Self::Embedding(embedding) => embedding.forward(condition, updates),
        }
    }
}

/// Batch norm whose gain and bias depend on the condition.
#[derive(Module, Debug)]
pub struct ConditionalBatchNorm {
    /// Statistics.
    pub stats: Normaliser,
    /// Condition to gain.
    pub gain: ConditionProjection,
    /// Condition to bias.
    pub bias: ConditionProjection,
}

impl ConditionalBatchNorm {
    /// A layer for `channels` feature maps.
    ///
    /// # Errors
    /// If the configuration's resolution has no table.
    pub fn new(
        init: &mut Initialiser<'_>,
        config: &GeneratorConfig,
        channels: usize,
    ) -> Result<Self> {
        let dim = config.condition_dim()?;
        let sn_eps = config.power_eps();
        let projection = |init: &mut Initialiser<'_>| match config.class_embedding {
            ClassEmbedding::Shared { .. } => {
                ConditionProjection::Linear(Linear::new(init, [dim, channels], false, sn_eps))
            }
            ClassEmbedding::PerLayer => {
                // drawn orthogonally like any other weight, as in BigGAN-PyTorch: gains are near 1 and biases near 0
                // at the start, and differ by class (SA-GAN's code starts at exactly 1 and 0)
                ConditionProjection::Embedding(Embedding::new(init, [dim, channels], None))
            }
        };
        Ok(Self {
            gain: projection(init),
            bias: projection(init),
            stats: Normaliser::new(init, channels, config.bn_eps, config.bn_momentum),
        })
    }

    /// `relu` of the normalised feature map: a ReLU follows every one of these layers in BigGAN.
    ///
    /// # Shapes
    /// - x: `[n, c, h, w]`, returned with the same shape
    /// - condition: `[n, condition_dim]`
    pub fn forward_relu(
        &self,
        x: Tensor<4>,
        condition: Tensor<2>,
        norm: NormMode<'_>,
        updates: &mut Updates,
    ) -> Tensor<4> {
        let gain = self.gain.forward(condition.clone(), updates) + 1.0; // [n, c]
        let bias = self.bias.forward(condition, updates); // [n, c]
        self.stats.forward_relu(x, gain, bias, norm, updates)
    }

    /// Folds the spectral norm into the projections, for inference.
    pub fn fold(&mut self) {
        for projection in [&mut self.gain, &mut self.bias] {
            if let ConditionProjection::Linear(linear) = projection {
                linear.fold();
            }
        }
    }
}
