//! D's derivatives along directions in image space, for gradient penalties ([`super::gradient_penalty`]).
//!
//! D treats the images of a batch apart, and between its ReLUs it is linear but for attention. So one pass with
//! gradients serves two terms: with factors a and directions t, it carries `y = a x + t` from layer to layer, where x
//! are the values of the pass that was differentiated with respect to the images, and ends with
//! `a D(x) + t . grad_x D(x)` for each image. Through a linear layer `y <- W y + a b`; through a ReLU
//! `y <- mask y` with the mask of x; pooling is as for x, max-pooling at x's places; attention follows the product
//! rule. Its ordinary gradient with respect to the weights is that of the objective, with a its derivatives by
//! the logits, and that of the penalty.
//!
//! Weights are divided by sigma from one power step whose vectors are constants, as in every pass of a step.

use std::vec::IntoIter;

use burn::module::Param;
use burn::tensor::Tensor;
use burn::tensor::module::max_pool2d_with_indices;
use burn::tensor::ops::MaxPoolOptions;

use crate::blocks::Pass;
use crate::kernels::{attention_along, conv2d, conv3x3_then_pool, scale_shift_relu};
use crate::layers::{Conv2d, Embedding, Linear, SelfAttention, Updates};
use crate::model::Discriminator;

/// What a pass saw, in its order.
#[derive(Debug, Clone, Default)]
pub(super) struct Notes {
    /// What each ReLU reads, without gradient.
    before_relu: Vec<Tensor<4>>,
    /// What each attention reads.
    before_attention: Vec<Tensor<4>>,
}

/// The ordinary pass, which notes what it sees.
#[derive(Debug, Default)]
pub(super) struct Watched {
    pub updates: Updates,
    pub notes: Notes,
}

impl Pass for Watched {
    fn relu(&mut self, x: Tensor<4>) -> Tensor<4> {
        self.notes.before_relu.push(x.clone().without_autodiff());
        self.updates.relu(x)
    }
    fn conv(&mut self, layer: &Conv2d, x: Tensor<4>) -> Tensor<4> {
        self.updates.conv(layer, x)
    }
    fn conv_then_pool(&mut self, layer: &Conv2d, x: Tensor<4>) -> Tensor<4> {
        self.updates.conv_then_pool(layer, x)
    }
    fn attention(&mut self, layer: &SelfAttention, x: Tensor<4>) -> Tensor<4> {
        self.notes.before_attention.push(x.clone());
        self.updates.attention(layer, x)
    }
    fn linear(&mut self, layer: &Linear, x: Tensor<2>) -> Tensor<2> {
        self.updates.linear(layer, x)
    }
    fn embed(&mut self, layer: &Embedding, class_weights: Tensor<2>) -> Tensor<2> {
        self.updates.embed(layer, class_weights)
    }
}

impl Discriminator {
    /// `a D(x) + t . grad_x D(x)` for each image, whose gradient with respect to the weights is that of
    /// both terms. The pass at x took these notes.
    ///
    /// # Shapes
    /// - images x, directions t: `[n, 3, r, r]`, class_weights: `[n, classes]`, factors a: `[n, 1]`, all without
    ///   autodiff
    /// - returns `[n, 1]`, of the weights' device
    pub(super) fn along(
        &self,
        images: Tensor<4>,
        directions: Tensor<4>,
        class_weights: Tensor<2>,
        factors: Tensor<2>,
        notes: Notes,
    ) -> Tensor<2> {
        let n = images.dims()[0];
        let tracked = self.linear.weight.val().device().is_autodiff();
        let [images, directions] = [images, directions].map(|t| on(tracked, t));
        let factors = on(tracked, factors);
        let attentive = self.blocks.iter().rposition(|b| b.attention().is_some());
        // attention is not linear: what it reads is differentiated, too
        let before_attention = attentive.map_or(Vec::new(), |last| {
            let mut watched = Watched::default();
            self.through(images.clone(), last + 1, &mut watched);
            watched.notes.before_attention
        });
        let y = images * factors.clone().reshape([n, 1, 1, 1]) + directions;
        let before_relu = notes.before_relu.into_iter();
        let mut pass = Along {
            tracked,
            updates: Updates::default(),
            before_relu,
            before_attention: before_attention.into_iter(),
            factors,
        };
        self.forward(y, on(tracked, class_weights), &mut pass)
    }
}

