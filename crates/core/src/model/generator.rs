//! The BigGAN generator (BigGAN sec. 3 and appendix B).

use burn::module::Module;
use burn::tensor::activation::tanh;
use burn::tensor::{Device, Tensor};

use crate::arch::{self, BOTTOM, RGB};
use crate::blocks::GeneratorBlock;
use crate::config::{ClassEmbedding, GeneratorConfig};
use crate::error::Result;
use crate::layers::init::Initialiser;
use crate::layers::{BatchNorm, Conv2d, Embedding, Linear, NormMode, Updates};

/// Index of this network for the initial weights of a seed.
const NETWORK: u64 = 0;
/// tanh of this is 1 in f32; beyond it some GPU drivers overflow to NaN.
const TANH_LIMIT: f32 = 20.0;

/// z and class to image.
#[derive(Module, Debug)]
pub struct Generator {
    /// Class embedding shared by all layers; not normalised ("SN cripples G", BigGAN-PyTorch
    /// `BigGAN.py:132`). `None` if embeddings are per layer.
    pub shared: Option<Embedding>,
    /// First chunk of z, or class embedding and z in the deep architectures, to the 4x4 feature map.
    pub linear: Linear,
    /// Residual blocks, smallest first; in the deep architectures all blocks of all stages.
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
        Self::build(config, &mut Initialiser::new(seed, NETWORK, device))
    }

    /// A generator whose weights are all 0, to be loaded: a full-size one takes minutes to initialise.
    ///
    /// # Errors
    /// If the configuration is not valid.
    pub fn zeros(config: &GeneratorConfig, device: &Device) -> Result<Self> {
        Self::build(config, &mut Initialiser::zeros(device))
    }

    fn build(config: &GeneratorConfig, init: &mut Initialiser<'_>) -> Result<Self> {
        config.validate()?;
        let sn_eps = config.power_eps();
        let shapes = arch::generator_blocks(config)?;
        let shared = match config.class_embedding {
            ClassEmbedding::Shared { dim } => {
                Some(Embedding::new(init, [config.classes, dim], None))
            }
            ClassEmbedding::PerLayer => None,
        };
        let bottom = shapes[0].channels[0] * BOTTOM * BOTTOM;
        let linear = Linear::new(init, [config.linear_dim()?, bottom], true, sn_eps);
        let blocks = shapes
            .iter()
            .map(|shape| GeneratorBlock::new(init, config, shape))
            .collect::<Result<Vec<_>>>()?;
        let last = shapes[shapes.len() - 1].channels[1];
        Ok(Self {
            shared,
            linear,
            blocks,
            output_bn: BatchNorm::new(init, last, config.last_bn_eps(), config.bn_momentum),
            output_conv: Conv2d::new(init, [last, RGB], 3, true, sn_eps),
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
    /// The next singular vectors, and the moments of the batch where `norm` uses them, go to `updates`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn forward(
        &self,
        z: Tensor<2>,
        class_weights: Tensor<2>,
        norm: NormMode<'_>,
        updates: &mut Updates,
    ) -> Tensor<4> {
        let n = z.dims()[0];
        let class = match &self.shared {
            Some(shared) => shared.forward(class_weights, updates), // [n, shared_dim]
            None => class_weights,                                  // [n, classes]
        };
        // the input of the first layer, and the conditions of block 0, 1, ..
        let (first, conditions) = self.inputs(z, class);

        let bottom = self.linear.forward(first, updates); // [n, c 4 4]
        let channels = bottom.dims()[1] / (BOTTOM * BOTTOM);
        let mut h = bottom.reshape([n, channels, BOTTOM, BOTTOM]); // [n, c, 4, 4]
        for (block, condition) in self.blocks.iter().zip(conditions) {
            h = block.forward(h, condition, norm, updates); // [n, c, 2h, 2w]
        }
        let h = self.output_bn.forward_relu(h, norm, updates);
        let rgb = self.output_conv.forward(h, updates); // [n, 3, r, r]
        tanh(rgb.clamp(-TANH_LIMIT, TANH_LIMIT))
    }

    /// [`Generator::forward`] without updates.
    pub fn evaluate(
        &self,
        z: Tensor<2>,
        class_weights: Tensor<2>,
        norm: NormMode<'_>,
    ) -> Tensor<4> {
        self.forward(z, class_weights, norm, &mut Updates::default())
    }

    /// Input of the first layer and condition of each block.
    ///
    /// # Shapes
    /// - z: `[n, z_dim]`
    /// - class: `[n, shared_dim]`, or `[n, classes]` if embeddings are per layer
    /// - returns `[n, linear_dim]` and for each block `[n, condition_dim]`
    fn inputs(&self, z: Tensor<2>, class: Tensor<2>) -> (Tensor<2>, Vec<Tensor<2>>) {
        let blocks = self.blocks.len();
        if self.config.architecture.is_deep() {
            let joined = Tensor::cat(vec![class, z], 1);
            return (joined.clone(), vec![joined; blocks]);
        }
        if !self.config.hierarchical_z {
            return (z, vec![class; blocks]);
        }
        let n = z.dims()[0];
        let length = self.config.z_dim / (blocks + 1);
        let chunk = |index: usize| {
            z.clone()
                .slice([0..n, index * length..(index + 1) * length])
        };
        let conditions = (1..=blocks)
            .map(|index| Tensor::cat(vec![class.clone(), chunk(index)], 1))
            .collect();
        (chunk(0), conditions)
    }

    /// Bakes every spectral norm into its weight: the network computes the
    /// same without the power iterations.
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
            for (layer, normaliser) in block.normalisers_mut() {
                all.push((format!("blocks.{index}.{layer}"), normaliser));
            }
        }
        all.push(("output_bn".into(), &mut self.output_bn.stats));
        all
    }
}
