//! How picture files become images of the networks, in the memory that there is.

use anyhow::Result;
use biggan_pictures::color::Color;
use biggan_pictures::fit::Fit;
use biggan_pictures::{fitted, picture};

use super::room::Room;
use crate::memory;
use crate::recipe::data_section::DataSection;

/// Share of the free memory that decoders may take together, as a divisor.
const SHARE: usize = 4;
/// Most bytes that decoders and their copies hold for a pixel: 16-bit RGBA, its upper halves, and RGB before and after
/// it is turned. Coefficients of progressive JPEGs and the caches of lossless WebPs take less.
const BYTES_A_PIXEL: usize = 20;
/// Bytes of an RGB value of the resizer between its two passes.
const BYTES_BETWEEN: usize = 12;

/// How pictures become squares, as typed.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct SquareArgs {
    /// How pictures that are not square become squares: crop (the central square) or pad (the whole picture) [default:
    /// crop]
    #[arg(long, value_name = "FIT")]
    pub fit: Option<Fit>,
    /// What transparent pixels are blended over, and what is around padded pictures, e.g. "#000000" [default: "#ffffff"]
    #[arg(long, value_name = "COLOUR")]
    pub background: Option<Color>,
}

/// How pictures become images.
#[derive(Debug)]
pub struct Preparation {
    /// Side of the images.
    pub resolution: usize,
    /// How pictures become squares.
    pub fit: Fit,
    /// What is behind transparent pixels and around padded pictures.
    pub background: Color,
    room: Room,
}

impl Preparation {
    /// For images of a side.
    pub fn new(resolution: usize, fit: Fit, background: Color) -> Self {
        Self {
            resolution,
            fit,
            background,
            room: Room::new(memory::free_bytes() / SHARE),
        }
    }

    /// As typed.
    pub fn typed(square: SquareArgs, resolution: usize) -> Self {
        let fit = square.fit.unwrap_or_default();
        Self::new(resolution, fit, square.background.unwrap_or_default())
    }

    /// By the keys of a recipe.
    pub fn of(section: &DataSection, resolution: usize) -> Self {
        let fit = section.fit.unwrap_or_default();
        Self::new(resolution, fit, section.background.unwrap_or_default())
    }

    /// Bytes of an image, `[3, resolution, resolution]`.
    pub fn image_bytes(&self) -> usize {
        3 * self.resolution * self.resolution
    }

    /// Where pictures become other images than by default, what makes them so.
    pub fn notes(&self) -> Vec<(&'static str, String)> {
        let mut notes = Vec::new();
        if self.fit != Fit::default() {
            notes.push(("fit", self.fit.to_string()));
        }
        if self.background != Color::default() {
            notes.push(("background", self.background.to_string()));
        }
        notes
    }

    /// Decodes the bytes of a file and resizes them: `[3, resolution, resolution]`. Waits while other threads need the
    /// memory.
    ///
    /// # Errors
    /// If they are not a picture, or a damaged one.
    pub fn image(&self, file: &[u8], planes: &mut [u8]) -> Result<()> {
        let _taken = self.room.take(self.needs(picture::sides(file)?));
        fitted::image(file, self.resolution, self.fit, self.background, planes).map(|_| ())
    }

    /// [`picture::decode`], when there is room for it.
    ///
    /// # Errors
    /// If the bytes are not a picture, or a damaged one.
    pub fn picture(&self, file: &[u8]) -> Result<picture::Picture> {
        let _taken = self.room.take(self.needs(picture::sides(file)?));
        picture::decode(file, self.background.0)
    }

    /// Most bytes that an image of a picture takes while it is made.
    fn needs(&self, [width, height]: [usize; 2]) -> usize {
        let (rows, square) = match self.fit {
            Fit::Crop => (width.min(height), 0),
            Fit::Pad => (width.max(height), 3 * width.max(height).pow(2)),
        };
        width * height * BYTES_A_PIXEL
            + square
            + rows * self.resolution * BYTES_BETWEEN
            + self.image_bytes()
    }
}
