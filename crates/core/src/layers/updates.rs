//! State that passes compute for their network.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::tensor::Tensor;

use crate::kernels::weighted_sum;

/// The state that passes computed: singular vectors of spectral norm, moments of the batches that batch norm saw.
///
/// A pass leaves its network as it is. Training commits its updates; evaluation drops them. Several passes of the
/// same network may share one: each takes the same power step, which counts once, and each moves the running
/// statistics.
#[derive(Debug, Default)]
pub struct Updates {
    vectors: BTreeMap<ParamId, Tensor<1>>,
    batches: Vec<Batch>,
}

/// Mean and variance of one batch.
#[derive(Debug, Clone)]
pub struct BatchMoments {
    /// `[c]`
    pub mean: Tensor<1>,
    /// Biased variance `[c]`.
    pub variance: Tensor<1>,
    /// Values per channel: n h w.
    pub count: usize,
}

impl BatchMoments {
    /// What makes the variance unbiased: `count / (count - 1)`.
    fn correction(&self) -> f64 {
        self.count as f64 / (self.count.max(2) - 1) as f64
    }
}

/// The moments of a batch, and whose running statistics move towards them.
#[derive(Debug)]
struct Batch {
    mean: ParamId,
    variance: ParamId,
    momentum: f64,
    moments: BatchMoments,
}

impl Updates {
    /// Notes the vector that replaces `u`.
    pub(super) fn replace(&mut self, u: &Param<Tensor<1>>, next: Tensor<1>) {
        self.vectors.insert(u.id, next.without_autodiff());
    }

    /// Notes a batch that the running statistics `[mean, variance]` of a normaliser move towards.
    pub(super) fn observe(
        &mut self,
        [mean, variance]: [ParamId; 2],
        momentum: f64,
        moments: BatchMoments,
    ) {
        self.batches.push(Batch {
            mean,
            variance,
            momentum,
            moments: BatchMoments {
                mean: moments.mean.without_autodiff(),
                variance: moments.variance.without_autodiff(),
                ..moments
            },
        });
    }

    /// Moments of each normaliser's batch, in the order of the forward pass.
    pub fn into_moments(self) -> impl Iterator<Item = BatchMoments> {
        self.batches.into_iter().map(|batch| batch.moments)
    }

    /// The network with this state: `u <- u'` (SN-GAN, Alg. 1), and for each batch in turn
    /// `stored <- (1 - momentum) stored + momentum batch`, with the unbiased variance (PyTorch's `batch_norm`).
    #[must_use]
    pub fn commit<M: Module>(self, network: M) -> M {
        network.map(&mut Commit(self))
    }
}

struct Commit(Updates);

impl ModuleMapper for Commit {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let id = param.id;
        if let Some(u) = self.0.vectors.remove(&id) {
            return param.map(|old| u.reshape(old.dims()));
        }
        let of_batches = self.0.batches.iter().filter_map(|batch| {
            let (new, factor) = match id {
                _ if id == batch.mean => (&batch.moments.mean, 1.0),
                _ if id == batch.variance => (&batch.moments.variance, batch.moments.correction()),
                _ => return None,
            };
            Some((new.clone(), factor, batch.momentum))
        });
        param.map(|stored| {
            of_batches.fold(stored, |stored, (new, factor, momentum)| {
                let new = new.reshape(stored.dims());
                weighted_sum(stored, 1.0 - momentum, new, momentum * factor)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::init::Initialiser;
    use crate::layers::{Conv2d, NormMode, Normaliser, spectral_normalise};
    use burn::tensor::Device;

    fn values<const D: usize>(t: Tensor<D>) -> Vec<f32> {
        t.into_data().try_to_vec().unwrap()
    }

    #[test]
    fn passes_take_one_power_step_together() {
        let device = Device::flex();
        let conv = Conv2d::new(
            &mut Initialiser::new(1, 0, &device),
            [2, 3],
            1,
            false,
            Some(1e-6),
        );
        let start = conv.u.as_ref().unwrap().val();
        let mut updates = Updates::default();
        for _ in 0..2 {
            conv.forward(Tensor::ones([1, 2, 1, 1], &device), &mut updates);
        }
        let (_, next) = spectral_normalise(conv.weight.val(), start.clone(), 1e-6);
        let of = |conv: &Conv2d| values(conv.u.as_ref().unwrap().val());
        assert_eq!(of(&conv), values(start), "a pass leaves its layer");
        let committed = updates.commit(conv.clone());
        assert_eq!(of(&committed), values(next));
        assert_ne!(of(&committed), of(&conv));
        assert_eq!(values(committed.weight.val()), values(conv.weight.val()));
    }

    #[test]
    fn each_batch_moves_the_running_statistics() {
        let device = Device::flex();
        let norm = Normaliser::new(&Initialiser::new(1, 0, &device), 1, 0.0, 0.5);
        let x = Tensor::from_data([[[[1.0, 3.0]]]], &device);
        let one = || Tensor::ones([1, 1], &device);
        let mut updates = Updates::default();
        for factor in [1.0, 2.0] {
            norm.forward_relu(
                x.clone() * factor,
                one(),
                one(),
                NormMode::Batch,
                &mut updates,
            );
        }
        norm.forward_relu(x, one(), one(), NormMode::Stored, &mut updates);
        let committed = updates.commit(norm.clone());
        // means 2 and 4, unbiased variances 2 and 8, from 0 and 1
        assert_eq!(values(committed.mean.val()), [2.5]);
        assert_eq!(values(committed.variance.val()), [4.75]);
        assert_eq!(values(norm.mean.val()), [0.0], "a pass leaves its layer");
    }
}
