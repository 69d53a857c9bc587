//! Scores of samples: tensors in, numbers out.
//!
//! A score is a number only with its protocol: how many images, against which reference, in whose
//! features, with which statistics and truncation. Whoever prints one prints those too.

mod classifier;
mod classifier_file;
mod estimate;
mod frechet;
mod inception_score;
mod kernel_distance;
mod moments;
mod neighbours;
mod spread;
mod vectors;

pub use classifier::{Classifier, ClassifierConfig, ClassifierOutput, cross_entropy};
pub use classifier_file::ClassifierInfo;
pub use estimate::Estimate;
pub use frechet::{Normal, frechet_distance};
pub use inception_score::InceptionScore;
pub use kernel_distance::{Subsets, kernel_distance};
pub use moments::Moments;
pub use neighbours::{NeighbourScores, neighbour_scores};
pub use spread::class_spread;
