//! What runs leave behind, and a recipe that ends them.

use std::path::Path;

use biggan::named::HostTensors;
use biggan::train::Counters;
use native_train::run::checkpoint::Checkpoint;

use super::setting::{Setting, checkpoints};

/// Counts a layer that grows by 2 % within some lines as collapsing.
pub const NERVOUS: [&str; 12] = [
    "--set",
    "train.adam_g.lr=0.01",
    "--set",
    "train.adam_d.lr=0.01",
    "--set",
    "run.collapse.sigma_ratio=1.02",
    "--set",
    "run.collapse.sigma_lines=5",
    "--set",
    "run.log_every_steps=1",
    "--set",
    "run.checkpoint_every_images=16",
];

/// Tensors and counters of a checkpoint, to the bit.
pub fn content(path: &Path) -> (HostTensors, Counters) {
    let bytes = std::fs::read(path).unwrap();
    let checkpoint = Checkpoint::decode(&bytes).unwrap();
    (checkpoint.tensors, checkpoint.counters)
}

/// Checks that two checkpoints hold the same state.
pub fn assert_same_bits(whole: &Path, parts: &Path) {
    let ((whole, counters), (parts, of_parts)) = (content(whole), content(parts));
    assert_eq!(counters, of_parts);
    assert_eq!(whole.0.len(), parts.0.len());
    for (name, tensor) in &whole.0 {
        let other: Vec<u32> = parts.0[name].values.iter().map(|v| v.to_bits()).collect();
        let bits: Vec<u32> = tensor.values.iter().map(|v| v.to_bits()).collect();
        assert_eq!(bits, other, "{name}");
    }
}

/// Images of the checkpoints of a run.
pub fn kept(setting: &Setting, run: &str) -> Vec<u64> {
    let images = |path: &std::path::PathBuf| {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        stem.parse().unwrap()
    };
    checkpoints(&setting.path(run)).iter().map(images).collect()
}
