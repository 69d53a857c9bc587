//! What the decoders of the kinds give: pixels as stored, and facts about the file.

use anyhow::{Result, ensure};

use super::exif::Orientation;

/// Most pixels of a side. Larger ones are refused by their header: a few bytes can claim gigabytes.
pub const MAX_SIDE: usize = 8192;

/// Pixels as a file stores them.
#[derive(Debug)]
pub struct Raw {
    /// Pixels per row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `[height, width, 3]`, or 4 with alpha.
    pub pixels: Vec<u8>,
    /// Whether there is an alpha channel.
    pub alpha: bool,
    /// How it is to be turned.
    pub orientation: Orientation,
    /// What else the file says.
    pub traits: Traits,
}

/// Facts about a file that its pixels do not show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traits {
    /// Whether a pixel has an alpha below 255.
    pub transparent: bool,
    /// The largest value, of files with 16 bits a value.
    pub largest_of_16_bits: Option<u16>,
    /// Whether it has several frames, of which the first is used.
    pub animated: bool,
    /// Its colour profile, if that is not sRGB.
    pub profile: Option<String>,
    /// Whether it is stored in four inks.
    pub cmyk: bool,
}

/// Refuses sizes that no picture needs.
///
/// # Errors
/// If a side is 0 or above [`MAX_SIDE`].
pub fn check_sides(width: usize, height: usize) -> Result<()> {
    ensure!(
        (1..=MAX_SIDE).contains(&width) && (1..=MAX_SIDE).contains(&height),
        "its header says {width}x{height} pixels; a side may have 1 to {MAX_SIDE}"
    );
    Ok(())
}
