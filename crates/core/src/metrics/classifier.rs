//! The project's own small classifier: features for scores on data sets without a network of their own.
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
    /// Width of the first convolution; the second has twice, the others four times as many.
    pub channels: usize,
    /// Length of the feature vector.
    pub features: usize,
}

/// Convolutions with average pooling, three and more for larger images, then features, then logits.
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

/// Fewest convolutions, each of which halves the side.
const FEWEST_CONVS: usize = 3;
/// Side of the last map, beyond which more convolutions halve it.
const LAST_SIDE: usize = 4;

impl ClassifierConfig {
    /// Number of convolutions and side of the last map: images of any size end in maps of about 4x4 (16: 3
    /// convolutions, 2x2; 32: 3, 4x4; 64: 4; 128: 5).
    fn depth(&self) -> (usize, usize) {
        let (mut convs, mut side) = (0, self.resolution);
        while convs < FEWEST_CONVS || (side > LAST_SIDE && side.is_multiple_of(2)) {
            convs += 1;
            side /= 2;
        }
        (convs, side)
    }
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
        let (convs, side) = config.depth();
        let widths = |conv: usize| match conv {
            0 => [3, c],
            1 => [c, 2 * c],
            2 => [2 * c, 4 * c],
            _ => [4 * c, 4 * c],
        };
        let convs = (0..convs)
            .map(|conv| Conv2d::new(init, widths(conv), 3, true, None))
            .collect();
        let pixels = side.pow(2);
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
    fn images_of_any_size_end_in_small_maps() {
        let device = Device::flex();
        let sides = [
            (16, (3, 2)),
            (24, (3, 3)),
            (32, (3, 4)),
            (64, (4, 4)),
            (128, (5, 4)),
            (72, (3, 9)),
        ];
        for (resolution, depth) in sides {
            let config = ClassifierConfig {
                name: "tiny".into(),
                resolution,
                classes: 3,
                channels: 2,
                features: 5,
            };
            assert_eq!(config.depth(), depth, "{resolution}");
            let network = Classifier::new(&config, 1, &device).unwrap();
            let images = Tensor::zeros([2, 3, resolution, resolution], &device);
            let said = network.forward(images);
            assert_eq!((said.features.dims(), said.logits.dims()), ([2, 5], [2, 3]));
        }
    }

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
