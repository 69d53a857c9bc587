//! R1 and R2: gradient penalties of D on real and on fake images (Mescheder et al. 2018, eq. 9 and 10;
//! BigGAN sec. 4.2 for R1).
//!
//! ```text
//! R = gamma / 2  E || grad_x D(x) ||^2
//! ```
//!
//! No second-order differentiation is needed: with v = grad_x D(x) held, the gradient of
//! `|| grad_x D ||^2 / 2` with respect to the weights is that of the directional derivative
//! `v . grad_x D(x)`, which a pass along v computes in first-order operations ([`super::tangent`]), together with the
//! objective's own gradient.
//!
//! x is the image before augmentation, which is part of the function that is differentiated (stylegan2-ada
//! `loss.py:102-111`, R3GAN `Trainer.py`): with T the augmentation, `grad_x D(T x)`.

use burn::module::Module;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::augment::{Augment, augmented};
use super::gradients::{Gradient, named_gradients};
use super::tangent::{Notes, Watched};
use crate::error::{Error, Result};
use crate::layers::Updates;
use crate::model::Discriminator;

/// Strength of a penalty, and how often it acts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GradientPenalty {
    /// The paper's gamma (10, then 1, in BigGAN sec. 4.2).
    pub gamma: f64,
    /// D steps from one penalty to the next; the penalty is that many times stronger (lazy
    /// regularisation, Karras et al. 2020, "StyleGAN2", sec. 3.1).
    #[serde(default = "one")]
    pub every: u64,
}

fn one() -> u64 {
    1
}

impl GradientPenalty {
    /// Refuses a negative gamma.
    ///
    /// # Errors
    /// If it is negative or never acts; the message names the key, its value and the range.
    pub fn validate(&self, key: &str) -> Result<()> {
        if !(self.gamma >= 0.0 && self.gamma.is_finite()) {
            return Err(Error::config(format_args!("techniques.{key}.gamma"))
                .found(self.gamma)
                .expected("0 or more"));
        }
        if self.every == 0 {
            return Err(Error::config(format_args!("techniques.{key}.every"))
                .found(0)
                .expected("1 or more"));
        }
        Ok(())
    }

    /// The factor of `E || grad_x D ||^2 / 2` at a D step; `None` if it does not act.
    pub fn factor(&self, d_step: u64) -> Option<f64> {
        let acts = self.gamma > 0.0 && d_step.is_multiple_of(self.every);
        acts.then_some(self.gamma * self.every as f64)
    }
}

/// A penalty's value and its gradient.
#[derive(Debug, Clone)]
pub struct PenaltyReport {
    /// `E || grad_x D(x) ||^2 / 2`, `[1]`, without gamma.
    pub value: Tensor<1>,
    /// `grad_x` of the sum of logits, at the images before augmentation, `[n, 3, r, r]`.
    pub image_gradient: Tensor<4>,
    /// Gradients of the value by parameter name.
    pub gradients: Gradient,
}

/// The penalty on images; singular vectors do not change.
///
/// # Shapes
/// - images: `[n, 3, r, r]`, class_weights: `[n, classes]`, both without autodiff
pub fn gradient_penalty(
    discriminator: &Discriminator,
    images: Tensor<4>,
    class_weights: Tensor<2>,
) -> PenaltyReport {
    penalty_through(None, discriminator, images, class_weights)
}

/// As [`gradient_penalty`], of the images before an augmentation.
pub(super) fn penalty_through(
    augment: Option<&Augment<'_>>,
    discriminator: &Discriminator,
    images: Tensor<4>,
    class_weights: Tensor<2>,
) -> PenaltyReport {
    let batch = Unaugmented {
        images,
        class_weights,
        augment,
    };
    let at = AtImages::new(discriminator, &[batch], &mut Updates::default());
    let image_gradient = at.image_gradients[0].clone();
    let live = discriminator.clone().train();
    let none = Tensor::zeros_like(&at.logits);
    let gradients = named_gradients(&live, at.along(&live, none, &[1.0]).backward());
    PenaltyReport {
        value: half_square(&image_gradient),
        image_gradient,
        gradients,
    }
}

/// `E || grad_x D ||^2 / 2`, `[1]`, of gradients `[n, 3, r, r]`.
pub(super) fn half_square(image_gradient: &Tensor<4>) -> Tensor<1> {
    let n = image_gradient.dims()[0] as f64;
    image_gradient.clone().square().sum() / (2.0 * n)
}

/// Images before D's augmentation, and what it is.
#[derive(Debug)]
pub(super) struct Unaugmented<'a> {
    /// `[n, 3, r, r]`
    pub images: Tensor<4>,
    /// `[n, classes]`
    pub class_weights: Tensor<2>,
    /// Between the images and D.
    pub augment: Option<&'a Augment<'a>>,
}

/// D at images: its logits, and their gradients with respect to the images.
#[derive(Debug, Clone)]
pub(super) struct AtImages {
    /// `[n, 1]`, of all batches one after another.
    pub logits: Tensor<2>,
    /// `grad_x` of the logits at the images before augmentation, `[n, 3, r, r]`, of each batch.
    pub image_gradients: Vec<Tensor<4>>,
    /// The same through the augmentation: the direction of D's input.
    directions: Vec<Tensor<4>>,
    /// As D sees them.
    images: Tensor<4>,
    class_weights: Tensor<2>,
    notes: Notes,
}

