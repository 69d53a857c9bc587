//! Images of one of CIFAR's files, whichever form it has.

use anyhow::{Result, ensure};

/// Bytes of an image.
pub(super) const IMAGE_BYTES: usize = 3 * 32 * 32;

/// Images of a file, its classes, and the SHA-256 of its records.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Planar, one image after another.
    pub images: Vec<u8>,
    /// Class of each.
    pub labels: Vec<u16>,
    /// Of the records as in the binary version, in hex.
    pub sha256: String,
}

/// Refuses a label that no class has.
pub(super) fn check_label(index: usize, label: u16, count: u16) -> Result<()> {
    ensure!(
        label < count,
        "label {label} of image {index} is out of range; there are {count}, 0 to {}; fetch it again",
        count - 1
    );
    Ok(())
}
