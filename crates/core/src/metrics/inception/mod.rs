//! Inception v3 of the Frechet Inception distance: the TensorFlow network of December 2015 in the
//! form of pytorch-fid 0.3.0 (`inception.py`), whose pooling differs from torchvision's in two places.
//!
//! Its weights do not ship here; the user gives pytorch-fid's file. Batch norm (epsilon 1e-3) is
//! folded into the convolutions when they are read.

mod layers;

use std::collections::BTreeMap;

use burn::tensor::activation::relu;
use burn::tensor::module::{avg_pool2d, max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, ConvOptions, MaxPoolOptions};
use burn::tensor::{Device, Tensor, TensorData};

use super::feature_network::{FeatureNetwork, Input, NetworkInfo};
use super::folded::{FoldedConv, take};
use super::{ClassifierOutput, resize};
use crate::error::Result;
use crate::file::sha256_hex;
use crate::import::exact;

use layers::{CLASSES, FEATURES, Layer, layers, tensors};

/// Side of its input in pixels.
pub const SIDE: usize = 299;
/// Epsilon of its batch norms.
const EPS: f64 = 1e-3;
/// How the SHA-256 of the published file begins: `pt_inception-2015-12-05-6726825d.pth` has it in its
/// name.
const PUBLISHED: &str = "6726825d";
/// Batch size: feature maps of the first layers take 14 MB per picture.
const AT_ONCE: usize = 10;

/// The network.
#[derive(Debug, Clone)]
pub struct Inception {
    convolutions: BTreeMap<String, FoldedConv>,
    /// `[2048, 1008]`
    to_logits: Tensor<2>,
    /// `[1008]`
    bias: Tensor<1>,
    info: NetworkInfo,
}

impl Inception {
    /// Reads pytorch-fid's file of weights.
    ///
    /// # Errors
    /// If it is not a file of `torch.save`, or holds another network; the message names the first tensor that
    /// differs and both shapes.
    pub fn decode(bytes: &[u8], device: &Device) -> Result<Self> {
        let unused = [("num_batches_tracked", "a counter of batch norm")];
        let mut stored = exact(bytes, &tensors(), &unused)?;
        let sha256 = sha256_hex(bytes);
        let mut convolutions = BTreeMap::new();
        for Layer {
            name,
            stride,
            padding,
            ..
        } in layers()
        {
            let options = ConvOptions::new([stride, stride], padding, [1, 1], 1);
            let [conv, norm] = ["conv", "bn"].map(|part| format!("{name}.{part}"));
            let folded = FoldedConv::new(&mut stored, [&conv, &norm], EPS, options, device)?;
            convolutions.insert(name, folded);
        }
        let mut take = |name: &str| take(&mut stored, name);
        let to_logits = TensorData::new(take("fc.weight"), [CLASSES, FEATURES]);
        let bias = TensorData::new(take("fc.bias"), [CLASSES]);
        let published = sha256.starts_with(PUBLISHED);
        let name = if published {
            "inception-2015-12-05".to_owned()
        } else {
            format!("inception-{}", &sha256[..8])
        };
        Ok(Self {
            convolutions,
            to_logits: Tensor::<2>::from_data(to_logits, device).transpose(),
            bias: Tensor::from_data(bias, device),
            info: NetworkInfo {
                name,
                published,
                sha256,
                features: FEATURES,
                classes: CLASSES,
                input: Input::Bilinear(SIDE),
                at_once: AT_ONCE,
            },
        })
    }

    /// Features of pictures of any size and, for the Inception score, logits without their bias: the
    /// original implementation multiplies by the last weight only (openai/improved-gan
    /// `inception_score/model.py`), and so does torch-fidelity (`logits_unbiased`).
    ///
    /// # Shapes
    /// - images: `[n, 3, h, w]` in [-1, 1]
    pub fn forward(&self, images: Tensor<4>) -> ClassifierOutput {
        self.observe(images, &mut |_, _| {})
    }

    /// The bias that [`Inception::forward`] leaves out, `[1008]`.
    pub fn bias(&self) -> Tensor<1> {
        self.bias.clone()
    }

    /// [`Inception::forward`], which also passes each block's name and output to `see`.
    pub fn observe(
        &self,
        images: Tensor<4>,
        see: &mut dyn FnMut(&str, &Tensor<4>),
    ) -> ClassifierOutput {
        let mut x = resize::bilinear(images, SIDE); // [n, 3, 299, 299]
        see("resized", &x);
        for name in ["Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3"] {
            x = self.conv("", name, x); // [n, 64, 147, 147]
            see(name, &x);
        }
        x = shrinking_max(x); // [n, 64, 73, 73]
        see("block0", &x);
        for name in ["Conv2d_3b_1x1", "Conv2d_4a_3x3"] {
            x = self.conv("", name, x); // [n, 192, 71, 71]
            see(name, &x);
        }
        x = shrinking_max(x); // [n, 192, 35, 35]
        see("block1", &x);
        for (name, block) in [
            (
                "Mixed_5b",
                Self::a as fn(&Self, &str, Tensor<4>) -> Tensor<4>,
            ),
            ("Mixed_5c", Self::a),
            ("Mixed_5d", Self::a), // [n, 288, 35, 35]
            ("Mixed_6a", Self::b),
            ("Mixed_6b", Self::c),
            ("Mixed_6c", Self::c),
            ("Mixed_6d", Self::c),
            ("Mixed_6e", Self::c), // [n, 768, 17, 17]
            ("Mixed_7a", Self::d),
            ("Mixed_7b", Self::e_mean),
            ("Mixed_7c", Self::e_max), // [n, 2048, 8, 8]
        ] {
            x = block(self, name, x);
            see(name, &x);
        }
        let n = x.dims()[0];
        let features = x.mean_dims(&[2, 3]); // [n, 2048, 1, 1]
        see("block3", &features);
        let features = features.reshape([n, FEATURES]);
        ClassifierOutput {
            logits: features.clone().matmul(self.to_logits.clone()),
            features,
        }
    }

