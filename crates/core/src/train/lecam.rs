//! LeCam regularisation of D for small data sets (Tseng et al. 2021, "Regularizing Generative
//! Adversarial Networks under Limited Data", eq. 3).
//!
//! ```text
//! L = strength ( E max(0, r - a_f)^2 + E max(0, a_r - f)^2 )
//! ```
//!
//! with r = D(real), f = D(fake) and a_r, a_f their running means ("anchors"), constants for the
//! gradient. The clipping by max is that of the authors' code (google/lecam-gan), and so are the anchors, which are
//! updated with a batch before it is compared with them:
//!
//! | their code | `decay` | `start_step` | anchors |
//! |---|---|---|---|
//! | stylegan2/lecam_loss.py | 0.99 | 0 | from 0, without the bias of that start (Adam's correction) |
//! | biggan_cifar, third_party/utils.py `ema_losses` | 0.9 | 1000 | the means of the last batch until the term acts |

use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Updates after which the anchors have settled; f32 counts as far.
pub(super) const MOST_UPDATES: u64 = 1 << 24;

/// Constants of the regulariser.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LecamConfig {
    /// Weight in D's loss (0.3 for CIFAR in the paper).
    pub strength: f64,
    /// Decay of the anchors per D step.
    #[serde(default = "default_decay")]
    pub decay: f64,
    /// D steps before it acts, while the anchors are the means of the last batch.
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

impl LecamConfig {
    /// Share of the new means in the anchors at a D step, after `updates` earlier ones.
    fn share(&self, d_step: u64, updates: u64) -> f64 {
        if d_step < self.start_step || updates == 0 {
            return 1.0;
        }
        if self.start_step > 0 {
            return 1.0 - self.decay;
        }
        // a running mean from 0, divided by 1 - decay^t after t updates
        (1.0 - self.decay) / (1.0 - libm::pow(self.decay, (updates + 1) as f64))
    }
}

/// Running means of D's logits.
#[derive(Debug, Clone)]
pub struct Anchors {
    /// Of real images `[1]`.
    pub real: Tensor<1>,
    /// Of fakes `[1]`.
    pub fake: Tensor<1>,
    /// D steps that they are of, at most [`MOST_UPDATES`].
    pub updates: u64,
}

impl Anchors {
    /// Of no step.
    pub fn new(device: &Device) -> Self {
        Self {
            real: Tensor::zeros([1], device),
            fake: Tensor::zeros([1], device),
            updates: 0,
        }
    }

    /// After a D step with these logits: `a <- a + share (mean - a)`.
    ///
    /// # Shapes
    /// - real, fake: logits `[n, 1]`, without gradient
    #[must_use]
    pub fn update(
        &self,
        real: Tensor<2>,
        fake: Tensor<2>,
        lecam: &LecamConfig,
        d_step: u64,
    ) -> Self {
        let share = lecam.share(d_step, self.updates);
        let moved = |anchor: &Tensor<1>, logits: Tensor<2>| {
            anchor.clone() * (1.0 - share) + logits.mean() * share
        };
        Self {
            real: moved(&self.real, real),
            fake: moved(&self.fake, fake),
            updates: (self.updates + 1).min(MOST_UPDATES),
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

    fn column(v: [f32; 2]) -> Tensor<2> {
        Tensor::from_data([[v[0]], [v[1]]], &Device::flex())
    }

    fn value(t: Tensor<1>) -> f32 {
        t.into_data().try_to_vec::<f32>().unwrap()[0]
    }

    fn lecam(decay: f64, start_step: u64) -> LecamConfig {
        LecamConfig {
            strength: 1.0,
            decay,
            start_step,
        }
    }

    /// The real anchor after D steps with these mean logits.
    fn anchor(config: LecamConfig, means: &[f32]) -> f32 {
        let anchors =
            (0..)
                .zip(means)
                .fold(Anchors::new(&Device::flex()), |anchors, (step, &mean)| {
                    anchors.update(column([mean; 2]), column([-mean; 2]), &config, step)
                });
        assert_eq!(value(anchors.fake), -value(anchors.real.clone()));
        value(anchors.real)
    }

    #[test]
    fn anchors_of_a_constant_mean_are_that_mean() {
        for config in [lecam(0.99, 0), lecam(0.9, 1000), lecam(0.9, 5)] {
            let found = anchor(config, &[1.0; 10]);
            assert!((found - 1.0).abs() < 1e-6, "{config:?}: {found}");
        }
    }

    #[test]
    fn anchors_are_those_of_the_authors_code() {
        let means = [3.0f32, -1.0, 0.5, 2.0, 1.0, -2.0];
        // assign_moving_average with zero_debias=True
        let (mut biased, decay) = (0.0, 0.99f64);
        for mean in means {
            biased = decay * biased + (1.0 - decay) * f64::from(mean);
        }
        let expected = biased / (1.0 - decay.powi(6));
        assert!((f64::from(anchor(lecam(0.99, 0), &means)) - expected).abs() < 1e-5);
        // ema_losses: a copy until the start, 1000 at first
        let mut copied = 1000.0;
        for (step, mean) in means.into_iter().enumerate() {
            let decay = if step < 3 { 0.0 } else { 0.9 };
            copied = decay * copied + (1.0 - decay) * f64::from(mean);
        }
        assert!((f64::from(anchor(lecam(0.9, 3), &means)) - copied).abs() < 1e-6);
        // switched on after its start
        let late = Anchors::new(&Device::flex());
        let late = late.update(column([2.0; 2]), column([0.0; 2]), &lecam(0.9, 3), 500);
        assert_eq!(value(late.real), 2.0);
    }

    #[test]
    fn penalty_by_hand() {
        let anchors = Anchors {
            real: Tensor::from_data([1.0], &Device::flex()),
            fake: Tensor::from_data([-0.75], &Device::flex()),
            updates: 1,
        };
        let penalty = anchors.penalty(
            column([0.25, -2.0]).autodiff(),
            column([2.0, -1.0]).autodiff(),
        );
        // real: (1^2 + 0) / 2 ; fake: (0 + 2^2) / 2
        assert!((value(penalty.without_autodiff()) - 2.5).abs() < 1e-6);
    }
}
