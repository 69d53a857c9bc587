//! Gradients of the kernels. An operation keeps, and its backward pass computes, only what a tracked
//! input needs: no input gradient for real images, no weight gradient for a frozen network.

use burn::backend::autodiff::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::tensor::FloatTensor;
use burn::backend::{AutodiffBackend, TensorMetadata};

use super::ops::KernelOps;
use crate::collective::{Group, Share};

/// The convolutions, which differ in the functions they call.
#[derive(Clone, Copy, Debug)]
enum Convolution {
    Same,
    Upsample,
    Pool,
}

impl Convolution {
    fn forward<B: KernelOps>(
        self,
        x: FloatTensor<B>,
        weight: FloatTensor<B>,
        bias: FloatTensor<B>,
    ) -> FloatTensor<B> {
        match self {
            Self::Same => B::same_conv2d(x, weight, bias),
            Self::Upsample => B::upsample_conv2d(x, weight, bias),
            Self::Pool => B::conv2d_pool(x, weight, bias),
        }
    }

    fn x_grad<B: KernelOps>(self, weight: FloatTensor<B>, dy: FloatTensor<B>) -> FloatTensor<B> {
        match self {
            Self::Same => B::same_conv2d_x_grad(weight, dy),
            Self::Upsample => B::upsample_conv2d_x_grad(weight, dy),
            Self::Pool => B::conv2d_pool_x_grad(weight, dy),
        }
    }

    fn weight_grad<B: KernelOps>(
        self,
        x: FloatTensor<B>,
        dy: FloatTensor<B>,
        kernel: usize,
    ) -> FloatTensor<B> {
        match self {
            Self::Same => B::same_conv2d_weight_grad(x, dy, kernel),
            Self::Upsample => B::upsample_conv2d_weight_grad(x, dy),
            Self::Pool => B::conv2d_pool_weight_grad(x, dy),
        }
    }

    fn record<B: KernelOps, C: CheckpointStrategy>(
        self,
        x: FloatTensor<Autodiff<B, C>>,
        weight: FloatTensor<Autodiff<B, C>>,
        bias: FloatTensor<Autodiff<B, C>>,
    ) -> FloatTensor<Autodiff<B, C>> {
        let (x_tracked, weight_tracked) = (x.is_tracked(), weight.is_tracked());
        let (x, x_node) = x.into_parts();
        let (weight, weight_node) = weight.into_parts();
        let (bias, bias_node) = bias.into_parts();
        let state = ConvState {
            convolution: self,
            kernel: weight.shape()[2],
            x: weight_tracked.then(|| x.clone()),
            weight: x_tracked.then(|| weight.clone()),
        };
        let y = self.forward::<B>(x, weight, bias);
        let nodes = [x_node, weight_node, bias_node];
        match ConvBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(state, y),
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        }
    }
}

#[derive(Clone, Debug)]
struct ConvState<T> {
    convolution: Convolution,
    kernel: usize,
    /// Kept if the weight is tracked.
    x: Option<T>,
    /// Kept if `x` is tracked.
    weight: Option<T>,
}

#[derive(Debug)]
struct ConvBackward;

impl<B: KernelOps> Backward<B, 3> for ConvBackward {
    type State = ConvState<FloatTensor<B>>;

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let ConvState {
            convolution,
            kernel,
            x,
            weight,
        } = ops.state;
        let [x_node, weight_node, bias_node] = ops.parents;
        let dy = grads.consume::<B>(&ops.node);
        if let (Some(node), Some(x)) = (weight_node, x) {
            let dw = convolution.weight_grad::<B>(x, dy.clone(), kernel);
            grads.register::<B>(node.id, dw);
        }
        if let Some(node) = bias_node {
            grads.register::<B>(node.id, B::channel_sums(dy.clone()));
        }
        if let (Some(node), Some(weight)) = (x_node, weight) {
            grads.register::<B>(node.id, convolution.x_grad::<B>(weight, dy));
        }
    }
}

#[derive(Clone, Debug)]
struct BatchNormState<T> {
    x: T,
    mean: T,
    var: T,
    gain: T,
    bias: T,
    eps: f64,
    relu: bool,
    share: Option<Share>,
}

#[derive(Debug)]
struct BatchNormBackward;

impl<B: KernelOps> Backward<B, 3> for BatchNormBackward {
    type State = BatchNormState<FloatTensor<B>>;

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let s = ops.state;
        let dy = grads.consume::<B>(&ops.node);
        let (dx, dgain, dbias) = B::batch_norm_relu_grad(
            s.x, s.mean, s.var, s.gain, s.bias, dy, s.eps, s.relu, s.share,
        );
        for (node, grad) in ops.parents.into_iter().zip([dx, dgain, dbias]) {
            if let Some(node) = node {
                grads.register::<B>(node.id, grad);
            }
        }
    }
}

#[derive(Debug)]
struct ReluBackward;

