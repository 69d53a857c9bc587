//! LeCam regularisation of D for small data sets (Tseng et al. 2021, "Regularizing Generative
//! Adversarial Networks under Limited Data", eq. 3).
//!
//! ```text
//! L = strength ( E max(0, r - a_f)^2 + E max(0, a_r - f)^2 )
//! ```
//!
//! with r = D(real), f = D(fake) and a_r, a_f their running means ("anchors"), constants for the
//! gradient. The clipping by max is that of the authors' code (google/lecam-gan).

use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Constants of the regulariser.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LecamConfig {
    /// Weight in D's loss (0.3 for CIFAR in the paper).
    pub strength: f64,
    /// Decay of the anchors per D step (0.99 in the paper's code).
    #[serde(default = "default_decay")]
    pub decay: f64,
    /// D steps before it acts: the anchors have to settle.
    #[serde(default)]
    pub start_step: u64,
}

fn default_decay() -> f64 {
    0.99
}

impl LecamConfig {
    /// Refuses a negative strength or a decay that gives no average.
    ///
    /// # Errors
    /// In these cases; the message names the key, its value and the range.
    pub fn validate(&self) -> Result<()> {
        if !(self.strength >= 0.0 && self.strength.is_finite()) {
            return Err(Error::config("lecam.strength")
                .found(self.strength)
                .expected("0 or more"));
        }
        if !(0.0..1.0).contains(&self.decay) {
            return Err(Error::config("lecam.decay")
                .found(self.decay)
                .expected("0 or more and below 1"));
        }
        Ok(())
    }
}

/// Running means of D's logits.
#[derive(Debug, Clone)]
pub struct Anchors {
    /// Of real images `[1]`.
    pub real: Tensor<1>,
    /// Of fakes `[1]`.
    pub fake: Tensor<1>,
}

impl Anchors {
    /// Both 0, as in the authors' code.
    pub fn new(device: &Device) -> Self {
        Self {
            real: Tensor::zeros([1], device),
            fake: Tensor::zeros([1], device),
        }
    }

    /// `a <- decay a + (1 - decay) mean`.
    ///
    /// # Shapes
    /// - real, fake: logits `[n, 1]`, without gradient
    #[must_use]
    pub fn update(self, real: Tensor<2>, fake: Tensor<2>, decay: f64) -> Self {
        Self {
            real: self.real * decay + real.mean() * (1.0 - decay),
            fake: self.fake * decay + fake.mean() * (1.0 - decay),
        }
    }

    /// The regulariser without its strength.
    ///
    /// # Shapes
    /// - real, fake: logits `[n, 1]` with autodiff
    /// - returns `[1]`
    pub fn penalty(&self, real: Tensor<2>, fake: Tensor<2>) -> Tensor<1> {
        let anchor = |a: &Tensor<1>| a.clone().autodiff().reshape([1, 1]);
        relu(real - anchor(&self.fake)).square().mean()
            + relu(anchor(&self.real) - fake).square().mean()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn penalty_and_anchors_by_hand() {
        let device = Device::flex();
        let column = |v: [f32; 2]| Tensor::<2>::from_data([[v[0]], [v[1]]], &device);
        let anchors = Anchors::new(&device).update(column([1.0, 3.0]), column([-1.0, -2.0]), 0.5);
        let value = |t: Tensor<1>| t.into_data().try_to_vec::<f32>().unwrap()[0];
        assert_eq!(value(anchors.real.clone()), 1.0); // 0.5 * 2
        assert_eq!(value(anchors.fake.clone()), -0.75); // 0.5 * -1.5
        let penalty = anchors.penalty(
            column([0.25, -2.0]).autodiff(),
            column([2.0, -1.0]).autodiff(),
        );
        // real: (1^2 + 0) / 2 ; fake: (0 + 2^2) / 2
        assert!((value(penalty.without_autodiff()) - 2.5).abs() < 1e-6);
    }
}
