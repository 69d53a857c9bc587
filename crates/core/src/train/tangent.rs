//! The tangent pass of D: the derivative of its logits along a direction in image space.
//!
//! With t the direction, `t . grad_x D(x)` in first-order operations: through a linear layer
//! `t <- W t` without the bias; through a ReLU `t <- mask t` with the mask of the primal; pooling as in the
//! primal, max-pooling at the primal's places; attention by the product rule. Its ordinary gradient
//! with respect to the weights is what a gradient penalty needs ([`super::gradient_penalty`]).
//!
//! Weights are divided by sigma from one power step whose vectors are constants and not stored, as in the
//! pass that is differentiated.

use burn::module::Param;
use burn::tensor::Tensor;
use burn::tensor::activation::{relu, softmax};
use burn::tensor::module::max_pool2d_with_indices;
use burn::tensor::ops::MaxPoolOptions;

use crate::blocks::{DeepDiscriminatorBlock, DiscriminatorBlock, PlainDiscriminatorBlock};
use crate::kernels::{avg_pool_2x2, conv2d};
use crate::layers::{Conv2d, SelfAttention, Updates};
use crate::model::Discriminator;

/// A value and its derivative along the direction.
#[derive(Debug, Clone)]
struct Dual<const D: usize> {
    value: Tensor<D>,
    tangent: Tensor<D>,
}

impl Discriminator {
    /// `t . grad_x D(x)` for each image.
    ///
    /// # Shapes
    /// - images, direction: `[n, 3, r, r]`
    /// - class_weights: `[n, classes]`
    /// - returns `[n, 1]`
    pub fn forward_tangent(
        &self,
        images: Tensor<4>,
        direction: Tensor<4>,
        class_weights: Tensor<2>,
    ) -> Tensor<2> {
        let mut h = Dual {
            value: images,
            tangent: direction,
        };
        if let Some(input_conv) = &self.input_conv {
            h = h.conv(input_conv);
        }
        for block in &self.blocks {
            h = match block {
                DiscriminatorBlock::Plain(block) => plain(block, h),
                DiscriminatorBlock::Deep(block) => deep(block, h),
            };
        }
        let [n, c, height, width] = h.value.dims();
        let features = h.relu().tangent; // sums over pixels commute with the derivative
        let features = features.reshape([n, c, height * width]).sum_dim(2);
        let features = features.reshape([n, c]);
        let dropped = &mut Updates::default();
        let projection = self.embed.forward(class_weights, dropped) * features.clone();
        let weight = self.linear.effective_weight(dropped); // [1, c]
        features.matmul(weight.transpose()) + projection.sum_dim(1)
    }
}

impl<const D: usize> Dual<D> {
    fn map<const E: usize>(self, linear: impl Fn(Tensor<D>) -> Tensor<E>) -> Dual<E> {
        Dual {
            value: linear(self.value),
            tangent: linear(self.tangent),
        }
    }

    fn relu(self) -> Self {
        let mask = self.value.clone().detach().greater_elem(0.0).float();
        Self {
            value: relu(self.value),
            tangent: self.tangent * mask,
        }
    }

    fn add(self, other: Self) -> Self {
        Self {
            value: self.value + other.value,
            tangent: self.tangent + other.tangent,
        }
    }
}

impl Dual<4> {
    fn conv(self, conv: &Conv2d) -> Self {
        let weight = conv.effective_weight(&mut Updates::default());
        let padding = weight.dims()[2] / 2;
        let bias = conv.bias.as_ref().map(Param::val);
        Self {
            value: conv2d(self.value, weight.clone(), bias, padding),
            tangent: conv2d(self.tangent, weight, None, padding),
        }
    }

    fn avg_pool(self) -> Self {
        self.map(avg_pool_2x2)
    }

    /// 2x2 maxima, and the tangent where they stand.
    fn max_pool(self) -> Self {
        let [n, c, h, w] = self.value.dims();
        let (value, places) = max_pool2d_with_indices(self.value, MaxPoolOptions::new([2, 2]));
        let pooled = [n, c, h / 2, w / 2];
        let flat = self.tangent.reshape([n, c, h * w]);
        let tangent = flat.gather(2, places.reshape([n, c, h * w / 4]));
        Self {
            value,
            tangent: tangent.reshape(pooled),
        }
    }
}

