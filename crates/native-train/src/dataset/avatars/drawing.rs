//! A style and a seed become pixels: DiceBear's SVG, rasterised by resvg.

use anyhow::{Result, anyhow, ensure};
use dicebear_core::Avatar;
use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg;

use super::styles::Style;

/// Draws a style.
pub struct Artist {
    name: &'static str,
    style: dicebear_core::Style,
}

impl Artist {
    /// Reads the style's definition.
    ///
    /// # Errors
    /// If DiceBear refuses it.
    pub fn new(style: &Style) -> Result<Self> {
        let read = dicebear_core::Style::from_str(style.definition);
        Ok(Self {
            name: style.name,
            style: read.map_err(|error| anyhow!("avatar style {}: {error}", style.name))?,
        })
    }

    /// The picture of a seed over white, `[side, side, 3]`: the same on every machine.
    ///
    /// # Errors
    /// If the style's SVG cannot be read, or is not square.
    pub fn draw(&self, seed: &str, side: usize) -> Result<Vec<u8>> {
        let at_fault = |error: &dyn std::fmt::Display| {
            anyhow!("avatar style {}, seed {seed:?}: {error}", self.name)
        };
        let avatar = Avatar::new(&self.style, serde_json::json!({ "seed": seed }))
            .map_err(|error| at_fault(&error))?;
        let tree = usvg::Tree::from_str(avatar.to_svg(), &usvg::Options::default())
            .map_err(|error| at_fault(&error))?;
        let size = tree.size();
        ensure!(
            size.width() == size.height(),
            at_fault(&format_args!(
                "an SVG of {}x{}, expected a square",
                size.width(),
                size.height()
            ))
        );
        let pixels = u32::try_from(side)?;
        let mut canvas =
            Pixmap::new(pixels, pixels).ok_or_else(|| at_fault(&"no room for its pixels"))?;
        canvas.fill(Color::WHITE);
        let scale = side as f32 / size.width();
        let scale = Transform::from_scale(scale, scale);
        resvg::render(&tree, scale, &mut canvas.as_mut());
        // over white every pixel is opaque
        let (rgba, _) = canvas.data().as_chunks::<4>();
        Ok(rgba.iter().flat_map(|&[r, g, b, _]| [r, g, b]).collect())
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::super::styles::CLASSES;
    use super::*;
    use crate::checksum::hex;

    /// First digits of the SHA-256 of the pixels of each class's first training picture at 64x64.
    const PINNED: [&str; 12] = [
        "e6fe828d9d46d5bf",
        "b2c1d7c3ab252d35",
        "c1757e2b6d46a17f",
        "5191082bc348e177",
        "443a5a8cbd562573",
        "ca56e100ea5b1204",
        "e7841aaaaf46d226",
        "f7529d068d07d153",
        "8faed7484d52e4e4",
        "8759338d81440cb6",
        "fa3e4304145982a0",
        "0e4efb41c4cc4426",
    ];

    #[test]
    fn pictures_are_the_same_on_every_machine() {
        let drawn = CLASSES.each_ref().map(|style| {
            let artist = Artist::new(style).unwrap();
            let seed = format!("{}-train-0", style.name);
            let pixels = artist.draw(&seed, 64).unwrap();
            assert_eq!(pixels.len(), 3 * 64 * 64);
            assert_eq!(pixels, artist.draw(&seed, 64).unwrap(), "{}", style.name);
            hex(&Sha256::digest(&pixels)[..8])
        });
        assert_eq!(drawn.each_ref().map(String::as_str), PINNED);
    }

    #[test]
    fn what_is_transparent_is_white() {
        let [peeps, planets] = [5, 7].map(|class| Artist::new(&CLASSES[class]).unwrap());
        for seed in 0..20 {
            // a head on nothing; a planet in the night
            let first = |artist: &Artist| artist.draw(&seed.to_string(), 16).unwrap()[..3].to_vec();
            assert_eq!(first(&peeps), [255; 3], "{seed}");
            assert!(first(&planets).iter().all(|&c| c < 100), "{seed}");
        }
    }
}