impl<B: KernelOps> Backward<B, 1> for ReluBackward {
    /// The output.
    type State = FloatTensor<B>;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        unary::<B, _>(ops.parents, ops.node, grads, |dy| {
            B::relu_grad(ops.state, dy)
        });
    }
}

#[derive(Debug)]
struct SpectralNormBackward;

impl<B: KernelOps> Backward<B, 1> for SpectralNormBackward {
    /// The outputs.
    type State = [FloatTensor<B>; 4];

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        unary::<B, _>(ops.parents, ops.node, grads, |dy| {
            let [y, u, v, sigma] = ops.state;
            B::spectral_normalise_grad(y, u, v, sigma, dy)
        });
    }
}

#[derive(Debug)]
struct ScaleShiftBackward;

impl<B: KernelOps> Backward<B, 3> for ScaleShiftBackward {
    /// `x`, `scale`, `shift` and whether there is a ReLU.
    type State = ([FloatTensor<B>; 3], bool);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let ([x, scale, shift], relu) = ops.state;
        let dy = grads.consume::<B>(&ops.node);
        let (dx, dscale, dshift) = B::scale_shift_relu_grad(x, scale, shift, dy, relu);
        for (node, grad) in ops.parents.into_iter().zip([dx, dscale, dshift]) {
            if let Some(node) = node {
                grads.register::<B>(node.id, grad);
            }
        }
    }
}

#[derive(Debug)]
struct MaxPoolBackward;

impl<B: KernelOps> Backward<B, 1> for MaxPoolBackward {
    type State = FloatTensor<B>;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        unary::<B, _>(ops.parents, ops.node, grads, |dy| {
            B::max_pool_2x2_grad(ops.state, dy)
        });
    }
}

/// Attention, or attention along a direction: functions of as many tensors.
#[derive(Clone, Copy, Debug)]
enum Attention {
    Itself,
    Along,
}

impl Attention {
    fn record<B: KernelOps, C: CheckpointStrategy>(
        self,
        inputs: [FloatTensor<Autodiff<B, C>>; 3],
    ) -> [FloatTensor<Autodiff<B, C>>; 2] {
        let [(theta, theta_node), (phi, phi_node), (g, g_node)] =
            inputs.map(|input| input.into_parts());
        let inputs = [theta, phi, g];
        let [theta, phi, g] = inputs.clone();
        let (y, kept) = match self {
            Self::Itself => B::self_attention(theta, phi, g),
            Self::Along => B::attention_along(theta, phi, g),
        };
        let detached = Autodiff::<B, C>::from_inner(kept.clone());
        let prepared = AttentionBackward.prepare::<C>([theta_node, phi_node, g_node]);
        let y = match prepared.compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let state = AttentionState {
                    kind: self,
                    inputs,
                    outputs: [y.clone(), kept],
                };
                prepared.finish(state, y)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        };
        [y, detached]
    }
}

/// The inputs, then the outputs.
#[derive(Clone, Debug)]
struct AttentionState<T> {
    kind: Attention,
    inputs: [T; 3],
    outputs: [T; 2],
}

#[derive(Debug)]
struct AttentionBackward;

impl<B: KernelOps> Backward<B, 3> for AttentionBackward {
    type State = AttentionState<FloatTensor<B>>;

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let AttentionState {
            kind,
            inputs,
            outputs,
        } = ops.state;
        let ([theta, phi, g], [y, kept]) = (inputs, outputs);
        let dy = grads.consume::<B>(&ops.node);
        let (dtheta, dphi, dg) = match kind {
            Attention::Itself => B::self_attention_grad(theta, phi, g, y, kept, dy),
            Attention::Along => B::attention_along_grad(theta, phi, g, y, kept, dy),
        };
        for (node, grad) in ops.parents.into_iter().zip([dtheta, dphi, dg]) {
            if let Some(node) = node {
                grads.register::<B>(node.id, grad);
            }
        }
    }
}

/// Upsampling and pooling, whose gradients are each other.
#[derive(Clone, Copy, Debug)]
enum Resampling {
    Upsample,
    Pool,
}

impl Resampling {
    fn forward<B: KernelOps>(self, x: FloatTensor<B>, factor: f32) -> FloatTensor<B> {
        match self {
            Self::Upsample => B::upsample_2x(x, factor),
            Self::Pool => B::pool_2x2(x, factor),
        }
    }

    fn record<B: KernelOps, C: CheckpointStrategy>(
        self,
        x: FloatTensor<Autodiff<B, C>>,
        factor: f32,
    ) -> FloatTensor<Autodiff<B, C>> {
        let (x, node) = x.into_parts();
        let y = self.forward::<B>(x, factor);
        let prepared = ResampleBackward.prepare::<C>([node]).compute_bound();
        match prepared.stateful() {
            OpsKind::Tracked(prepared) => prepared.finish((self, factor), y),
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        }
    }
}

#[derive(Debug)]
struct ResampleBackward;

