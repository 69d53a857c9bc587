//! The project's own small classifier: features for scores on 32x32 data sets.
//!
//! It is trained on real images only, and the generator is never trained against it. Scores in its
//! features are named after it (`FD-<name>`), never FID.

use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::kernels::avg_pool_2x2;
use crate::layers::init::Initialiser;
use crate::layers::{Conv2d, Linear, Updates};

/// Which network a seed's initial weights belong to.
const NETWORK: u64 = 2;

/// Shape of the classifier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassifierConfig {
    /// Name used in scores.
    pub name: String,
    /// Side of the images in pixels, a multiple of 8.
    pub resolution: usize,
    /// Classes.
    pub classes: usize,
    /// Width of the first convolution; the others have twice and four times as many.
    pub channels: usize,
    /// Length of the feature vector.
    pub features: usize,
}

/// Three convolutions with average pooling, then features, then logits.
#[derive(Module, Debug)]
pub struct Classifier {
    convs: Vec<Conv2d>,
    to_features: Linear,
    to_logits: Linear,
    #[module(skip)]
    config: ClassifierConfig,
}

/// The classifier's output for a batch.
#[derive(Debug, Clone)]
pub struct ClassifierOutput {
    /// `[n, features]`, not negative.
    pub features: Tensor<2>,
    /// `[n, classes]`
    pub logits: Tensor<2>,
}

impl Classifier {
    /// A classifier with initial weights.
    ///
    /// # Errors
    /// If the resolution is not a multiple of 8, or a size is 0.
    pub fn new(config: &ClassifierConfig, seed: u64, device: &Device) -> Result<Self> {
        let sizes = [
            config.resolution,
            config.classes,
            config.channels,
            config.features,
        ];
        if !config.resolution.is_multiple_of(8) || sizes.contains(&0) {
            return Err(Error::config(
                "resolution, classes, channels and features of the classifier",
            )
            .found(format_args!("{sizes:?}"))
            .expected("above 0, the resolution a multiple of 8"));
        }
        let init = &mut Initialiser::new(seed, NETWORK, device);
        let c = config.channels;
        let convs = [[3, c], [c, 2 * c], [2 * c, 4 * c]]
            .map(|io| Conv2d::new(init, io, 3, true, None))
            .to_vec();
        let pixels = (config.resolution / 8).pow(2);
        Ok(Self {
            convs,
            to_features: Linear::new(init, [4 * c * pixels, config.features], true, None),
            to_logits: Linear::new(init, [config.features, config.classes], true, None),
            config: config.clone(),
        })
    }

    /// The shape.
    pub fn config(&self) -> &ClassifierConfig {
        &self.config
    }

    /// # Shapes
    /// - images: `[n, 3, r, r]` in [-1, 1]
    pub fn forward(&self, images: Tensor<4>) -> ClassifierOutput {
        // no layer here has spectral norm, nothing is written
        let updates = &mut Updates::default();
        let mut h = images;
        for conv in &self.convs {
            h = avg_pool_2x2(relu(conv.forward(h, updates)));
        }
        let n = h.dims()[0];
        let len = h.dims()[1..].iter().product::<usize>();
        let features = relu(self.to_features.forward(h.reshape([n, len]), updates));
        ClassifierOutput {
            logits: self.to_logits.forward(features.clone(), updates),
            features,
        }
    }
}

/// Mean cross-entropy of logits against one-hot classes.
///
/// # Shapes
/// - logits, classes: `[n, classes]`
/// - returns `[1]`
pub fn cross_entropy(logits: Tensor<2>, classes: Tensor<2>) -> Tensor<1> {
    let n = logits.dims()[0] as f64;
    -(burn::tensor::activation::log_softmax(logits, 1) * classes).sum() / n
}

#[cfg(feature = "train")]
impl Classifier {
    /// One Adam step on a batch of real images; returns the loss `[1]`.
    ///
    /// # Errors
    /// If the optimiser's step fails.
    pub fn train_step(
        self,
        adam: &mut crate::train::AdamMoments,
        config: &crate::train::AdamConfig,
        images: Tensor<4>,
        classes: Tensor<2>,
    ) -> Result<(Self, Tensor<1>)> {
        let network = self.train();
        let logits = network.forward(images.autodiff()).logits;
        let loss = cross_entropy(logits, classes.autodiff());
        let gradients = crate::train::named_gradients(&network, loss.backward());
        let network = adam.step(config, network.valid(), gradients)?;
        Ok((network, loss.without_autodiff()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cross_entropy_of_even_logits_is_log_classes() {
        let device = Device::flex();
        let logits = Tensor::<2>::zeros([2, 4], &device);
        let classes = crate::latent::one_hot(&[1, 3], 4, &device);
        let loss = cross_entropy(logits, classes)
            .into_data()
            .try_to_vec::<f32>()
            .unwrap()[0];
        assert!((loss - 4.0f32.ln()).abs() < 1e-6);
    }
}
