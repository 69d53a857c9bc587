//! The BigGAN generator (BigGAN sec. 3 and appendix B).

use burn::module::Module;
use burn::tensor::activation::tanh;
use burn::tensor::{Device, Tensor};

use crate::arch::{self, BOTTOM};
use crate::blocks::GeneratorBlock;
use crate::config::{ClassEmbedding, GeneratorConfig};
use crate::error::Result;
use crate::layers::init::Initialiser;
use crate::layers::{BatchNorm, Conv2d, Embedding, Linear, Pass};

/// Which network a seed's initial weights belong to.
const NETWORK: u64 = 0;
/// tanh of this is 1 in f32; beyond it some GPU drivers overflow to NaN.
const TANH_LIMIT: f32 = 20.0;

/// z and class to image.
#[derive(Module, Debug)]
pub struct Generator {
    /// Class embedding shared by all layers; not normalised ("SN cripples G", BigGAN-PyTorch
    /// `BigGAN.py:132`). None where embeddings are per layer.
    pub shared: Option<Embedding>,
    /// First chunk of z to the 4x4 feature map.
    pub linear: Linear,
    /// Residual blocks, 8x8 first.
    pub blocks: Vec<GeneratorBlock>,
    /// Batch norm before the last convolution; unconditional.
    pub output_bn: BatchNorm,
    /// 3x3 to RGB.
    pub output_conv: Conv2d,
    #[module(skip)]
    config: GeneratorConfig,
}

impl Generator {
    /// A generator with initial weights.
    ///
    /// # Errors
    /// If the configuration is not valid.
    pub fn new(config: &GeneratorConfig, seed: u64, device: &Device) -> Result<Self> {
        config.validate()?;
        let init = &mut Initialiser::new(seed, NETWORK, device);
        let sn_eps = config.spectral_norm.then_some(config.sn_eps);
        let rows = arch::generator_blocks(config.resolution)?;
        let ch = config.channels;
        let shared = match config.class_embedding {
            ClassEmbedding::Shared { dim } => {
                Some(Embedding::new(init, [config.classes, dim], None))
            }
            ClassEmbedding::PerLayer => None,
        };
        let chunk = config.z_dim / config.z_chunks()?;
        let bottom = ch * rows[0].channels_in * BOTTOM * BOTTOM;
        let linear = Linear::new(init, [chunk, bottom], true, sn_eps);
        let blocks = rows
            .iter()
            .enumerate()
            .map(|(index, row)| {
                let resolution = BOTTOM << (index + 1);
                GeneratorBlock::new(
                    init,
                    config,
                    [ch * row.channels_in, ch * row.channels_out],
                    config.attention.contains(&resolution),
                )
            })
            .collect::<Result<Vec<_>>>()?;
        let last = ch * rows[rows.len() - 1].channels_out;
        Ok(Self {
            shared,
            linear,
            blocks,
            output_bn: BatchNorm::new(init, last, config.bn_eps, config.bn_momentum),
            output_conv: Conv2d::new(init, [last, 3], 3, true, sn_eps),
            config: config.clone(),
        })
    }

    /// The architecture.
    pub fn config(&self) -> &GeneratorConfig {
        &self.config
    }

    /// Images of classes.
    ///
    /// # Shapes
    /// - z: `[n, z_dim]`
    /// - class_weights: `[n, classes]`, one-hot for a label, or a mixture
    /// - returns `[n, 3, resolution, resolution]` in [-1, 1]
    ///
    /// # State
    /// Statistics and singular vectors as the pass says.
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn forward(&mut self, z: Tensor<2>, class_weights: Tensor<2>, pass: Pass) -> Tensor<4> {
        let n = z.dims()[0];
        let class = match &mut self.shared {
            Some(shared) => shared.forward(class_weights, pass.spectral), // [n, shared_dim]
            None => class_weights,                                        // [n, classes]
        };
        let chunks = if self.config.hierarchical_z {
            self.blocks.len() + 1
        } else {
            1
        };
        let chunk_dim = self.config.z_dim / chunks;
        let chunk = |index: usize| {
            z.clone()
                .slice([0..n, index * chunk_dim..(index + 1) * chunk_dim])
        };

        let bottom = self.linear.forward(chunk(0), pass.spectral); // [n, c 4 4]
        let channels = bottom.dims()[1] / (BOTTOM * BOTTOM);
        let mut h = bottom.reshape([n, channels, BOTTOM, BOTTOM]); // [n, c, 4, 4]
        for (index, block) in self.blocks.iter_mut().enumerate() {
            let condition = if self.config.hierarchical_z {
                Tensor::cat(vec![class.clone(), chunk(index + 1)], 1) // [n, shared_dim + chunk]
            } else {
                class.clone()
            };
            h = block.forward(h, condition, pass); // [n, c, 2h, 2w]
        }
        let h = self.output_bn.forward_relu(h, pass.norm);
        let rgb = self.output_conv.forward(h, pass.spectral); // [n, 3, r, r]
        tanh(rgb.clamp(-TANH_LIMIT, TANH_LIMIT))
    }

    /// Bakes every spectral norm into its weight: the network computes what
    /// [`Pass::EVAL`] computes, without the power iterations.
    #[must_use]
    pub fn folded(mut self) -> Self {
        self.linear.fold();
        self.output_conv.fold();
        for block in &mut self.blocks {
            block.fold();
        }
        self.config.spectral_norm = false;
        self
    }

    /// All normalisers in the order of the forward pass, with their names.
    pub fn normalisers_mut(&mut self) -> Vec<(String, &mut crate::layers::Normaliser)> {
        let mut all = Vec::new();
        for (index, block) in self.blocks.iter_mut().enumerate() {
            all.push((format!("blocks.{index}.bn1"), &mut block.bn1.stats));
            all.push((format!("blocks.{index}.bn2"), &mut block.bn2.stats));
        }
        all.push(("output_bn".into(), &mut self.output_bn.stats));
        all
    }
}
