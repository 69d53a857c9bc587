//! The files of a session: checkpoints, models, images.

use serde_json::{Map, Value};

use super::super::{
    CheckpointInfo, ModelCard, TrainConfig, TrainState, averaged_model, finite_tensors,
};
use super::Session;
use crate::error::{Error, Result};
use crate::file::Dtype;
use crate::standing_stats::StandingConfig;
use crate::truncation::Truncation;

/// Metadata key of the [`ShortRecipe`] in a checkpoint.
const RECIPE: &str = "recipe";
/// Thresholds with their own statistics in a model: those of the paper's figure 2.
const THRESHOLDS: [f64; 5] = [0.04, 0.5, 1.0, 1.5, 2.0];
/// Batches for each row of statistics: fewer than in `native-train export`, since a page waits.
const PASSES: usize = 16;

impl Session {
    /// Continues from a checkpoint of the same images and networks; rates, batch size and the like are those
    /// of this session's recipe. If it fails, the state is unchanged.
    ///
    /// # Errors
    /// If the bytes are not a checkpoint of this version, or are of other images, networks or seed.
    pub fn resume(&mut self, checkpoint: &[u8]) -> Result<()> {
        let (info, tensors) = CheckpointInfo::decode(checkpoint)?;
        self.refuse_others(&info)?;
        let state = TrainState::from_host(&self.config, &info.counters, tensors, &self.device)?;
        self.state = Some(state);
        Ok(())
    }

    fn refuse_others(&self, info: &CheckpointInfo) -> Result<()> {
        let ours = self.images.images().info();
        if info.dataset.same_images(ours) != Some(true) {
            return Err(Error::file("the checkpoint")
                .found(format_args!(
                    "of other images: {} of {:?} with SHA-256 {}",
                    info.dataset.images,
                    info.dataset.name,
                    info.dataset.sha256.join(", ")
                ))
                .expected(format_args!(
                    "{} of {:?} with {}",
                    ours.images,
                    ours.name,
                    ours.sha256.join(", ")
                ))
                .remedy("open the images it was trained on"));
        }
        let networks = |config: &TrainConfig| {
            let parts = (&config.generator, &config.discriminator, config.seed);
            serde_json::to_string(&parts).unwrap_or_default()
        };
        let (there, here) = (networks(&info.config), networks(&self.config));
        if there != here {
            return Err(Error::file("the checkpoint")
                .found(format_args!("of other networks or another seed: {there}"))
                .expected(here)
                .remedy("choose its width, z, attention and seed"));
        }
        Ok(())
    }

    /// The whole state as a checkpoint. `plan` is what another program needs to go on with it, next to the
    /// configuration.
    ///
    /// # Errors
    /// If a value is not finite, or the device fails.
    pub async fn checkpoint(&self, plan: Map<String, Value>) -> Result<Vec<u8>> {
        let state = self.state()?;
        let tensors = finite_tensors(state).await?;
        let recipe = serde_json::to_string(&self.recipe)
            .map_err(|error| Error::file("the recipe").not_writable(error))?;
        let info = CheckpointInfo {
            config: self.config.clone(),
            plan,
            dataset: self.images.images().info().clone(),
            class_names: self.images.images().class_names().to_vec(),
            counters: state.counters(),
            more: [(RECIPE.to_owned(), recipe)].into(),
        };
        info.encode(&tensors)
    }

    /// The averaged generator with its statistics as a model file, which names the program and the recipe.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn model(&self, program: &str, recipe: &str) -> Result<Vec<u8>> {
        let config = &self.config;
        let card = ModelCard {
            class_names: self.images.images().class_names().to_vec(),
            dataset: self.images.images().info().clone(),
            program: program.to_owned(),
            recipe: recipe.to_owned(),
            seed: config.seed,
        };
        let thresholds = THRESHOLDS.map(Truncation::Threshold);
        let truncations = [&[Truncation::Off], &thresholds[..]].concat();
        let standing = StandingConfig {
            passes: PASSES,
            batch_size: config.batch_size,
            seed: config.seed,
        };
        let (state, device) = (self.state()?, &self.device);
        let (dtype, on_row) = (Dtype::F16, |_| ());
        let model =
            averaged_model(state, card, truncations, standing, dtype, device, on_row).await?;
        model.encode(dtype)
    }
}
