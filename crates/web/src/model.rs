//! A model on a device, and the images it draws.

use std::collections::BTreeMap;

use biggan::file::{ModelFile, ModelInfo, OpenModel, ReadAt};
use biggan::import::{self, Source};
use biggan::request::{MAX_MIXED, Picture};
use biggan::sampler::{MAX_SAMPLES, Sampler};
use biggan::shape::NetworkShape;
use biggan::truncation::{Truncation, TruncationKind};
use burn::tensor::Device;
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::error::Thrown;

/// A model that answers requests for samples.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Model {
    sampler: Sampler,
}

/// The facts about a model that the page shows.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Info<'a> {
    class_names: &'a [String],
    /// Ids of the classes in an external vocabulary; empty if there are none.
    class_ids: &'a [String],
    /// Side of an image in pixels.
    resolution: usize,
    z_dim: usize,
    /// Chunks of z that can be rotated separately.
    chunks: usize,
    parameters: u64,
    architecture: &'a str,
    truncation_kind: TruncationKind,
    /// Smallest and largest truncation besides off; `None` if the latents cannot be truncated.
    truncation_range: Option<[f64; 2]>,
    /// `null` is off.
    truncations: &'a [Truncation],
    dataset: &'a str,
    dataset_images: usize,
    recipe: &'a str,
    images_seen: u64,
    g_step: u64,
    scores: &'a BTreeMap<String, f64>,
    /// The program that a foreign file came from.
    imported: Option<&'a str>,
    max_count: usize,
    max_mixed: usize,
}

impl<'a> Info<'a> {
    fn new(info: &'a ModelInfo) -> biggan::Result<Self> {
        let ModelInfo {
            generator,
            provenance,
            ..
        } = info;
        let truncates = generator.latent.truncates();
        Ok(Self {
            class_names: &info.class_names,
            class_ids: &info.class_ids,
            resolution: generator.resolution,
            z_dim: generator.z_dim,
            chunks: generator.z_chunks()?,
            parameters: NetworkShape::generator(generator)?.parameters(),
            architecture: generator.architecture.name(),
            truncation_kind: info.truncation_kind,
            truncation_range: truncates.then(|| info.truncation_kind.range()),
            truncations: &info.statistics.truncations,
            dataset: &info.dataset.name,
            dataset_images: info.dataset.images,
            recipe: &provenance.recipe,
            images_seen: provenance.images_seen,
            g_step: provenance.g_step,
            scores: &info.scores,
            imported: provenance
                .imported
                .as_ref()
                .map(|imported| imported.source.as_str()),
            max_count: MAX_SAMPLES,
            max_mixed: MAX_MIXED,
        })
    }
}

impl Model {
    /// From one file.
    pub(crate) fn load(file: &[u8], device: &Device) -> biggan::Result<Self> {
        let sampler = Sampler::open(OpenModel::file(file)?, device)?;
        Ok(Self { sampler })
    }

    /// From one file, read where it lies.
    pub(crate) fn load_at(file: &dyn ReadAt, device: &Device) -> biggan::Result<Self> {
        let sampler = Sampler::open(OpenModel::file_at(file)?, device)?;
        Ok(Self { sampler })
    }

    /// From an index and all of its parts.
    pub(crate) fn load_shards(
        index: &[u8],
        parts: &BTreeMap<String, Vec<u8>>,
        device: &Device,
    ) -> biggan::Result<Self> {
        let sampler = Sampler::open(OpenModel::shards(index, parts)?, device)?;
        Ok(Self { sampler })
    }

    /// From PyTorch's weights of another program.
    pub(crate) fn import(
        weights: &[u8],
        config: Option<&str>,
        device: &Device,
    ) -> biggan::Result<Self> {
        let (file, _): (ModelFile, _) = import::model(Source::detect(weights)?, weights, config)?;
        let sampler = Sampler::new(file, device)?;
        Ok(Self { sampler })
    }
}

#[wasm_bindgen]
impl Model {
    /// The model's classes, shape, truncations, origin and scores, as JSON.
    ///
    /// # Errors
    /// If the info cannot be written as JSON.
    pub fn info(&self) -> Result<String, Thrown> {
        Ok(serde_json::to_string(&Info::new(self.sampler.info())?)?)
    }

    /// Pictures at a truncation (`None` is off); `pictures` is the JSON of an array of the core's
    /// `request::Picture`.
    ///
    /// # Errors
    /// If the request is out of range or the device fails.
    pub async fn draw(&self, pictures: String, truncation: Option<f64>) -> Result<Batch, Thrown> {
        let pictures: Vec<Picture> = serde_json::from_str(&pictures)?;
        let truncation = Truncation::try_from(truncation)?;
        let samples = self.sampler.draw(&pictures, truncation).await?;
        let rgba = samples.rgba()?;
        Ok(Batch {
            side: samples.side,
            rgba,
        })
    }
}

/// Images of one request.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Batch {
    side: usize,
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
}
