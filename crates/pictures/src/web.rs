//! Bindings for browsers: a picture file as a page trains on it.

use wasm_bindgen::prelude::*;

use crate::{area, picture};

/// A picture, cropped to a square and resized.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Square {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

#[wasm_bindgen]
impl Square {
    /// Decodes a file and resizes it to a side in pixels.
    ///
    /// # Errors
    /// If the file is not a whole picture of a kind that is read.
    #[wasm_bindgen(constructor)]
    pub fn new(file: &[u8], resolution: usize) -> Result<Square, JsError> {
        Self::decode(file, resolution).map_err(|error| JsError::new(&format!("{error:#}")))
    }

    fn decode(file: &[u8], resolution: usize) -> anyhow::Result<Self> {
        let picture::Picture { width, height, rgb } = picture::decode(file)?;
        let pixels = resolution * resolution;
        let mut planes = vec![0; 3 * pixels];
        area::square(&rgb, width, height, resolution, &mut planes)?;
        let interleaved = (0..pixels).flat_map(|at| [0, 1, 2].map(|c| planes[c * pixels + at]));
        Ok(Self {
            width,
            height,
            rgb: interleaved.collect(),
        })
    }

    /// Width before it was cropped.
    #[wasm_bindgen(getter)]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height before it was cropped.
    #[wasm_bindgen(getter)]
    pub fn height(&self) -> usize {
        self.height
    }

    /// RGB bytes, row by row.
    pub fn rgb(&self) -> Vec<u8> {
        self.rgb.clone()
    }
}
