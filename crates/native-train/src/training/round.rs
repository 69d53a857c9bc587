//! One round of training: D's steps, then one of G.

use anyhow::Result;
use biggan::named::read_values;
use biggan::random::Stream;
use biggan::train::{
    Gradient, Ranks, TrainConfig, TrainState, discriminator_step, generator_step, gradient_norm,
    squares,
};
use burn::tensor::{Device, Tensor};

use crate::dataset::{BatchRows, Loader};

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
    /// Norms of the gradients, where they were asked for.
    pub gradient_norms: Option<GradientNorms>,
}

/// Euclidean norms of the gradients of whole networks, regularisers included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GradientNorms {
    /// Of D, in the last of its steps.
    pub discriminator: f64,
    /// Of G.
    pub generator: f64,
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
    /// [`biggan::ErrorKind::NotFinite`] naming the first one.
    pub fn check_finite(&self, g_step: u64) -> Result<(), biggan::Error> {
        match self.values().into_iter().find(|(_, v)| !v.is_finite()) {
            None => Ok(()),
            Some((name, value)) => Err(biggan::Error::not_finite(name)
                .found(value)
                .within(format_args!("generator step {g_step}"))),
        }
    }
}

/// `d_steps` steps of D and one of G, of this rank's part of the batch. Every random number comes from the state's counters. The norms
/// of the gradients are measured only on demand; they change nothing.
///
/// # Errors
/// If the device fails or an image cannot be read; the state is gone then.
pub fn round(
    mut state: TrainState,
    config: &TrainConfig,
    ranks: &Ranks,
    loader: &mut Loader,
    with_norms: bool,
    device: &Device,
) -> Result<(TrainState, RoundReport)> {
    let mut report = RoundReport::default();
    let mut pairs = None;
    let mut norm_d = None;
    let rows = BatchRows::of(config, ranks);
    for step in 1..=config.d_steps {
        let real = loader.batch(state.images_seen, &rows, device)?;
        let fakes = config.fakes(Stream::DiscriminatorFakes, state.d_step, ranks, device);
        // a pairing objective compares G's fakes with the reals that D saw last (R3GAN's loop)
        pairs = config.techniques.objective.pairs().then(|| real.clone());
        let measured;
        (state, measured) = discriminator_step(state, config, ranks, real, fakes)?;
        // relu hides a NaN logit from the hinge loss, so the logits are read too
        let scalars = [measured.loss, measured.real.mean(), measured.fake.mean()];
        let last = with_norms && step == config.d_steps;
        let [loss, real, fake];
        ([loss, real, fake], norm_d) = read(scalars, last.then_some(&measured.gradients))?;
        let share = 1.0 / config.d_steps as f64;
        report.loss_d += share * loss;
        report.d_real += share * real;
        report.d_fake += share * fake;
    }
    let fakes = config.fakes(Stream::GeneratorFakes, state.g_step, ranks, device);
    let (state, measured) = generator_step(state, config, ranks, fakes, pairs.as_ref())?;
    let norm_g;
    ([report.loss_g], norm_g) = read([measured.loss], with_norms.then_some(&measured.gradients))?;
    report.gradient_norms = norm_d.zip(norm_g).map(|(d, g)| GradientNorms {
        discriminator: d,
        generator: g,
    });
    Ok((state, report))
}

/// Reads scalars, and the norm of a gradient, from the device in one go.
fn read<const N: usize>(
    scalars: [Tensor<1>; N],
    gradient: Option<&Gradient>,
) -> Result<([f64; N], Option<f64>)> {
    let all = scalars.into_iter().chain(gradient.and_then(squares));
    let values = pollster::block_on(read_values(Tensor::cat(all.collect(), 0)))?;
    let norm = gradient.map(|_| gradient_norm(&values[N..]));
    Ok((std::array::from_fn(|i| f64::from(values[i])), norm))
}
