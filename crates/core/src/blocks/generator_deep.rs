//! Bottleneck block of the generator (BigGAN appendix B, figure 16b; BigGAN-PyTorch
//! `BigGANdeep.py:23-66`; StudioGAN `big_resnet_deep_studiogan.py:18-80` for the shortcut by a 1x1).

use burn::module::Module;
use burn::tensor::Tensor;

use crate::arch::{BlockShape, bottleneck};
use crate::config::{GeneratorConfig, Skip};
use crate::error::Result;
use crate::kernels::upsample_nearest_2x;
use crate::layers::init::Initialiser;
use crate::layers::{ConditionalBatchNorm, Conv2d, NormMode, SelfAttention, Updates};

/// 1x1, (upsample,) 3x3, 3x3, 1x1 with BN and ReLU before each. The shortcut keeps as many of the
/// first channels as there are outputs.
#[derive(Module, Debug)]
pub struct DeepGeneratorBlock {
    /// Before the first 1x1.
    pub bn1: ConditionalBatchNorm,
    /// 1x1, `in -> in / 4`.
    pub conv1: Conv2d,
    /// Before the first 3x3.
    pub bn2: ConditionalBatchNorm,
    /// 3x3, after the upsampling if there is one.
    pub conv2: Conv2d,
    /// Before the second 3x3.
    pub bn3: ConditionalBatchNorm,
    /// 3x3.
    pub conv3: Conv2d,
    /// Before the second 1x1.
    pub bn4: ConditionalBatchNorm,
    /// 1x1, `in / 4 -> out`.
    pub conv4: Conv2d,
    /// 1x1 of the shortcut; `None` if it drops channels.
    pub conv_sc: Option<Conv2d>,
    /// Self-attention on the block's output.
    pub attention: Option<SelfAttention>,
    #[module(skip)]
    upsample: bool,
}

impl DeepGeneratorBlock {
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
        let hidden = bottleneck(channels_in);
        let sn_eps = config.power_eps();
        let mapped = config.architecture.skip() == Skip::Convolution;
        Ok(Self {
            bn1: ConditionalBatchNorm::new(init, config, channels_in)?,
            conv1: Conv2d::new(init, [channels_in, hidden], 1, true, sn_eps),
            bn2: ConditionalBatchNorm::new(init, config, hidden)?,
            conv2: Conv2d::new(init, [hidden, hidden], 3, true, sn_eps),
            bn3: ConditionalBatchNorm::new(init, config, hidden)?,
            conv3: Conv2d::new(init, [hidden, hidden], 3, true, sn_eps),
            bn4: ConditionalBatchNorm::new(init, config, hidden)?,
            conv4: Conv2d::new(init, [hidden, channels_out], 1, true, sn_eps),
            conv_sc: mapped
                .then(|| Conv2d::new(init, [channels_in, channels_out], 1, true, sn_eps)),
            attention: shape
                .attention
                .then(|| SelfAttention::new(init, channels_out, sn_eps)),
            upsample: shape.resamples,
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
        let h = self
            .bn1
            .forward_relu(x.clone(), condition.clone(), norm, updates); // [n, in, h, w]
        let h = self.conv1.forward(h, updates); // [n, in/4, h, w]
        let h = self.bn2.forward_relu(h, condition.clone(), norm, updates);
        let h = if self.upsample {
            self.conv2.forward_after_upsample(h, updates) // [n, in/4, 2h, 2w]
        } else {
            self.conv2.forward(h, updates)
        };
        let h = self.bn3.forward_relu(h, condition.clone(), norm, updates);
        let h = self.conv3.forward(h, updates);
        let h = self.bn4.forward_relu(h, condition, norm, updates);
        let h = self.conv4.forward(h, updates); // [n, out, 2h, 2w]
        // cut and 1x1 commute with nearest upsampling and are cheaper before it
        let [n, _, height, width] = x.dims();
        let skip = match &self.conv_sc {
            Some(conv_sc) => conv_sc.forward(x, updates),
            None => x.slice([0..n, 0..h.dims()[1], 0..height, 0..width]),
        }; // [n, out, h, w]
        let y = h + if self.upsample {
            upsample_nearest_2x(skip)
        } else {
            skip
        };
        match &self.attention {
            Some(attention) => attention.forward(y, updates),
            None => y,
        }
    }

    /// Whether it doubles the resolution.
    pub fn upsamples(&self) -> bool {
        self.upsample
    }

    /// Bakes the spectral norm into the weights, for inference.
    pub fn fold(&mut self) {
        for bn in [&mut self.bn1, &mut self.bn2, &mut self.bn3, &mut self.bn4] {
            bn.fold();
        }
        let convs = [
            &mut self.conv1,
            &mut self.conv2,
            &mut self.conv3,
            &mut self.conv4,
        ];
        for conv in convs.into_iter().chain(&mut self.conv_sc) {
            conv.fold();
        }
        if let Some(attention) = &mut self.attention {
            attention.fold();
        }
    }
}