/// The tensor on the autodiff device, if `tracked`.
fn on<const D: usize>(tracked: bool, tensor: Tensor<D>) -> Tensor<D> {
    if tracked { tensor.autodiff() } else { tensor }
}

/// The pass of `y = a x + t`.
struct Along {
    tracked: bool,
    updates: Updates,
    before_relu: IntoIter<Tensor<4>>,
    before_attention: IntoIter<Tensor<4>>,
    /// a, `[n, 1]`
    factors: Tensor<2>,
}

impl Along {
    /// `y + a b`
    fn biased(&self, y: Tensor<4>, bias: Option<&Param<Tensor<1>>>) -> Tensor<4> {
        let Some(bias) = bias else { return y };
        let shift = bias.val().unsqueeze::<2>() * self.factors.clone(); // [n, c]
        let scale = Tensor::ones([1, shift.dims()[1]], &y.device());
        scale_shift_relu(y, scale, shift, false)
    }
}

impl Pass for Along {
    fn relu(&mut self, y: Tensor<4>) -> Tensor<4> {
        let x = self
            .before_relu
            .next()
            .expect("the passes are of one network");
        y * on(self.tracked, x.greater_elem(0.0).float())
    }

    fn conv(&mut self, layer: &Conv2d, y: Tensor<4>) -> Tensor<4> {
        let weight = layer.effective_weight(&mut self.updates);
        let padding = weight.dims()[2] / 2;
        self.biased(conv2d(y, weight, None, padding), layer.bias.as_ref())
    }

    fn conv_then_pool(&mut self, layer: &Conv2d, y: Tensor<4>) -> Tensor<4> {
        let weight = layer.effective_weight(&mut self.updates);
        self.biased(conv3x3_then_pool(y, weight, None), layer.bias.as_ref())
    }

    fn linear(&mut self, layer: &Linear, y: Tensor<2>) -> Tensor<2> {
        let y = y.matmul(layer.effective_weight(&mut self.updates).transpose());
        match &layer.bias {
            Some(bias) => y + bias.val().unsqueeze::<2>() * self.factors.clone(),
            None => y,
        }
    }

    fn embed(&mut self, layer: &Embedding, class_weights: Tensor<2>) -> Tensor<2> {
        layer.forward(class_weights, &mut self.updates)
    }

    /// a times the attention's output, with its derivative: `(a g + dg) beta^T + g dbeta^T`, of which the first values
    /// are g's along y, and those of the logits their derivatives alone.
    fn attention(&mut self, layer: &SelfAttention, y: Tensor<4>) -> Tensor<4> {
        let x = self.before_attention.next();
        let x = x.expect("the passes are of one network");
        let [n, _, h, w] = x.dims();
        let mut both = |layer: &Conv2d, pools: bool| {
            let weight = layer.effective_weight(&mut self.updates);
            let [x, y] = [&x, &y].map(|map| conv2d(map.clone(), weight.clone(), None, 0));
            let [x, y] = if pools { max_pool(x, y) } else { [x, y] };
            [x, y].map(|map| {
                let [n, c, h, w] = map.dims();
                map.reshape([n, c, h * w])
            })
        };
        let a = self.factors.clone().reshape([n, 1, 1]);
        let derivative = |[x, y]: [Tensor<3>; 2]| {
            let dx = y - x.clone() * a.clone();
            Tensor::cat(vec![x, dx], 0)
        };
        let theta = derivative(both(&layer.theta, false)); // [2 n, c/8, hw]
        let phi = derivative(both(&layer.phi, true)); // [2 n, c/8, hw/4]
        let g = Tensor::cat(both(&layer.g, true).to_vec(), 0); // [2 n, c/2, hw/4]
        let out = attention_along(theta, phi, g); // [n, c/2, hw]
        let half = out.dims()[1];
        let out = self.conv(&layer.o, out.reshape([n, half, h, w]));
        y + out * layer.gamma.val().reshape([1, 1, 1, 1])
    }
}

/// The 2x2 maxima of x, and y where they stand.
fn max_pool(x: Tensor<4>, y: Tensor<4>) -> [Tensor<4>; 2] {
    let [n, c, h, w] = x.dims();
    let (x, places) = max_pool2d_with_indices(x, MaxPoolOptions::new([2, 2]));
    let flat = y.reshape([n, c, h * w]);
    let y = flat.gather(2, places.reshape([n, c, h * w / 4]));
    [x, y.reshape([n, c, h / 2, w / 2])]
}
