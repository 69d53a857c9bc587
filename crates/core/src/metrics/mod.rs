//! Scores of samples: tensors in, numbers out.
//!
//! A score means something only with its protocol: how many images, against which reference, in which
//! network's features, with which statistics and truncation. A score is always printed with it.

mod amenability;
mod classifier;
mod classifier_file;
pub mod efficientnet;
mod estimate;
mod feature_network;
mod folded;
mod frechet;
pub mod inception;
mod inception_score;
mod kernel_distance;
mod moments;
mod neighbours;
mod protocol;
mod reference;
pub mod resize;
mod spread;
mod vectors;

pub use amenability::{AtTruncation, Verdict, amenability, saturated};
pub use classifier::{Classifier, ClassifierConfig, ClassifierOutput};
pub use classifier_file::ClassifierInfo;
pub use efficientnet::EfficientNet;
pub use estimate::Estimate;
pub use feature_network::{FeatureNetwork, Input, NamedClassifier, NetworkInfo};
pub use frechet::{Normal, frechet_distance};
pub use inception::Inception;
pub use inception_score::InceptionScore;
pub use kernel_distance::{Subsets, kernel_distance};
pub use moments::Moments;
pub use neighbours::{NeighbourScores, neighbour_scores};
pub use protocol::{Protocol, RANDOM_CLASSES, Score};
pub use reference::{Reference, ReferenceInfo};
pub use spread::class_spread;
pub use vectors::squared_distance;
