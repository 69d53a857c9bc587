//! Batch normalisation over (n, h, w) with an explicit mode.
//!
//! Burn's own batch norm picks its mode by the device and cannot hold standing statistics.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use super::init::Initialiser;
use super::{BatchMoments, NormMode, Updates};
use crate::collective::Share;
use crate::kernels;

/// Normalises a feature map; gain and bias belong to whoever uses it.
#[derive(Module, Debug)]
pub struct Normaliser {
    /// Stored mean `[c]`.
    pub mean: Param<Tensor<1>>,
    /// Stored variance `[c]`.
    pub variance: Param<Tensor<1>>,
    #[module(skip)]
    eps: f64,
    #[module(skip)]
    pub(super) momentum: f64,
}

impl Normaliser {
    /// What is added to the variance.
    pub fn eps(&self) -> f64 {
        self.eps
    }

    /// Mean 0 and variance 1.
    pub fn new(init: &Initialiser<'_>, channels: usize, eps: f64, momentum: f64) -> Self {
        Self {
            mean: init.state(channels, 0.0),
            variance: init.state(channels, 1.0),
            eps,
            momentum,
        }
    }

    /// `relu((x - mean) / sqrt(variance + eps) gain + bias)`.
    ///
    /// # Shapes
    /// - x: `[n, c, h, w]`, returned with the same shape
    /// - gain, bias: `[n, c]`, or `[1, c]` shared by all images
    ///
    /// # State
    /// The moments of the batch go to `updates`, but with [`NormMode::Stored`].
    pub fn forward_relu(
        &self,
        x: Tensor<4>,
        gain: Tensor<2>,
        bias: Tensor<2>,
        mode: NormMode<'_>,
        updates: &mut Updates,
    ) -> Tensor<4> {
        if matches!(mode, NormMode::Stored) {
            // one scale and one shift per channel: x s + (bias - mean s), s = gain / sqrt(var + eps)
            let scale = gain * (self.variance.val() + self.eps).sqrt().recip().unsqueeze();
            let shift = bias - scale.clone() * self.mean.val().unsqueeze();
            return kernels::scale_shift_relu(x, scale, shift, true);
        }
        let [n, _, h, w] = x.dims();
        let share = match mode {
            NormMode::Shared(share) => Some(share),
            _ => None,
        };
        let (y, mean, variance) = kernels::batch_norm_train(x, gain, bias, self.eps, true, share);
        let count = share.map_or(n, Share::images) * h * w;
        let moments = BatchMoments {
            mean,
            variance,
            count,
        };
        updates.observe([self.mean.id, self.variance.id], self.momentum, moments);
        y
    }

    /// Replaces the stored statistics.
    pub fn set(&mut self, mean: Tensor<1>, variance: Tensor<1>) {
        self.mean = Param::initialized(self.mean.id, mean);
        self.variance = Param::initialized(self.variance.id, variance);
    }
}

/// Batch norm with its own gain and bias (G's last).
#[derive(Module, Debug)]
pub struct BatchNorm {
    /// Statistics.
    pub stats: Normaliser,
    /// `[c]`, starts at 1.
    pub gain: Param<Tensor<1>>,
    /// `[c]`, starts at 0.
    pub bias: Param<Tensor<1>>,
}

impl BatchNorm {
    /// Gain 1, bias 0.
    pub fn new(init: &Initialiser<'_>, channels: usize, eps: f64, momentum: f64) -> Self {
        Self {
            stats: Normaliser::new(init, channels, eps, momentum),
            gain: init.constant([channels], 1.0),
            bias: init.constant([channels], 0.0),
        }
    }

    /// `relu` of the normalised feature map.
    ///
    /// # Shapes
    /// - x: `[n, c, h, w]`, returned with the same shape
    ///
    /// # State
    /// As [`Normaliser::forward_relu`].
    pub fn forward_relu(
        &self,
        x: Tensor<4>,
        mode: NormMode<'_>,
        updates: &mut Updates,
    ) -> Tensor<4> {
        let (gain, bias) = (self.gain.val().unsqueeze(), self.bias.val().unsqueeze());
        self.stats.forward_relu(x, gain, bias, mode, updates)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    fn vec(t: Tensor<1>) -> Vec<f32> {
        t.into_data().try_to_vec().unwrap()
    }

    #[test]
    fn batch_mode_by_hand() {
        let device = Device::flex();
        let init = Initialiser::new(0, 0, &device);
        let norm = Normaliser::new(&init, 1, 0.0, 0.1);
        let x = Tensor::from_data(
            TensorData::new(vec![1.0f32, 3.0, 5.0, 7.0], [2, 1, 1, 2]),
            &device,
        );
        let one = || Tensor::ones([1, 1], &device);
        // a bias of 9 keeps everything above the ReLU
        let mut updates = Updates::default();
        let y = norm.forward_relu(x, one(), one() * 9.0, NormMode::Batch, &mut updates);
        let norm = updates.commit(norm);
        // mean 4, biased variance 5, unbiased 20/3
        let expected = [-3.0, -1.0, 1.0, 3.0].map(|v: f32| v / 5.0f32.sqrt() + 9.0);
        for (a, b) in y
            .into_data()
            .try_to_vec::<f32>()
            .unwrap()
            .iter()
            .zip(expected)
        {
            assert!((a - b).abs() < 1e-6);
        }
        assert!((vec(norm.mean.val())[0] - 0.4).abs() < 1e-6);
        assert!((vec(norm.variance.val())[0] - (0.9 + 0.1 * 20.0 / 3.0)).abs() < 1e-6);
    }
}
