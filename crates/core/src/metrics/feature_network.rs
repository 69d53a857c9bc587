//! Networks in whose features scores are measured.

use burn::tensor::Tensor;

use super::{Classifier, ClassifierOutput};

/// What a protocol says about a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkInfo {
    /// Name used in scores.
    pub name: String,
    /// Whether it is the network of the literature, so that scores have their plain names (FID).
    pub published: bool,
    /// SHA-256 of its file.
    pub sha256: String,
    /// Length of a feature vector.
    pub features: usize,
    /// Number of logits.
    pub classes: usize,
    /// Picture sizes that it accepts.
    pub input: Input,
    /// Pictures per pass: affects memory, not the result.
    pub at_once: usize,
}

/// Picture sizes that a network accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// This side only, not resized.
    Exactly(usize),
    /// Any side, resized to this by [`super::resize::bilinear`].
    Bilinear(usize),
}

impl NetworkInfo {
    /// Name of a score in these features: `FD` becomes `FD-<name>`, or `FID` for the published Inception.
    pub fn score(&self, score: &str) -> String {
        match (self.published, score) {
            (true, "FD") => "FID".to_owned(),
            (true, score) => score.to_owned(),
            (false, score) => format!("{score}-{}", self.name),
        }
    }
}

impl std::fmt::Display for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exactly(_) => f.write_str("not resized"),
            Self::Bilinear(side) => write!(
                f,
                "resized to {side} bilinearly without antialiasing (pytorch-fid; clean-fid's differs)"
            ),
        }
    }
}

/// A network in whose features scores are measured.
pub trait FeatureNetwork: std::fmt::Debug {
    /// What a protocol says about it.
    fn info(&self) -> &NetworkInfo;

    /// Features and logits.
    ///
    /// # Shapes
    /// - images: `[n, 3, r, r]` in [-1, 1], of a size that its [`Input`] accepts
    fn extract(&self, images: Tensor<4>) -> ClassifierOutput;
}

/// A [`Classifier`] with what a protocol says about it.
#[derive(Debug, Clone)]
pub struct NamedClassifier {
    classifier: Classifier,
    info: NetworkInfo,
}

impl NamedClassifier {
    /// Pictures of 32x32 per pass.
    const AT_ONCE: usize = 100;

    /// A classifier read from a file with this SHA-256.
    pub fn new(classifier: Classifier, sha256: String) -> Self {
        let config = classifier.config();
        let info = NetworkInfo {
            name: config.name.clone(),
            published: false,
            sha256,
            features: config.features,
            classes: config.classes,
            input: Input::Exactly(config.resolution),
            at_once: Self::AT_ONCE,
        };
        Self { classifier, info }
    }
}

impl FeatureNetwork for NamedClassifier {
    fn info(&self) -> &NetworkInfo {
        &self.info
    }

    fn extract(&self, images: Tensor<4>) -> ClassifierOutput {
        self.classifier.forward(images)
    }
}
