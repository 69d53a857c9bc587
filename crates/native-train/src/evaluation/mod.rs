//! Scores of samples: features, the networks that make them, references, distances.

pub mod batch_samples;
pub mod features;
pub mod networks;
pub mod npz;
pub mod reference_file;
pub mod scores;
