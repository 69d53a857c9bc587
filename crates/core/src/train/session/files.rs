//! The files of a session: checkpoints, models, images.

use serde_json::{Map, Value};

use super::super::{CheckpointInfo, ModelCard, TrainState, averaged_model, finite_tensors};
use super::Session;
use super::others::{RECIPE, refuse_others};
use crate::error::{Error, Result};
use crate::file::Dtype;
use crate::standing_stats::StandingConfig;
use crate::truncation::Truncation;

/// Thresholds with their own statistics in a model: those of the paper's figure 2.
const THRESHOLDS: [f64; 5] = [0.04, 0.5, 1.0, 1.5, 2.0];
/// Batches for each row of statistics: fewer than in `native-train export`, since a page waits.
const PASSES: usize = 16;

impl Session {
    /// Continues from a checkpoint of the same images and networks; rates, batch size and the like are those
    /// of this session's recipe. If it fails, the state is unchanged.
    ///
    /// # Errors
    /// If the bytes are not a checkpoint of this version, are of other images, networks or seed, or of a run with
    /// techniques that this session would drop.
    pub fn resume(&mut self, checkpoint: &[u8]) -> Result<()> {
        let (info, tensors) = CheckpointInfo::decode(checkpoint)?;
        refuse_others(&info, self)?;
        let state = TrainState::from_host(&self.config, &info.counters, tensors, &self.device)?;
        self.state = Some(state);
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