impl<B: KernelOps> Backward<B, 1> for ResampleBackward {
    type State = (Resampling, f32);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (resampling, factor) = ops.state;
        let adjoint = match resampling {
            Resampling::Upsample => Resampling::Pool,
            Resampling::Pool => Resampling::Upsample,
        };
        unary::<B, _>(ops.parents, ops.node, grads, |dy| {
            adjoint.forward::<B>(dy, factor)
        });
    }
}

/// The sum over ranks: of `L = sum_r L_r` with `y_s = sum_r x_r` on every rank s, the gradient
/// `dL/dx_r = sum_s dL_s/dy_s` is the sum over ranks again.
#[derive(Debug)]
struct AllReduceBackward;

impl<B: KernelOps> Backward<B, 1> for AllReduceBackward {
    type State = Group;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        unary::<B, _>(ops.parents, ops.node, grads, |dy| {
            B::all_reduce_sum(dy, ops.state)
        });
    }
}

impl<B: KernelOps, C: CheckpointStrategy> KernelOps for Autodiff<B, C> {
    fn all_reduce_sum(x: FloatTensor<Self>, group: Group) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let y = B::all_reduce_sum(x, group.clone());
        // compute-bound: checkpointing would gain nothing and call it once more
        let prepared = AllReduceBackward.prepare::<C>([node]).compute_bound();
        match prepared.stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(group, y),
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        }
    }

    fn spectral_normalise(
        weight: FloatTensor<Self>,
        u: FloatTensor<Self>,
        eps: f64,
    ) -> (
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
    ) {
        let (weight, node) = weight.into_parts();
        let (u, _) = u.into_parts();
        let (y, u, v, sigma) = B::spectral_normalise(weight, u, eps);
        let [next, right, value] = [&u, &v, &sigma].map(|t| Self::from_inner(t.clone()));
        let prepared = SpectralNormBackward.prepare::<C>([node]).compute_bound();
        let y = match prepared.stateful() {
            OpsKind::Tracked(prepared) => prepared.finish([y.clone(), u, v, sigma], y),
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        };
        (y, next, right, value)
    }

    fn relu_of(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let y = B::relu_of(x);
        match ReluBackward.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(y.clone(), y),
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        }
    }

    fn same_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        Convolution::Same.record::<B, C>(x, weight, bias)
    }

    fn upsample_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        Convolution::Upsample.record::<B, C>(x, weight, bias)
    }

    fn conv2d_pool(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        Convolution::Pool.record::<B, C>(x, weight, bias)
    }

    fn batch_norm_relu(
        x: FloatTensor<Self>,
        gain: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        eps: f64,
        relu: bool,
        share: Option<Share>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (x, x_node) = x.into_parts();
        let (gain, gain_node) = gain.into_parts();
        let (bias, bias_node) = bias.into_parts();
        let inputs = [&x, &gain, &bias].map(Clone::clone);
        let [of_x, of_gain, of_bias] = inputs;
        let (y, mean, var) = B::batch_norm_relu(of_x, of_gain, of_bias, eps, relu, share.clone());
        let detached = [mean.clone(), var.clone()].map(Self::from_inner);
        let prepared = BatchNormBackward.prepare::<C>([x_node, gain_node, bias_node]);
        let y = match prepared.compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let state = BatchNormState {
                    x,
                    mean,
                    var,
                    gain,
                    bias,
                    eps,
                    relu,
                    share,
                };
                prepared.finish(state, y)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        };
        let [mean, var] = detached;
        (y, mean, var)
    }

    fn scale_shift_relu(
        x: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        relu: bool,
    ) -> FloatTensor<Self> {
        let (x, x_node) = x.into_parts();
        let (scale, scale_node) = scale.into_parts();
        let (shift, shift_node) = shift.into_parts();
        let y = B::scale_shift_relu(x.clone(), scale.clone(), shift.clone(), relu);
        let prepared = ScaleShiftBackward.prepare::<C>([x_node, scale_node, shift_node]);
        match prepared.compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(([x, scale, shift], relu), y),
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        }
    }

    fn upsample_2x(x: FloatTensor<Self>, factor: f32) -> FloatTensor<Self> {
        Resampling::Upsample.record::<B, C>(x, factor)
    }

    fn pool_2x2(x: FloatTensor<Self>, factor: f32) -> FloatTensor<Self> {
        Resampling::Pool.record::<B, C>(x, factor)
    }

    fn max_pool_2x2(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let y = B::max_pool_2x2(x.clone());
        let prepared = MaxPoolBackward.prepare::<C>([node]).compute_bound();
        match prepared.stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(x, y),
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        }
    }

    fn self_attention(
        theta: FloatTensor<Self>,
        phi: FloatTensor<Self>,
        g: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        Attention::Itself.record::<B, C>([theta, phi, g]).into()
    }

    fn attention_along(
        theta: FloatTensor<Self>,
        phi: FloatTensor<Self>,
        g: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        Attention::Along.record::<B, C>([theta, phi, g]).into()
    }
}
