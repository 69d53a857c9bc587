//! What a person sees of a session's networks.

use std::collections::BTreeMap;

use super::Session;
use crate::error::Result;
use crate::image::to_rgba;
use crate::named::read_values;
use crate::train::{largest_singular, probe};

/// Most images of each kind.
const MAX_IMAGES: usize = 256;

/// Images with their classes and, where D was asked, its logits.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pictures {
    /// RGBA bytes, one after another.
    pub rgba: Vec<Vec<u8>>,
    /// Class of each.
    pub classes: Vec<usize>,
    /// D's logit of each; above 0 it takes the image for real.
    pub scores: Vec<f32>,
}

/// What a probe found.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbeReport {
    /// Of the averaged G: [`probe::grid`].
    pub grid: Pictures,
    /// Training images, always the same.
    pub real: Pictures,
    /// Of the live G: [`probe::fakes`].
    pub fake: Pictures,
    /// Largest singular value of every weight, before spectral norm, by `generator.<name>` and
    /// `discriminator.<name>`.
    pub sigmas: BTreeMap<String, f32>,
}

impl Session {
    /// Probes the state: `per_class` images of every class, and `scored` images of each kind.
    ///
    /// # Errors
    /// If the state is gone, the device fails or a network produces values that are not finite.
    pub async fn probe(&self, per_class: usize, scored: usize) -> Result<ProbeReport> {
        let scored = scored.min(MAX_IMAGES);
        Ok(ProbeReport {
            sigmas: largest_singular(&probe::weights(self.state()?)).await?,
            grid: self.grid(per_class).await?,
            real: self.reals(scored).await?,
            fake: self.fakes(scored).await?,
        })
    }

    async fn grid(&self, per_class: usize) -> Result<Pictures> {
        let (average, classes) = (&self.state()?.ema.generator, self.config.generator.classes);
        let per_class = per_class.min(MAX_IMAGES / classes);
        if per_class == 0 {
            return Ok(Pictures::default());
        }
        let counts = [per_class, classes];
        let (images, classes) =
            probe::grid(average, self.config.seed, counts, &self.device).await?;
        Ok(Pictures {
            rgba: to_rgba(&images, self.config.generator.resolution)?,
            classes,
            scores: vec![],
        })
    }

    async fn reals(&self, count: usize) -> Result<Pictures> {
        let images = self.images.images();
        let chosen = probe::chosen_reals(self.config.seed, images.len(), count);
        if chosen.is_empty() {
            return Ok(Pictures::default());
        }
        let batch = images.batch(&chosen, &self.device);
        Ok(Pictures {
            rgba: chosen.iter().map(|&index| images.rgba(index)).collect(),
            classes: chosen.iter().map(|&index| images.label(index)).collect(),
            scores: probe::logits(&self.state()?.discriminator, batch).await?,
        })
    }

    async fn fakes(&self, count: usize) -> Result<Pictures> {
        let (state, config) = (self.state()?, &self.config);
        let mut made = Pictures::default();
        for number in 0..count.div_ceil(config.batch_size) as u64 {
            let fakes = probe::fakes(state, config, number, &self.device).await?;
            let images = read_values(fakes.images).await?;
            made.rgba
                .extend(to_rgba(&images, config.generator.resolution)?);
            made.classes.extend(fakes.labels);
            made.scores.extend(fakes.logits);
        }
        made.rgba.truncate(count);
        made.classes.truncate(count);
        made.scores.truncate(count);
        Ok(made)
    }
}
