//! A model on a device, and the images it draws.

use biggan::file::ModelFile;
use biggan::image;
use biggan::sampler::Sampler;
use biggan::truncation::{Truncation, TruncationKind};
use burn::tensor::Device;
use serde::Serialize;
use wasm_bindgen::prelude::*;

/// A model that answers requests for samples.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Model {
    sampler: Sampler,
}

/// What the page shows of a model.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Info<'a> {
    class_names: &'a [String],
    resolution: usize,
    truncation_kind: TruncationKind,
    /// Smallest and largest truncation beside off; none where the latents cannot be truncated.
    truncation_range: Option<[f64; 2]>,
    /// `null` is off.
    truncations: &'a [Truncation],
    dataset: &'a str,
    recipe: &'a str,
    images_seen: u64,
}

impl Model {
    pub(crate) fn load(file: &[u8], device: &Device) -> biggan::Result<Self> {
        let sampler = Sampler::new(ModelFile::decode(file)?, device)?;
        Ok(Self { sampler })
    }
}

#[wasm_bindgen]
impl Model {
    /// Class names, resolution, truncations and origin, as JSON.
    ///
    /// # Errors
    /// None that is known.
    pub fn info(&self) -> Result<String, JsError> {
        let info = self.sampler.info();
        Ok(serde_json::to_string(&Info {
            class_names: &info.class_names,
            resolution: info.generator.resolution,
            truncation_kind: info.truncation_kind,
            truncation_range: info
                .generator
                .latent
                .truncates()
                .then(|| info.truncation_kind.range()),
            truncations: &info.statistics.truncations,
            dataset: &info.dataset.name,
            recipe: &info.provenance.recipe,
            images_seen: info.provenance.images_seen,
        })?)
    }

    /// `count` samples of a class; no truncation is off.
    ///
    /// # Errors
    /// If the request is out of range or the device fails.
    pub async fn sample(
        &self,
        class: usize,
        seed: u64,
        truncation: Option<f64>,
        count: usize,
    ) -> Result<Batch, JsError> {
        let truncation = Truncation::try_from(truncation)?;
        let samples = self.sampler.sample(class, seed, truncation, count).await?;
        let rgba = image::to_rgba(&samples.images_pm1, samples.side)?;
        Ok(Batch {
            side: samples.side,
            images_pm1: samples.images_pm1,
            rgba,
        })
    }
}

/// Images of one request.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Batch {
    side: usize,
    images_pm1: Vec<f32>,
    rgba: Vec<Vec<u8>>,
}

#[wasm_bindgen]
impl Batch {
    /// Side in pixels.
    #[wasm_bindgen(getter)]
    pub fn side(&self) -> usize {
        self.side
    }

    /// RGBA bytes of all images, one after another.
    pub fn rgba(&self) -> Vec<u8> {
        self.rgba.concat()
    }

    /// `[n, 3, side, side]` in [-1, 1], row-major.
    pub fn values(&self) -> Vec<f32> {
        self.images_pm1.clone()
    }
}
