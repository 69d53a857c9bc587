//! Bindings for browsers: a picture file as a page trains on it.

use wasm_bindgen::prelude::*;

use crate::color::Color;
use crate::fit::Fit;
use crate::fitted;
use crate::picture::Traits;

/// A picture, made square and resized.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Square {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
    traits: Traits,
}

#[wasm_bindgen]
impl Square {
    /// Decodes a file and resizes it to a side in pixels. It is cropped and over white unless a fit (`crop`, `pad`) or a
    /// background (`#rrggbb`) say otherwise.
    ///
    /// # Errors
    /// If the file is not a whole picture of a kind that is read, or there is no such fit or colour.
    #[wasm_bindgen(constructor)]
    pub fn new(
        file: &[u8],
        resolution: usize,
        fit: Option<String>,
        background: Option<String>,
    ) -> Result<Square, JsError> {
        Self::decode(file, resolution, fit.as_deref(), background.as_deref())
            .map_err(|error| JsError::new(&format!("{error:#}")))
    }

    fn decode(
        file: &[u8],
        resolution: usize,
        fit: Option<&str>,
        background: Option<&str>,
    ) -> anyhow::Result<Self> {
        let said = anyhow::Error::msg;
        let fit = fit.map_or(Ok(Fit::default()), str::parse).map_err(said)?;
        let background = background.map_or(Ok(Color::default()), str::parse);
        let background = background.map_err(said)?;
        let pixels = resolution * resolution;
        let mut planes = vec![0; 3 * pixels];
        let picture = fitted::image(file, resolution, fit, background, &mut planes)?;
        let interleaved = (0..pixels).flat_map(|at| [0, 1, 2].map(|c| planes[c * pixels + at]));
        Ok(Self {
            width: picture.width,
            height: picture.height,
            rgb: interleaved.collect(),
            traits: picture.traits,
        })
    }

    /// Width before it was made square, upright.
    #[wasm_bindgen(getter)]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height before it was made square, upright.
    #[wasm_bindgen(getter)]
    pub fn height(&self) -> usize {
        self.height
    }

    /// Whether it has transparent pixels.
    #[wasm_bindgen(getter)]
    pub fn transparent(&self) -> bool {
        self.traits.transparent
    }

    /// The largest value, of files with 16 bits a value.
    #[wasm_bindgen(getter, js_name = largestOf16Bits)]
    pub fn largest_of_16_bits(&self) -> Option<u16> {
        self.traits.largest_of_16_bits
    }

    /// Whether it has several frames, of which this is the first.
    #[wasm_bindgen(getter)]
    pub fn animated(&self) -> bool {
        self.traits.animated
    }

    /// Its colour profile, if that is not sRGB.
    #[wasm_bindgen(getter)]
    pub fn profile(&self) -> Option<String> {
        self.traits.profile.clone()
    }

    /// Whether it is stored in four inks.
    #[wasm_bindgen(getter)]
    pub fn cmyk(&self) -> bool {
        self.traits.cmyk
    }

    /// RGB bytes, row by row.
    pub fn rgb(&self) -> Vec<u8> {
        self.rgb.clone()
    }
}
