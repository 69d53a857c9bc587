//! A small training as one thing to talk to: what a browser drives step by step.
//!
//! The steps are those of `native-train`'s rounds with the same random numbers, so that the same data and
//! recipe give the same training there.

mod files;
#[cfg(test)]
mod tests;

use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::{
    Look, Order, Ranks, RealBatch, ShortRecipe, TrainConfig, TrainState, TrainingImages,
    discriminator_step, generator_step, look,
};
use crate::error::{Error, Result};
use crate::named::read_values;
use crate::random::Stream;

/// Which networks take a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Which {
    /// D as often as the recipe says, then G: a round of `native-train`.
    Both,
    /// D once.
    D,
    /// G once.
    G,
}

/// What a step measured; none of a network that took no step. D's values are means over its steps.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionReport {
    /// Steps of G so far.
    pub g_step: u64,
    /// Steps of D so far.
    pub d_step: u64,
    /// Real images seen by D so far.
    pub images_seen: u64,
    /// Loss of D.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss_d: Option<f64>,
    /// Loss of G.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss_g: Option<f64>,
    /// Mean logit of real images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub d_real: Option<f64>,
    /// Mean logit of fake images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub d_fake: Option<f64>,
}

/// A training: recipe, images and state.
#[derive(Debug)]
pub struct Session {
    recipe: ShortRecipe,
    config: TrainConfig,
    images: TrainingImages,
    order: Order,
    device: Device,
    /// A browser trains alone.
    ranks: Ranks,
    /// None after a step that failed.
    state: Option<TrainState>,
    /// The real images that D saw last, where G's objective pairs with them.
    pairs: Option<RealBatch>,
}

impl Session {
    /// A training at its beginning.
    ///
    /// # Errors
    /// If the recipe cannot be built.
    pub fn start(recipe: ShortRecipe, images: TrainingImages, device: Device) -> Result<Self> {
        let config = recipe.config(images.resolution(), images.class_names().len())?;
        let state = TrainState::new(&config, &device)?;
        Ok(Self {
            order: images.order(config.seed),
            recipe,
            config,
            images,
            device,
            ranks: Ranks::single(),
            state: Some(state),
            pairs: None,
        })
    }

    /// The images.
    pub fn images(&self) -> &TrainingImages {
        &self.images
    }

    /// Takes a step.
    ///
    /// # Errors
    /// If the device fails or a value is not finite. The state is gone then: [`Session::resume`] brings
    /// back an earlier one.
    pub async fn step(&mut self, which: Which) -> Result<SessionReport> {
        let mut report = SessionReport::default();
        let d_steps = match which {
            Which::Both => self.config.d_steps,
            Which::D => 1,
            Which::G => 0,
        };
        let share = 1.0 / d_steps as f64;
        for _ in 0..d_steps {
            let [loss, real, fake] = self.step_d().await?;
            let add =
                |to: &mut Option<f64>, value: f64| *to = Some(to.unwrap_or(0.0) + share * value);
            add(&mut report.loss_d, loss);
            add(&mut report.d_real, real);
            add(&mut report.d_fake, fake);
        }
        if which != Which::D {
            report.loss_g = Some(self.step_g().await?);
        }
        let state = self.state()?;
        report.g_step = state.g_step;
        report.d_step = state.d_step;
        report.images_seen = state.images_seen;
        Ok(report)
    }

    /// Loss, and mean logits of reals and fakes.
    async fn step_d(&mut self) -> Result<[f64; 3]> {
        let state = self.take_state()?;
        let config = &self.config;
        let first = state.images_seen;
        let indices = self.order.indices(first..first + config.batch_size as u64);
        let real = self.images.batch(&indices, &self.device);
        let fakes = config.fakes(
            Stream::DiscriminatorFakes,
            state.d_step,
            &self.ranks,
            &self.device,
        );
        let pairing = config.techniques.objective.pairs();
        self.pairs = pairing.then(|| real.clone());
        let (state, measured) = discriminator_step(state, config, &self.ranks, real, fakes)?;
        // relu hides a NaN logit from the hinge loss, so the logits are read too
        let scalars = [measured.loss, measured.real.mean(), measured.fake.mean()];
        let values = read_finite(scalars, ["loss_d", "d_real", "d_fake"], &state).await?;
        self.state = Some(state);
        Ok(values)
    }

    /// Loss.
    async fn step_g(&mut self) -> Result<f64> {
        let state = self.take_state()?;
        let config = &self.config;
        let fakes = config.fakes(
            Stream::GeneratorFakes,
            state.g_step,
            &self.ranks,
            &self.device,
        );
        let (state, measured) =
            generator_step(state, config, &self.ranks, fakes, self.pairs.as_ref())?;
        let [loss] = read_finite([measured.loss], ["loss_g"], &state).await?;
        self.state = Some(state);
        Ok(loss)
    }

    fn state(&self) -> Result<&TrainState> {
        self.state.as_ref().ok_or_else(gone)
    }

    fn take_state(&mut self) -> Result<TrainState> {
        self.state.take().ok_or_else(gone)
    }

    /// What the networks look like; see [`look`].
    ///
    /// # Errors
    /// As [`look`].
    pub async fn look(&self, per_class: usize, scored: usize) -> Result<Look> {
        let counts = [per_class, scored];
        look(
            self.state()?,
            &self.config,
            &self.images,
            counts,
            &self.device,
        )
        .await
    }

    /// Counters of the state, as a step without losses.
    ///
    /// # Errors
    /// If the state is gone.
    pub fn counters(&self) -> Result<SessionReport> {
        let state = self.state()?;
        Ok(SessionReport {
            g_step: state.g_step,
            d_step: state.d_step,
            images_seen: state.images_seen,
            ..SessionReport::default()
        })
    }
}

fn gone() -> Error {
    Error::request("the training state")
        .found("lost: a step failed and took it along")
        .remedy("load a checkpoint")
}

async fn read_finite<const N: usize>(
    scalars: [Tensor<1>; N],
    names: [&str; N],
    state: &TrainState,
) -> Result<[f64; N]> {
    let values = read_values(Tensor::cat(scalars.into(), 0)).await?;
    for (name, value) in names.into_iter().zip(&values) {
        if !value.is_finite() {
            return Err(Error::not_finite(name)
                .found(value)
                .remedy(
                    "training diverged: go back to the last checkpoint with lower learning rates",
                )
                .within(format_args!(
                    "after {} steps of G and {} of D",
                    state.g_step, state.d_step
                )));
        }
    }
    Ok(std::array::from_fn(|i| f64::from(values[i])))
}