impl AtImages {
    /// One pass and its gradient with respect to the images, which are without autodiff.
    ///
    /// # State
    /// The next singular vectors go to `updates`.
    pub fn new(
        discriminator: &Discriminator,
        batches: &[Unaugmented<'_>],
        updates: &mut Updates,
    ) -> Self {
        let leaves: Vec<_> = batches
            .iter()
            .map(|batch| batch.images.clone().autodiff().require_grad())
            .collect();
        let augmented = leaves
            .iter()
            .zip(batches)
            .map(|(x, batch)| augmented(x.clone(), batch.augment));
        let images = Tensor::cat(augmented.collect(), 0);
        let classes = batches.iter().map(|batch| batch.class_weights.clone());
        let class_weights = Tensor::cat(classes.collect(), 0);
        let mut pass = Watched {
            updates: core::mem::take(updates),
            notes: Notes::default(),
        };
        let frozen = discriminator.clone().train().no_grad();
        let logits = frozen.forward(images.clone(), class_weights.clone().autodiff(), &mut pass);
        let Watched {
            updates: next,
            notes,
        } = pass;
        *updates = next;
        let values = logits.clone().without_autodiff();
        let mut gradients = logits.sum().backward();
        let image_gradients: Vec<_> = leaves
            .into_iter()
            .map(|x| {
                x.grad_remove(&mut gradients)
                    .expect("the sum of logits depends on the images")
            })
            .collect();
        let directions = image_gradients
            .iter()
            .zip(batches)
            .map(|(gradient, batch)| match batch.augment {
                Some(augment) => augment.tangent(gradient.clone()),
                None => gradient.clone(),
            });
        Self {
            logits: values,
            directions: directions.collect(),
            image_gradients,
            images: images.without_autodiff(),
            class_weights,
            notes,
        }
    }

    /// A number whose gradient is that of `sum factors D(x)`, plus that of each batch's penalty times its strength.
    ///
    /// # Shapes
    /// - factors: `[n, 1]`, constants
    pub fn along(self, live: &Discriminator, factors: Tensor<2>, strengths: &[f64]) -> Tensor<1> {
        let directions = self.directions.into_iter().zip(strengths);
        let directions = directions.map(|(direction, strength)| {
            let n = direction.dims()[0] as f64;
            direction * (strength / n)
        });
        let directions = Tensor::cat(directions.collect(), 0);
        live.along(
            self.images,
            directions,
            self.class_weights,
            factors,
            self.notes,
        )
        .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DiscriminatorConfig;
    use crate::latent::one_hot;
    use crate::random::{Draws, Stream};
    use crate::test_configs;
    use burn::tensor::{Device, TensorData};

    /// `sum_i v_i grad_x D` from the tangent pass, against the gradient of autodiff: with v the
    /// gradient itself it is the squared norm.
    fn check(config: &DiscriminatorConfig) {
        let device = Device::flex();
        let mut discriminator = Discriminator::new(config, 3, &device).unwrap();
        // gamma starts at 0, where attention would be left out
        discriminator = crate::named::map_tensors(discriminator, |name, tensor| {
            Ok(if name.ends_with("attention.gamma") {
                tensor.values + 0.7
            } else {
                tensor.values
            })
        })
        .unwrap();
        let r = config.resolution;
        let mut draws = Draws::new(1, Stream::Sample, 0, 0);
        let values: Vec<f32> = (0..2 * 3 * r * r)
            .map(|_| (2.0 * draws.uniform() - 1.0) as f32)
            .collect();
        let images = Tensor::from_data(TensorData::new(values, [2, 3, r, r]), &device);
        let classes = one_hot(&[0, config.classes - 1], config.classes, &device);
        let report = gradient_penalty(&discriminator, images.clone(), classes.clone());
        let updates = &mut Updates::default();
        let batch = Unaugmented {
            images,
            class_weights: classes,
            augment: None,
        };
        let at = AtImages::new(&discriminator, &[batch], updates);
        let tangent = at
            .clone()
            .along(&discriminator, Tensor::zeros_like(&at.logits), &[2.0]);
        let read = |t: Tensor<1>| t.into_data().try_to_vec::<f32>().unwrap()[0];
        let (along, norm) = (read(tangent), read(report.image_gradient.square().sum()));
        assert!(
            (along - norm).abs() < 1e-4 * norm,
            "{along} along the gradient, its squared norm {norm}"
        );
        assert!((read(report.value) - norm / 4.0).abs() < 1e-4 * norm);
        // biases do not change D's gradient with respect to its input (except through ReLU masks)
        assert!(
            report
                .gradients
                .keys()
                .any(|name| name.ends_with(".weight"))
        );
    }

    #[test]
    fn the_tangent_along_the_gradient_is_its_squared_norm() {
        for architecture in test_configs::ARCHITECTURES {
            let plain = test_configs::discriminator(architecture, 32);
            let with_attention = DiscriminatorConfig {
                attention: vec![16],
                ..plain.clone()
            };
            check(&plain);
            check(&with_attention);
        }
    }
}
