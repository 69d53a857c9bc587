//! One round of training: D's steps, then one of G.

use anyhow::Result;
use biggan::named::read_values;
use biggan::random::Stream;
use biggan::train::{TrainConfig, TrainState, discriminator_step, generator_step};
use burn::tensor::{Device, Tensor};

use crate::dataset::Loader;

/// What a round measured; D's values are means over its steps.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RoundReport {
    /// Loss of D.
    pub loss_d: f64,
    /// Loss of G.
    pub loss_g: f64,
    /// Mean logit of real images.
    pub d_real: f64,
    /// Mean logit of fake images.
    pub d_fake: f64,
}

impl RoundReport {
    /// The values with their names.
    pub fn values(&self) -> [(&'static str, f64); 4] {
        [
            ("loss_d", self.loss_d),
            ("loss_g", self.loss_g),
            ("d_real", self.d_real),
            ("d_fake", self.d_fake),
        ]
    }

    /// Refuses values that are not finite, of the round that began at generator step `g_step`.
    ///
    /// # Errors
    /// [`biggan::Error::NotFinite`] naming the first one.
    pub fn check_finite(&self, g_step: u64) -> Result<(), biggan::Error> {
        match self.values().into_iter().find(|(_, v)| !v.is_finite()) {
            None => Ok(()),
            Some((name, value)) => Err(biggan::Error::NotFinite(format!(
                "{name} is {value} at generator step {g_step}"
            ))),
        }
    }
}

/// `d_steps` steps of D and one of G. Every random number comes from the state's counters.
///
/// # Errors
/// If the device fails; the state is gone then.
pub fn round(
    mut state: TrainState,
    config: &TrainConfig,
    loader: &mut Loader,
    device: &Device,
) -> Result<(TrainState, RoundReport)> {
    let mut report = RoundReport::default();
    let mut pairs = None;
    for _ in 0..config.d_steps {
        let real = loader.batch(state.images_seen, config.batch_size, device);
        let fakes = config.fakes(Stream::DiscriminatorFakes, state.d_step, device);
        // a pairing objective compares G's fakes with the reals that D saw last (R3GAN's loop)
        pairs = config.techniques.objective.pairs().then(|| real.clone());
        let measured;
        (state, measured) = discriminator_step(state, config, real, fakes)?;
        // one read a step; relu hides a NaN logit from the hinge loss, so the logits are read too
        let [loss, real, fake] = read([measured.loss, measured.real.mean(), measured.fake.mean()])?;
        let share = 1.0 / config.d_steps as f64;
        report.loss_d += share * loss;
        report.d_real += share * real;
        report.d_fake += share * fake;
    }
    let fakes = config.fakes(Stream::GeneratorFakes, state.g_step, device);
    let (state, measured) = generator_step(state, config, fakes, pairs.as_ref())?;
    [report.loss_g] = read([measured.loss])?;
    Ok((state, report))
}

/// Reads scalars from the device, together.
fn read<const N: usize>(scalars: [Tensor<1>; N]) -> Result<[f64; N]> {
    let values = pollster::block_on(read_values(Tensor::cat(scalars.to_vec(), 0)))?;
    Ok(std::array::from_fn(|index| f64::from(values[index])))
}
