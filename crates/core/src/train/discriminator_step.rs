//! One discriminator step (BigGAN sec. 3; BigGAN-PyTorch `train_fns.py:34-61`).

use burn::module::Module;
use burn::tensor::Tensor;

use super::batch::{RealBatch, Seen, augmented};
use super::gradient_penalty::gradient_penalty;
use super::gradients::{Gradient, add_scaled, named_gradients};
use super::ranks::{Part, Ranks, gather_pair};
use super::{Controls, TrainConfig, TrainState};
use crate::error::Result;
use crate::latent::Latents;
use crate::layers::{NormMode, Updates};
use crate::model::Discriminator;

/// What a discriminator step measured; nothing is read from the device yet.
#[derive(Debug, Clone)]
pub struct DiscriminatorReport {
    /// The objective without regularisers, `[1]`.
    pub loss: Tensor<1>,
    /// Logits of the real images `[n, 1]`, of all ranks, like the loss.
    pub real: Tensor<2>,
    /// Logits of the fake images `[n, 1]`.
    pub fake: Tensor<2>,
    /// The fake images of this rank `[n, 3, r, r]`.
    pub fake_images: Tensor<4>,
    /// `E || grad_x D ||^2 / 2` on reals (R1) and fakes (R2), `[1]`, if it acted.
    pub penalties: [Option<Tensor<1>>; 2],
    /// Gradients by parameter name, regularisers included.
    pub gradients: Gradient,
}

/// Updates D on real images and on fakes without a graph; each rank passes the images of its
/// [`Ranks::rows`].
///
/// One pass of D over fakes and reals concatenated: each spectral norm takes one power step. With a
/// pairing objective the fakes take the classes of the reals.
///
/// # State
/// D, its optimiser, G's statistics and singular vectors (not its weights), the controls of LeCam and
/// ADA, counters.
///
/// # Errors
/// If the numbers of reals and fakes differ where they are paired or computed in parts, if this rank was
/// not given its part, or if the optimiser's step fails.
pub fn discriminator_step(
    mut state: TrainState,
    config: &TrainConfig,
    ranks: &Ranks,
    real: RealBatch,
    mut fakes: Latents,
) -> Result<(TrainState, DiscriminatorReport)> {
    let techniques = &config.techniques;
    let [own, m] = [fakes.z.dims()[0], real.images.dims()[0]];
    let n = ranks.batch(config, own)?;
    let parts = ranks.parts(config, n);
    let whole = parts.len() == 1;
    ranks.check_pairs(m, own, techniques.objective.pairs() || !whole)?;
    if techniques.objective.pairs() {
        fakes.class_weights = real.class_weights.clone();
    }
    let share = ranks.share(&parts);
    let norm = share.as_ref().map_or(NormMode::Batch, NormMode::Shared);
    let mut updates = Updates::default();
    let generator = &state.generator;
    let fake_images = generator.forward(fakes.z, fakes.class_weights.clone(), norm, &mut updates);
    state.generator = ranks.average_statistics(updates.commit(state.generator))?;
    let fake = RealBatch {
        images: fake_images.clone(),
        class_weights: fakes.class_weights,
    };
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
    // fakes and reals of each part
    let seen: Vec<[RealBatch; 2]> = parts
        .iter()
        .map(|part| {
            let reals = if whole { 0..m } else { part.local.clone() };
            let [fake, real] = [fake.part(part.local.clone()), real.part(reals)];
            [as_seen(fake, part.first()), as_seen(real, n + part.first())]
        })
        .collect();

    let mut gradients = Gradient::new();
    let penalties = [(&techniques.r1, 1), (&techniques.r2, 0)].map(|(penalty, which)| {
        let factor = penalty.and_then(|p| p.factor(state.d_step))?;
        let d = &state.discriminator;
        let values = parts.iter().zip(&seen).map(|(part, batches)| {
            let weight = part.own.len() as f64 / n as f64;
            let batch = batches[which].clone();
            let report = gradient_penalty(d, batch.images, batch.class_weights);
            add_scaled(&mut gradients, report.gradients, factor * weight);
            report.value * weight
        });
        Some(ranks.sum(Tensor::cat(values.collect(), 0).sum()))
    });

    let mut updates = Updates::default();
    let mut loss = Tensor::zeros([1], &fake_images.device());
    let (mut real_logits, mut fake_logits) = (Vec::new(), Vec::new());
    for (part, batches) in parts.iter().zip(seen) {
        let weight = part.whole.len() as f64 / n as f64;
        let discriminator = state.discriminator.clone().train();
        let [fakes, reals] = logits(&discriminator, batches, &mut updates);
        let scored = score(
            ranks,
            part,
            &discriminator,
            [fakes, reals],
            config,
            &state.controls,
            state.d_step,
        );
        add_scaled(&mut gradients, scored.gradients, weight);
        loss = loss + scored.loss * weight;
        real_logits.push(scored.real);
        fake_logits.push(scored.fake);
    }
    state.discriminator = updates.commit(state.discriminator);
    let gradients = ranks.reduce(gradients);
    let [real_logits, fake_logits] = [real_logits, fake_logits].map(|parts| Tensor::cat(parts, 0));
    state.controls = state
        .controls
        .after(techniques, real_logits.clone(), fake_logits.clone());
    let reals = real_logits.dims()[0] as u64;
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
    state.images_seen += reals;
    Ok((state, report))
}

/// D's loss and gradients of a part.
struct Scored {
    loss: Tensor<1>,
    real: Tensor<2>,
    fake: Tensor<2>,
    gradients: Gradient,
}

/// D's logits of fakes and of reals, in one pass.
fn logits(
    discriminator: &Discriminator,
    [fakes, reals]: [RealBatch; 2],
    updates: &mut Updates,
) -> [Tensor<2>; 2] {
    let [n, m] = [fakes.images.dims()[0], reals.images.dims()[0]];
    let images = Tensor::cat(vec![fakes.images, reals.images], 0).autodiff();
    let classes = Tensor::cat(vec![fakes.class_weights, reals.class_weights], 0).autodiff();
    let logits = discriminator.forward(images, classes, updates); // [n + m, 1]
    [logits.clone().narrow(0, 0, n), logits.narrow(0, n, m)]
}

/// D's loss over the logits of all ranks, with the gradients from this rank's images.
fn score(
    ranks: &Ranks,
    part: &Part,
    discriminator: &Discriminator,
    [fake, real]: [Tensor<2>; 2],
    config: &TrainConfig,
    controls: &Controls,
    d_step: u64,
) -> Scored {
    let techniques = &config.techniques;
    let [fake, real] = gather_pair(ranks, part, fake, real);
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
