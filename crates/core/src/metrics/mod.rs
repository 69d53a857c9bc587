//! Scores of samples: tensors in, numbers out.
//!
//! A score is a number only with its protocol: how many images, against which reference, in whose
//! features, with which statistics and truncation. Whoever prints one prints those too.

mod classifier;
mod classifier_file;
mod frechet;
mod moments;
mod spread;

pub use classifier::{Classifier, ClassifierConfig, ClassifierOutput, cross_entropy};
pub use classifier_file::ClassifierInfo;
pub use frechet::frechet_distance;
pub use moments::Moments;
pub use spread::class_spread;
