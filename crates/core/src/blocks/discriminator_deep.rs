//! Bottleneck block of the discriminator (BigGAN appendix B, figure 16c; BigGAN-PyTorch
//! `BigGANdeep.py:285-329`; StudioGAN `big_resnet_deep_studiogan.py:192-253` for the shortcut by a 1x1).

use burn::module::Module;
use burn::tensor::Tensor;

use super::Pass;
use crate::arch::{BlockShape, bottleneck};
use crate::config::{DiscriminatorConfig, Skip};
use crate::layers::init::Initialiser;
use crate::layers::{Conv2d, SelfAttention};

/// ReLU before each of 1x1, 3x3, 3x3, 1x1, average pool before the last 1x1. The shortcut keeps its
/// channels and concatenates the output of a 1x1, or is a 1x1.
#[derive(Module, Debug)]
pub struct DeepDiscriminatorBlock {
    /// 1x1, `in -> out / 4`.
    pub conv1: Conv2d,
    /// First 3x3.
    pub conv2: Conv2d,
    /// Second 3x3.
    pub conv3: Conv2d,
    /// 1x1, `out / 4 -> out`.
    pub conv4: Conv2d,
    /// 1x1 of the shortcut: to the missing channels, or to all; `None` if it is the identity.
    pub conv_sc: Option<Conv2d>,
    /// Self-attention on the block's output.
    pub attention: Option<SelfAttention>,
    #[module(skip)]
    pub(crate) downsample: bool,
    /// Whether `conv_sc` computes only the missing channels, with pooling after the last ReLU;
    /// otherwise it computes all channels, with pooling before it.
    #[module(skip)]
    pub(crate) joins: bool,
    #[module(skip)]
    pub(crate) activated_shortcut: bool,
}

impl DeepDiscriminatorBlock {
    /// A block of the given shape.
    pub fn new(
        init: &mut Initialiser<'_>,
        config: &DiscriminatorConfig,
        shape: &BlockShape,
    ) -> Self {
        let [channels_in, channels_out] = shape.channels;
        let hidden = bottleneck(channels_out);
        let sn_eps = config.power_eps();
        let joins = config.architecture.skip() == Skip::Identity;
        let mut conv = |io, kernel| Conv2d::new(init, io, kernel, true, sn_eps);
        Self {
            conv1: conv([channels_in, hidden], 1),
            conv2: conv([hidden, hidden], 3),
            conv3: conv([hidden, hidden], 3),
            conv4: conv([hidden, channels_out], 1),
            conv_sc: shortcut_channels(config, shape).map(|out| conv([channels_in, out], 1)),
            attention: shape
                .attention
                .then(|| SelfAttention::new(init, channels_out, sn_eps)),
            downsample: shape.resamples,
            joins,
            activated_shortcut: config.activated_shortcut,
        }
    }

    /// # Shapes
    /// - x: `[n, in, h, w]`
    /// - returns `[n, out, h, w]`, halved where the block downsamples
    pub fn forward(&self, x: Tensor<4>, pass: &mut dyn Pass) -> Tensor<4> {
        let h = pass.relu(x.clone());
        let x = if self.activated_shortcut {
            h.clone()
        } else {
            x
        };
        let mut h = pass.conv(&self.conv1, h); // [n, out/4, h, w]
        h = pass.relu(h);
        h = pass.conv(&self.conv2, h);
        h = pass.relu(h);
        let pools_first = self.downsample && !self.joins;
        h = if pools_first {
            pass.conv_then_pool(&self.conv3, h) // [n, out/4, h/2, w/2]
        } else {
            pass.conv(&self.conv3, h)
        };
        h = pass.relu(h);
        if self.downsample && self.joins {
            h = pass.pool(h); // [n, out/4, h/2, w/2]
        }
        // pooling is linear and commutes with the 1x1, which is four times cheaper after it
        let x = if self.downsample { pass.pool(x) } else { x };
        let skip = match &self.conv_sc {
            Some(conv_sc) if self.joins => {
                let added = pass.conv(conv_sc, x.clone());
                Tensor::cat(vec![x, added], 1)
            }
            Some(conv_sc) => pass.conv(conv_sc, x),
            None => x,
        }; // [n, out, h/2, w/2]
        let y = pass.conv(&self.conv4, h) + skip;
        match &self.attention {
            Some(attention) => pass.attention(attention, y),
            None => y,
        }
    }
}

/// Outputs of the shortcut's 1x1; `None` without a 1x1.
pub(crate) fn shortcut_channels(config: &DiscriminatorConfig, shape: &BlockShape) -> Option<usize> {
    let [channels_in, channels_out] = shape.channels;
    match config.architecture.skip() {
        Skip::Identity => (channels_in != channels_out).then(|| channels_out - channels_in),
        Skip::Convolution => {
            (channels_in != channels_out || shape.resamples).then_some(channels_out)
        }
    }
}
