//! A small run as a single object that a browser drives step by step.
//!
//! The steps are those of `native-train`'s rounds with the same random numbers, so that the same data and
//! recipe give the same training there.

mod files;
mod others;
mod probe;
#[cfg(test)]
mod tests;

use burn::tensor::Device;

pub use probe::{Pictures, ProbeReport};

use super::{
    Gradients, InOrder, Pretrained, Ranks, RoundReport, ShortRecipe, TrainConfig, TrainState,
    TrainingImages, Which, round,
};
use crate::error::{Error, Result};

/// A run: recipe, images and state.
#[derive(Debug)]
pub struct Session {
    recipe: ShortRecipe,
    config: TrainConfig,
    images: InOrder,
    device: Device,
    /// None after a step that failed.
    state: Option<TrainState>,
}

impl Session {
    /// A new run.
    ///
    /// # Errors
    /// If the recipe cannot be built.
    pub fn start(recipe: ShortRecipe, images: TrainingImages, device: Device) -> Result<Self> {
        let config = recipe.config(images.resolution(), images.class_names().len())?;
        let state = TrainState::new(&config, &device)?;
        Ok(Self::at(state, recipe, config, images, device))
    }

    /// A new run from trained networks, of a model file or a checkpoint; new classes start as old ones, and D is new if
    /// there is none.
    ///
    /// # Errors
    /// As [`Session::start`]; if the bytes are neither, or the networks are not those of the recipe and the images.
    pub fn start_from(
        networks: &[u8],
        recipe: ShortRecipe,
        images: TrainingImages,
        device: Device,
    ) -> Result<Self> {
        let config = recipe.config(images.resolution(), images.class_names().len())?;
        let networks = Pretrained::decode(networks)?;
        let starts = networks.class_starts(images.class_names(), config.seed);
        let state = networks.begin(&config, &starts, &device)?;
        Ok(Self::at(state, recipe, config, images, device))
    }

    fn at(
        state: TrainState,
        recipe: ShortRecipe,
        config: TrainConfig,
        images: TrainingImages,
        device: Device,
    ) -> Self {
        Self {
            images: images.in_order(config.seed),
            recipe,
            config,
            device,
            state: Some(state),
        }
    }

    /// The images.
    pub fn images(&self) -> &TrainingImages {
        self.images.images()
    }

    /// Takes a step.
    ///
    /// # Errors
    /// If the device fails or a value is not finite. The state is gone then: [`Session::resume`] brings
    /// back an earlier one.
    pub async fn step(&mut self, which: Which) -> Result<RoundReport> {
        let (state, report) = round(
            self.state.take().ok_or_else(gone)?,
            &self.config,
            &Ranks::single(),
            &mut self.images,
            which,
            Gradients::Dropped,
            &self.device,
        )
        .await?;
        report.check_finite().map_err(|error| {
            error.remedy(
                "training diverged: go back to the last checkpoint with lower learning rates",
            )
        })?;
        self.state = Some(state);
        Ok(report)
    }

    fn state(&self) -> Result<&TrainState> {
        self.state.as_ref().ok_or_else(gone)
    }

    /// Counters of the state, as a round that measured nothing.
    ///
    /// # Errors
    /// If the state is gone.
    pub fn counters(&self) -> Result<RoundReport> {
        Ok(RoundReport::counters(self.state()?))
    }
}

fn gone() -> Error {
    Error::request("the training state")
        .found("lost: a step failed and took it along")
        .remedy("load a checkpoint")
}
