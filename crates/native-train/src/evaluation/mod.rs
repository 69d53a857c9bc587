//! Scores of samples: features, feature networks, references, distances.

pub mod choice;
pub mod features;
pub mod networks;
pub mod npz;
pub mod own_data;
pub mod reference_file;
pub mod remarks;
pub mod scores;

/// The thresholds of figure 2a in the paper's first version; later ones leave out 1.5.
pub const PAPER: [f64; 5] = [2.0, 1.5, 1.0, 0.5, 0.04];
