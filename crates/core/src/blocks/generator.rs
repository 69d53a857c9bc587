//! Residual block of the generator (BigGAN appendix B, figure 15b).

use burn::module::Module;
use burn::tensor::Tensor;

use crate::arch::BlockShape;
use crate::config::GeneratorConfig;
use crate::error::Result;
use crate::kernels::upsample_nearest_2x;
use crate::layers::init::Initialiser;
use crate::layers::{ConditionalBatchNorm, Conv2d, NormMode, SelfAttention, Updates};

/// BN, ReLU, upsample, 3x3, BN, ReLU, 3x3; the shortcut is upsampled and mapped by a 1x1.
#[derive(Module, Debug)]
pub struct PlainGeneratorBlock {
    /// First class-conditional batch norm.
    pub bn1: ConditionalBatchNorm,
    /// 3x3 after the upsampling.
    pub conv1: Conv2d,
    /// Second class-conditional batch norm.
    pub bn2: ConditionalBatchNorm,
    /// 3x3.
    pub conv2: Conv2d,
    /// 1x1 of the shortcut.
    pub conv_sc: Conv2d,
    /// Self-attention on the block's output.
    pub attention: Option<SelfAttention>,
}

impl PlainGeneratorBlock {
    /// A block of the given shape.
    ///
    /// # Errors
    /// If the configuration's resolution has no table.
    pub fn new(
        init: &mut Initialiser<'_>,
        config: &GeneratorConfig,
        shape: &BlockShape,
    ) -> Result<Self> {
        let [channels_in, channels_out] = shape.channels;
        let sn_eps = config.power_eps();
        Ok(Self {
            bn1: ConditionalBatchNorm::new(init, config, channels_in)?,
            conv1: Conv2d::new(init, [channels_in, channels_out], 3, true, sn_eps),
            bn2: ConditionalBatchNorm::new(init, config, channels_out)?,
            conv2: Conv2d::new(init, [channels_out, channels_out], 3, true, sn_eps),
            conv_sc: Conv2d::new(init, [channels_in, channels_out], 1, true, sn_eps),
            attention: shape
                .attention
                .then(|| SelfAttention::new(init, channels_out, sn_eps)),
        })
    }

    /// # Shapes
    /// - x: `[n, in, h, w]`
    /// - condition: `[n, condition_dim]`
    /// - returns `[n, out, 2 h, 2 w]`
    pub fn forward(
        &self,
        x: Tensor<4>,
        condition: Tensor<2>,
        norm: NormMode<'_>,
        updates: &mut Updates,
    ) -> Tensor<4> {
        let h = self
            .bn1
            .forward_relu(x.clone(), condition.clone(), norm, updates); // [n, in, h, w]
        let h = self.conv1.forward_after_upsample(h, updates); // [n, out, 2h, 2w]
        let h = self.bn2.forward_relu(h, condition, norm, updates);
        let h = self.conv2.forward(h, updates);
        // the 1x1 commutes with nearest upsampling and is four times cheaper before it
        let y = h + upsample_nearest_2x(self.conv_sc.forward(x, updates));
        match &self.attention {
            Some(attention) => attention.forward(y, updates),
            None => y,
        }
    }

    /// Bakes the spectral norm into the weights, for inference.
    pub fn fold(&mut self) {
        self.bn1.fold();
        self.bn2.fold();
        for conv in [&mut self.conv1, &mut self.conv2, &mut self.conv_sc] {
            conv.fold();
        }
        if let Some(attention) = &mut self.attention {
            attention.fold();
        }
    }
}
