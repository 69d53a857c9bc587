//! Bindings for browsers: what a file is, and a picture file as a page trains on it.

use wasm_bindgen::prelude::*;

use crate::color::Color;
use crate::fit::Fit;
use crate::fitted;
use crate::picture::{self, Traits};

/// What the first bytes of a file say: `"picture"` if it is read, the name of another kind of picture, or nothing.
#[wasm_bindgen(js_name = kindOf)]
pub fn kind_of(start: &[u8]) -> Option<String> {
    if picture::kind(start).is_some() {
        return Some("picture".to_owned());
    }
    picture::other_picture(start).map(str::to_owned)
}

/// Bytes of a start that [`kind_of`] needs.
#[wasm_bindgen(js_name = kindBytes)]
pub fn kind_bytes() -> usize {
    picture::KIND_BYTES as usize
}

/// Most bytes of a file that is read.
#[wasm_bindgen(js_name = mostFileBytes)]
pub fn most_file_bytes() -> f64 {
    picture::MAX_FILE_BYTES as f64
}

/// A picture as a square image, and facts about it before it was resized.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Square {
    /// Width of the picture, upright.
    pub width: usize,
    /// Height of the picture, upright.
    pub height: usize,
    /// Whether all pixels have equal red, green and blue.
    pub grey: bool,
    /// Whether all pixels are equal.
    pub constant: bool,
    /// The largest value of a channel.
    pub largest: u8,
    traits: Traits,
    rgb: Vec<u8>,
}

#[wasm_bindgen]
impl Square {
    /// Decodes a file, makes it square (`"crop"` or `"pad"`) and resizes it to a side in pixels; what is transparent
    /// becomes the background (`"#ffffff"`).
    ///
    /// # Errors
    /// If the file is not a whole picture of a kind that is read, or an option is none.
    #[wasm_bindgen(constructor)]
    pub fn new(
        file: &[u8],
        resolution: usize,
        fit: &str,
        background: &str,
    ) -> Result<Square, JsError> {
        Self::decode(file, resolution, fit, background)
            .map_err(|error| JsError::new(&format!("{error:#}")))
    }

    fn decode(file: &[u8], resolution: usize, fit: &str, background: &str) -> anyhow::Result<Self> {
        let fit: Fit = fit.parse().map_err(anyhow::Error::msg)?;
        let background: Color = background.parse().map_err(anyhow::Error::msg)?;
        let pixels = resolution * resolution;
        let mut planes = vec![0; 3 * pixels];
        let picture = fitted::image(file, resolution, fit, background, &mut planes)?;
        let all = picture.rgb.as_chunks::<3>().0;
        let interleaved = (0..pixels).flat_map(|at| [0, 1, 2].map(|c| planes[c * pixels + at]));
        Ok(Self {
            width: picture.width,
            height: picture.height,
            grey: all.iter().all(|[r, g, b]| r == g && g == b),
            constant: all.windows(2).all(|pair| pair[0] == pair[1]),
            largest: picture.rgb.iter().copied().max().unwrap_or(0),
            rgb: interleaved.collect(),
            traits: picture.traits,
        })
    }

    /// Whether a pixel has an alpha below 255.
    #[wasm_bindgen(getter)]
    pub fn transparent(&self) -> bool {
        self.traits.transparent
    }

    /// Bits in use, of 16 bits a value.
    #[wasm_bindgen(getter, js_name = bitsOf16)]
    pub fn bits_of_16(&self) -> Option<u32> {
        let largest = self.traits.largest_of_16_bits;
        largest.map(|value| 16 - value.leading_zeros())
    }

    /// Whether it has several frames, of which the first is used.
    #[wasm_bindgen(getter)]
    pub fn animated(&self) -> bool {
        self.traits.animated
    }

    /// Whether it is stored in four inks.
    #[wasm_bindgen(getter)]
    pub fn cmyk(&self) -> bool {
        self.traits.cmyk
    }

    /// Its colour profile, if that is not sRGB.
    #[wasm_bindgen(getter)]
    pub fn profile(&self) -> Option<String> {
        self.traits.profile.clone()
    }

    /// RGB bytes of the image, row by row.
    pub fn rgb(&self) -> Vec<u8> {
        self.rgb.clone()
    }
}
