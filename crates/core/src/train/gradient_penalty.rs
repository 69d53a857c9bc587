//! R1 and R2: gradient penalties of D on real and on fake images (Mescheder et al. 2018, eq. 9 and 10;
//! BigGAN sec. 4.2 for R1).
//!
//! ```text
//! R = gamma / 2  E || grad_x D(x) ||^2
//! ```
//!
//! No second-order differentiation is needed: with v = grad_x D(x) held, the gradient of
//! `|| grad_x D ||^2 / 2` with respect to the weights is that of the directional derivative
//! `v . grad_x D(x)`, which a tangent pass computes in first-order operations
//! ([`Discriminator::forward_tangent`]).
//!
//! x is the image before augmentation, which is part of the function that is differentiated (stylegan2-ada
//! `loss.py:102-111`, R3GAN `Trainer.py`): with T the augmentation, `grad_x D(T x)`.

use burn::module::Module;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::augment::{Augment, augmented};
use super::gradients::{Gradient, named_gradients};
use crate::error::{Error, Result};
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
    let n = images.dims()[0] as f64;
    let x = images.clone().autodiff().require_grad();
    let frozen = discriminator.clone().train().no_grad();
    let logits = frozen.evaluate(
        augmented(x.clone(), augment),
        class_weights.clone().autodiff(),
    );
    let mut gradients = logits.sum().backward();
    let image_gradient = x
        .grad_remove(&mut gradients)
        .expect("the sum of logits depends on the images");

    let direction = match augment {
        Some(augment) => augment.tangent(image_gradient.clone()),
        None => image_gradient.clone(),
    };
    let live = discriminator.clone().train();
    let tangent = live.forward_tangent(
        augmented(images, augment).autodiff(),
        direction.autodiff(),
        class_weights.autodiff(),
    ); // [n, 1]
    let gradients = named_gradients(&live, (tangent.sum() / n).backward());
    PenaltyReport {
        value: image_gradient.clone().square().sum() / (2.0 * n),
        image_gradient,
        gradients,
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
        let tangent = discriminator.forward_tangent(images, report.image_gradient.clone(), classes);
        let read = |t: Tensor<1>| t.into_data().try_to_vec::<f32>().unwrap()[0];
        let (along, norm) = (
            read(tangent.sum()),
            read(report.image_gradient.square().sum()),
        );
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
