//! Residual block of the discriminator (BigGAN appendix B, figure 15c).

use burn::module::Module;
use burn::tensor::Tensor;

use super::Pass;
use crate::arch::BlockShape;
use crate::config::DiscriminatorConfig;
use crate::layers::init::Initialiser;
use crate::layers::{Conv2d, SelfAttention};

/// ReLU, 3x3, ReLU, 3x3, average pool; the first block omits the first ReLU, which would cut the
/// image's negative half.
#[derive(Module, Debug)]
pub struct PlainDiscriminatorBlock {
    /// First 3x3.
    pub conv1: Conv2d,
    /// Second 3x3.
    pub conv2: Conv2d,
    /// 1x1 of the shortcut; `None` if the shortcut is the identity.
    pub conv_sc: Option<Conv2d>,
    /// Self-attention on the block's output.
    pub attention: Option<SelfAttention>,
    #[module(skip)]
    pub(crate) preactivate: bool,
    #[module(skip)]
    pub(crate) downsample: bool,
    #[module(skip)]
    pub(crate) activated_shortcut: bool,
}

impl PlainDiscriminatorBlock {
    /// A block of the given shape. No ReLU stands before the
    /// first convolution of the `first` block.
    pub fn new(
        init: &mut Initialiser<'_>,
        config: &DiscriminatorConfig,
        shape: &BlockShape,
        first: bool,
    ) -> Self {
        let [channels_in, channels_out] = shape.channels;
        let sn_eps = config.power_eps();
        let mapped = shape.resamples || channels_in != channels_out;
        Self {
            conv1: Conv2d::new(init, [channels_in, channels_out], 3, true, sn_eps),
            conv2: Conv2d::new(init, [channels_out, channels_out], 3, true, sn_eps),
            conv_sc: mapped
                .then(|| Conv2d::new(init, [channels_in, channels_out], 1, true, sn_eps)),
            attention: shape
                .attention
                .then(|| SelfAttention::new(init, channels_out, sn_eps)),
            preactivate: !first,
            downsample: shape.resamples,
            activated_shortcut: config.activated_shortcut,
        }
    }

    /// # Shapes
    /// - x: `[n, in, h, w]`
    /// - returns `[n, out, h, w]`, halved where the block downsamples
    pub fn forward(&self, x: Tensor<4>, pass: &mut dyn Pass) -> Tensor<4> {
        let h = if self.preactivate {
            pass.relu(x.clone())
        } else {
            x.clone()
        };
        let x = if self.activated_shortcut {
            h.clone()
        } else {
            x
        };
        let h = pass.conv(&self.conv1, h); // [n, out, h, w]
        let h = pass.relu(h);
        let h = if self.downsample {
            pass.conv_then_pool(&self.conv2, h) // [n, out, h/2, w/2]
        } else {
            pass.conv(&self.conv2, h)
        };
        // pooling is linear and commutes with the 1x1, which is four times cheaper after it
        let x = if self.downsample { pass.pool(x) } else { x };
        let y = h + match &self.conv_sc {
            Some(conv_sc) => pass.conv(conv_sc, x),
            None => x,
        };
        match &self.attention {
            Some(attention) => pass.attention(attention, y),
            None => y,
        }
    }
}
