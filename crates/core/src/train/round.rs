//! One round of training: D's steps, then one of G.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::gradients::{Gradient, gradient_norm, squares};
use super::{
    BatchRows, Ranks, RealBatch, TrainConfig, TrainState, discriminator_step, generator_step,
};
use crate::error::Error;
use crate::named::read_values;
use crate::random::Stream;

/// Real images by their numbers in a run. `E` says why they could not be read.
pub trait Reals<E> {
    /// The given rows of the batch that follows `images_seen` images.
    ///
    /// # Errors
    /// If an image cannot be read.
    fn batch(
        &mut self,
        images_seen: u64,
        rows: &BatchRows,
        device: &Device,
    ) -> std::result::Result<RealBatch, E>;
}

/// Which networks take a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Which {
    /// D as often as the recipe says, then G.
    Both,
    /// D once.
    D,
    /// G once.
    G,
}

/// What is done with the gradients of the last step of each network, regularisers included. It changes
/// nothing of the training.
#[derive(Debug)]
pub enum Gradients<'a> {
    /// Nothing.
    Dropped,
    /// Their norms are reported.
    Measured,
    /// They are put here, under `discriminator` and `generator`.
    Kept(&'a mut BTreeMap<&'static str, Gradient>),
}

/// What a round measured; none of a network that took no step. D's values are means over its steps.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RoundReport {
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
    /// Norm of D's gradient, where it was [`Gradients::Measured`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gradient_norm_d: Option<f64>,
    /// Norm of G's gradient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gradient_norm_g: Option<f64>,
}

impl RoundReport {
    /// The counters of a state, and nothing measured.
    pub fn counters(state: &TrainState) -> Self {
        Self {
            g_step: state.g_step,
            d_step: state.d_step,
            images_seen: state.images_seen,
            ..Self::default()
        }
    }

    /// The losses and mean logits that were measured, with their names.
    pub fn values(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let all = [
            ("loss_d", self.loss_d),
            ("loss_g", self.loss_g),
            ("d_real", self.d_real),
            ("d_fake", self.d_fake),
        ];
        let measured = |(name, value): (_, Option<f64>)| Some((name, value?));
        all.into_iter().filter_map(measured)
    }

    /// Refuses values that are not finite.
    ///
    /// # Errors
    /// [`ErrorKind::NotFinite`](crate::ErrorKind::NotFinite) naming the first one.
    pub fn check_finite(&self) -> Result<(), Error> {
        let began = self.g_step - u64::from(self.loss_g.is_some());
        match self.values().find(|(_, value)| !value.is_finite()) {
            None => Ok(()),
            Some((name, value)) => {
                Err(Error::not_finite(name)
                    .found(format_args!("{value} at generator step {began}")))
            }
        }
    }
}

/// D's steps and one of G, or a single step of one of them, on this rank's part of the batch. Every random
/// number comes from the state's counters.
///
/// # State
/// As [`discriminator_step`] and [`generator_step`].
///
/// # Errors
/// If the device fails or an image cannot be read; the state is gone then. Values that are not finite are no
/// error here: see [`RoundReport::check_finite`].
pub async fn round<E: From<Error>>(
    mut state: TrainState,
    config: &TrainConfig,
    ranks: &Ranks,
    reals: &mut dyn Reals<E>,
    which: Which,
    mut gradients: Gradients<'_>,
    device: &Device,
) -> Result<(TrainState, RoundReport), E> {
    let d_steps = match which {
        Which::Both => config.d_steps,
        Which::D => 1,
        Which::G => 0,
    };
    let rows = BatchRows::new(config, ranks);
    let mut measured_d = [0.0; 3];
    let (mut norm_d, mut norm_g, mut loss_g) = (None, None, None);
    for step in 1..=d_steps {
        let real = reals.batch(next_real(&state, config), &rows, device)?;
        let fakes = config.fakes(Stream::DiscriminatorFakes, state.d_step, ranks, device);
        let measured;
        (state, measured) = discriminator_step(state, config, ranks, real, fakes)?;
        // relu hides a NaN logit from the hinge loss, so the logits are read too
        let scalars = [measured.loss, measured.real.mean(), measured.fake.mean()];
        let gradient = (step == d_steps).then_some(("discriminator", measured.gradients));
        let values;
        (values, norm_d) = read(scalars, gradient, &mut gradients).await?;
        let share = 1.0 / d_steps as f64;
        for (mean, value) in measured_d.iter_mut().zip(values) {
            *mean += share * value;
        }
    }
    if which != Which::D {
        let fakes = config.fakes(Stream::GeneratorFakes, state.g_step, ranks, device);
        let pairing = config.techniques.objective.pairs();
        let next = next_real(&state, config);
        let pairs = pairing.then(|| reals.batch(next, &rows, device));
        let pairs = pairs.transpose()?;
        let measured;
        (state, measured) = generator_step(state, config, ranks, fakes, pairs.as_ref())?;
        let gradient = Some(("generator", measured.gradients));
        let loss;
        ([loss], norm_g) = read([measured.loss], gradient, &mut gradients).await?;
        loss_g = Some(loss);
    }
    let [loss_d, d_real, d_fake] = measured_d.map(|mean| (d_steps > 0).then_some(mean));
    let report = RoundReport {
        loss_d,
        loss_g,
        d_real,
        d_fake,
        gradient_norm_d: norm_d,
        gradient_norm_g: norm_g,
        ..RoundReport::counters(&state)
    };
    Ok((state, report))
}

/// The number in the run of the real image that the next step begins with.
///
/// With a pairing objective each step of G takes a batch of its own from the same order, to compare its fakes with
/// images that D has not just learned from (R3GAN's `training/training_loop.py`: every phase, G's and D's, fetches
/// from one iterator).
fn next_real(state: &TrainState, config: &TrainConfig) -> u64 {
    let of_g = match config.techniques.objective.pairs() {
        true => state.g_step * config.batch_size as u64,
        false => 0,
    };
    state.images_seen + of_g
}

/// Reads scalars, and the norm of a gradient where it is wanted, from the device in one go.
async fn read<const N: usize>(
    scalars: [Tensor<1>; N],
    gradient: Option<(&'static str, Gradient)>,
    gradients: &mut Gradients<'_>,
) -> Result<([f64; N], Option<f64>), Error> {
    let mut all = Vec::from(scalars);
    let mut with_norm = false;
    match (gradient, gradients) {
        (Some((_, gradient)), Gradients::Measured) => {
            all.extend(squares(&gradient));
            with_norm = true;
        }
        (Some((network, gradient)), Gradients::Kept(kept)) => {
            kept.insert(network, gradient);
        }
        (None, _) | (_, Gradients::Dropped) => {}
    }
    let values = read_values(Tensor::cat(all, 0)).await?;
    let norm = with_norm.then(|| gradient_norm(&values[N..]));
    Ok((std::array::from_fn(|i| f64::from(values[i])), norm))
}