    fn conv(&self, block: &str, name: &str, x: Tensor<4>) -> Tensor<4> {
        let name = match block {
            "" => name.to_owned(),
            block => format!("{block}.{name}"),
        };
        let found = self.convolutions.get(&name);
        relu(
            found
                .expect("the table of layers has every name")
                .forward(x),
        )
    }

    /// Convolutions in sequence.
    fn chain(&self, block: &str, names: &[&str], x: &Tensor<4>) -> Tensor<4> {
        let start = x.clone();
        names
            .iter()
            .fold(start, |x, name| self.conv(block, name, x))
    }

    fn a(&self, block: &str, x: Tensor<4>) -> Tensor<4> {
        let branches = vec![
            self.chain(block, &["branch1x1"], &x),
            self.chain(block, &["branch5x5_1", "branch5x5_2"], &x),
            self.chain(
                block,
                &["branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"],
                &x,
            ),
            self.conv(block, "branch_pool", same_mean(x)),
        ];
        Tensor::cat(branches, 1)
    }

    fn b(&self, block: &str, x: Tensor<4>) -> Tensor<4> {
        let branches = vec![
            self.chain(block, &["branch3x3"], &x),
            self.chain(
                block,
                &["branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"],
                &x,
            ),
            shrinking_max(x),
        ];
        Tensor::cat(branches, 1)
    }

    fn c(&self, block: &str, x: Tensor<4>) -> Tensor<4> {
        let double: Vec<String> = (1..=5).map(|i| format!("branch7x7dbl_{i}")).collect();
        let double: Vec<&str> = double.iter().map(String::as_str).collect();
        let branches = vec![
            self.chain(block, &["branch1x1"], &x),
            self.chain(block, &["branch7x7_1", "branch7x7_2", "branch7x7_3"], &x),
            self.chain(block, &double, &x),
            self.conv(block, "branch_pool", same_mean(x)),
        ];
        Tensor::cat(branches, 1)
    }

    fn d(&self, block: &str, x: Tensor<4>) -> Tensor<4> {
        let seven = [
            "branch7x7x3_1",
            "branch7x7x3_2",
            "branch7x7x3_3",
            "branch7x7x3_4",
        ];
        let branches = vec![
            self.chain(block, &["branch3x3_1", "branch3x3_2"], &x),
            self.chain(block, &seven, &x),
            shrinking_max(x),
        ];
        Tensor::cat(branches, 1)
    }

    fn e_mean(&self, block: &str, x: Tensor<4>) -> Tensor<4> {
        self.e(block, &x, same_mean(x.clone()))
    }

    /// The network of 2015 has a maximum where the paper has a mean.
    fn e_max(&self, block: &str, x: Tensor<4>) -> Tensor<4> {
        let options = MaxPoolOptions::new([3, 3])
            .with_stride([1, 1])
            .with_padding([1, 1]);
        self.e(block, &x, max_pool2d(x.clone(), options))
    }

    fn e(&self, block: &str, x: &Tensor<4>, pooled: Tensor<4>) -> Tensor<4> {
        let fork = |x: Tensor<4>, names: [&str; 2]| {
            Tensor::cat(
                names.map(|name| self.conv(block, name, x.clone())).to_vec(),
                1,
            )
        };
        let three = self.chain(block, &["branch3x3_1"], x);
        let double = self.chain(block, &["branch3x3dbl_1", "branch3x3dbl_2"], x);
        let branches = vec![
            self.chain(block, &["branch1x1"], x),
            fork(three, ["branch3x3_2a", "branch3x3_2b"]),
            fork(double, ["branch3x3dbl_3a", "branch3x3dbl_3b"]),
            self.conv(block, "branch_pool", pooled),
        ];
        Tensor::cat(branches, 1)
    }
}

impl FeatureNetwork for Inception {
    fn info(&self) -> &NetworkInfo {
        &self.info
    }

    fn extract(&self, images: Tensor<4>) -> ClassifierOutput {
        self.forward(images)
    }
}

/// 3x3 means that keep the size; as in TensorFlow, padding is not counted.
fn same_mean(x: Tensor<4>) -> Tensor<4> {
    let options = AvgPoolOptions::new([3, 3])
        .with_stride([1, 1])
        .with_padding([1, 1]);
    avg_pool2d(x, options.with_count_include_pad(false))
}

/// 3x3 maxima in steps of 2.
fn shrinking_max(x: Tensor<4>) -> Tensor<4> {
    max_pool2d(x, MaxPoolOptions::new([3, 3]).with_stride([2, 2]))
}