fn plain(block: &PlainDiscriminatorBlock, x: Dual<4>) -> Dual<4> {
    let h = if block.preactivate {
        x.clone().relu()
    } else {
        x.clone()
    };
    let x = if block.activated_shortcut {
        h.clone()
    } else {
        x
    };
    let h = h.conv(&block.conv1).relu().conv(&block.conv2);
    let (h, x) = if block.downsample {
        (h.avg_pool(), x.avg_pool())
    } else {
        (h, x)
    };
    let skip = match &block.conv_sc {
        Some(conv_sc) => x.conv(conv_sc),
        None => x,
    };
    attended(block.attention.as_ref(), h.add(skip))
}

fn deep(block: &DeepDiscriminatorBlock, x: Dual<4>) -> Dual<4> {
    let h = x.clone().relu();
    let x = if block.activated_shortcut {
        h.clone()
    } else {
        x
    };
    let h = h.conv(&block.conv1).relu();
    let h = h.conv(&block.conv2).relu().conv(&block.conv3);
    let h = match (block.downsample, block.joins) {
        (false, _) => h.relu(),
        (true, true) => h.relu().avg_pool(),
        (true, false) => h.avg_pool().relu(),
    };
    let x = if block.downsample { x.avg_pool() } else { x };
    let skip = match &block.conv_sc {
        Some(conv_sc) if block.joins => {
            let added = x.clone().conv(conv_sc);
            Dual {
                value: Tensor::cat(vec![x.value, added.value], 1),
                tangent: Tensor::cat(vec![x.tangent, added.tangent], 1),
            }
        }
        Some(conv_sc) => x.conv(conv_sc),
        None => x,
    };
    attended(block.attention.as_ref(), h.conv(&block.conv4).add(skip))
}

fn attended(attention: Option<&SelfAttention>, x: Dual<4>) -> Dual<4> {
    match attention {
        Some(attention) => self_attention(attention, x),
        None => x,
    }
}

/// With `s = theta^T phi`, `beta = softmax(s)`: `ds = dtheta^T phi + theta^T dphi`,
/// `dbeta = beta (ds - sum beta ds)`, and the output `g beta^T` by the product rule.
fn self_attention(attention: &SelfAttention, x: Dual<4>) -> Dual<4> {
    let [n, _, h, w] = x.value.dims();
    let flat = |t: Tensor<4>| {
        let [n, c, h, w] = t.dims();
        t.reshape([n, c, h * w])
    };
    let theta = x.clone().conv(&attention.theta).map(flat); // [n, c/8, hw]
    let phi = x.clone().conv(&attention.phi).max_pool().map(flat); // [n, c/8, hw/4]
    let g = x.clone().conv(&attention.g).max_pool().map(flat); // [n, c/2, hw/4]

    let query = theta.map(Tensor::transpose); // [n, hw, c/8]
    let scores = query.value.clone().matmul(phi.value.clone()); // [n, hw, hw/4]
    let along = query.tangent.matmul(phi.value) + query.value.matmul(phi.tangent);
    let beta = softmax(scores, 2);
    let weighted = beta.clone() * along;
    let tangent = weighted.clone() - beta.clone() * weighted.sum_dim(2);
    let beta = Dual {
        value: beta,
        tangent,
    }
    .map(Tensor::transpose); // [n, hw/4, hw]

    let half = g.value.dims()[1];
    let out = Dual {
        value: g.value.clone().matmul(beta.value.clone()),
        tangent: g.tangent.matmul(beta.value) + g.value.matmul(beta.tangent),
    }
    .map(|t| t.reshape([n, half, h, w]))
    .conv(&attention.o);
    let gamma = attention.gamma.val().reshape([1, 1, 1, 1]);
    x.add(out.map(|t| t * gamma.clone()))
}
