//! One discriminator step (BigGAN sec. 3; BigGAN-PyTorch `train_fns.py:34-61`).

use burn::module::Module;
use burn::tensor::Tensor;

use super::batch::{RealBatch, Seen, augmented, check_pairs, power_step};
use super::gradient_penalty::gradient_penalty;
use super::gradients::{Gradient, add_scaled, named_gradients};
use super::{Controls, TrainConfig, TrainState};
use crate::error::Result;
use crate::latent::Latents;
use crate::layers::{Pass, PowerStep};
use crate::model::Discriminator;

/// What a discriminator step measured; nothing is read from the device yet.
#[derive(Debug, Clone)]
pub struct DiscriminatorReport {
    /// Of the objective, regularisers left out, `[1]`.
    pub loss: Tensor<1>,
    /// Logits of the real images `[n, 1]`.
    pub real: Tensor<2>,
    /// Logits of the fake images `[n, 1]`.
    pub fake: Tensor<2>,
    /// The fake images `[n, 3, r, r]`.
    pub fake_images: Tensor<4>,
    /// `E || grad_x D ||^2 / 2` on reals (R1) and fakes (R2), `[1]`, where it acted.
    pub penalties: [Option<Tensor<1>>; 2],
    /// Gradients by parameter name, regularisers included.
    pub gradients: Gradient,
}

/// Updates D on real images and on fakes that carry no graph.
///
/// One pass of D over fakes and reals joined: each spectral norm takes one power step. With a
/// pairing objective the fakes take the classes of the reals.
///
/// # State
/// D, its optimiser, G's statistics and singular vectors (its weights not), the controls of LeCam and
/// ADA, counters.
///
/// # Errors
/// If there are not as many reals as fakes where they are paired or computed in parts; as the
/// optimiser.
pub fn discriminator_step(
    mut state: TrainState,
    config: &TrainConfig,
    real: RealBatch,
    mut fakes: Latents,
) -> Result<(TrainState, DiscriminatorReport)> {
    let techniques = &config.techniques;
    let [n, m] = [fakes.z.dims()[0], real.images.dims()[0]];
    let parts = techniques.parts(n);
    let whole = parts.len() == 1;
    if techniques.objective.pairs() || !whole {
        check_pairs(m, n)?;
    }
    if techniques.objective.pairs() {
        fakes.class_weights = real.class_weights.clone();
    }
    let fake_images = state
        .generator
        .forward(fakes.z, fakes.class_weights.clone(), Pass::TRAIN);
    let as_seen = |batch: RealBatch, first| RealBatch {
        images: augmented(
            batch.images,
            &state.controls,
            config,
            Seen::ByD,
            state.d_step,
            first,
        ),
        ..batch
    };
    let fake = RealBatch {
        images: fake_images.clone(),
        class_weights: fakes.class_weights,
    };
    let (fake, real) = (as_seen(fake, 0), as_seen(real, n));

    let mut gradients = Gradient::new();
    let penalties = [(&techniques.r1, &real), (&techniques.r2, &fake)].map(|(penalty, images)| {
        let factor = penalty.and_then(|p| p.factor(state.d_step))?;
        let parts = techniques.parts(images.images.dims()[0]);
        let batches = parts.into_iter().map(|part| images.part(part)).collect();
        let d = &state.discriminator;
        Some(add_penalty(&mut gradients, d, batches, factor))
    });

    let mut loss = Tensor::zeros([1], &fake_images.device());
    let (mut real_logits, mut fake_logits) = (Vec::new(), Vec::new());
    for part in parts {
        let share = part.len() as f64 / n as f64;
        let step = power_step(part.end, n);
        let reals = if whole { 0..m } else { part.clone() };
        let batches = [fake.part(part), real.part(reals)];
        let mut discriminator = state.discriminator.train();
        let scored = score(
            &mut discriminator,
            batches,
            config,
            &state.controls,
            state.d_step,
            step,
        );
        state.discriminator = discriminator.valid();
        add_scaled(&mut gradients, scored.gradients, share);
        loss = loss + scored.loss * share;
        real_logits.push(scored.real);
        fake_logits.push(scored.fake);
    }
    let [real_logits, fake_logits] = [real_logits, fake_logits].map(|parts| Tensor::cat(parts, 0));
    state.controls = state
        .controls
        .after(techniques, real_logits.clone(), fake_logits.clone());
    let report = DiscriminatorReport {
        loss,
        real: real_logits,
        fake: fake_logits,
        fake_images,
        penalties,
        gradients: gradients.clone(),
    };
    state.discriminator = state
        .adam_d
        .step(&config.adam_d, state.discriminator, gradients)?;
    state.d_step += 1;
    state.images_seen += m as u64;
    Ok((state, report))
}

/// What D makes of a part.
struct Scored {
    loss: Tensor<1>,
    real: Tensor<2>,
    fake: Tensor<2>,
    gradients: Gradient,
}

/// D's loss on fakes and reals in one pass, with its gradients.
fn score(
    discriminator: &mut Discriminator,
    [fakes, reals]: [RealBatch; 2],
    config: &TrainConfig,
    controls: &Controls,
    d_step: u64,
    step: PowerStep,
) -> Scored {
    let techniques = &config.techniques;
    let [n, m] = [fakes.images.dims()[0], reals.images.dims()[0]];
    let images = Tensor::cat(vec![fakes.images, reals.images], 0).autodiff();
    let classes = Tensor::cat(vec![fakes.class_weights, reals.class_weights], 0).autodiff();
    let logits = discriminator.forward(images, classes, step); // [n + m, 1]
    let fake = logits.clone().narrow(0, 0, n);
    let real = logits.narrow(0, n, m);
    let loss = techniques
        .objective
        .discriminator(real.clone(), fake.clone());
    let total = match techniques.lecam.filter(|l| d_step >= l.start_step) {
        Some(lecam) => {
            let penalty = controls.anchors.penalty(real.clone(), fake.clone());
            loss.clone() + penalty * lecam.strength
        }
        None => loss.clone(),
    };
    Scored {
        gradients: named_gradients(discriminator, total.backward()),
        loss: loss.without_autodiff(),
        real: real.without_autodiff(),
        fake: fake.without_autodiff(),
    }
}

/// Adds a gradient penalty to D's gradients; returns its value without gamma.
fn add_penalty(
    gradients: &mut Gradient,
    discriminator: &Discriminator,
    parts: Vec<RealBatch>,
    factor: f64,
) -> Tensor<1> {
    let n: usize = parts.iter().map(|part| part.images.dims()[0]).sum();
    let values = parts.into_iter().map(|part| {
        let share = part.images.dims()[0] as f64 / n as f64;
        let report = gradient_penalty(discriminator, part.images, part.class_weights);
        add_scaled(gradients, report.gradients, factor * share);
        report.value * share
    });
    Tensor::cat(values.collect(), 0).sum()
}
