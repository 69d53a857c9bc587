//! One discriminator step (BigGAN sec. 3; BigGAN-PyTorch `train_fns.py:34-61`).

use burn::tensor::Tensor;

use super::batch::{RealBatch, Seen, augmentation};
use super::discriminator_passes::Passes;
use super::gradient_penalty::Unaugmented;
use super::gradients::{Gradient, add_scaled};
use super::lecam::LecamConfig;
use super::orthogonal::add_orthogonal;
use super::ranks::{Ranks, gather_pair};
use super::{TrainConfig, TrainState};
use crate::error::Result;
use crate::latent::Latents;
use crate::layers::{NormMode, Updates};
use crate::named::named_tensors;

/// What a discriminator step measured; nothing is read from the device yet.
#[derive(Debug, Clone)]
pub struct DiscriminatorReport {
    /// The objective without regularisers, `[1]`.
    pub loss: Tensor<1>,
    /// Logits of the real images `[n, 1]`, of all ranks, like the loss.
    pub real: Tensor<2>,
    /// Logits of the fake images `[n, 1]`.
    pub fake: Tensor<2>,
    /// The fake images of this rank `[n, 3, r, r]`; of its last part, if the batch is computed in parts.
    pub fake_images: Tensor<4>,
    /// `E || grad_x D ||^2 / 2` on reals (R1) and fakes (R2), before augmentation, `[1]`, if it acted.
    pub penalties: [Option<Tensor<1>>; 2],
    /// Gradients by parameter name, regularisers included.
    pub gradients: Gradient,
}

/// Updates D on real images and on fakes without a graph; each rank passes the images of its
/// [`Ranks::rows`].
///
/// D's passes over fakes and reals take one power step together (`discriminator_passes`). With a
/// pairing objective the fakes take the classes of the reals. With a `micro_batch` all of this is done for one part of
/// the batch after another, G's pass included.
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
    let mut gradients = Gradient::new();
    let [mut of_g, mut of_d] = [Updates::default(), Updates::default()];
    let mut loss = Tensor::zeros([1], &real.images.device());
    let mut penalties = [&techniques.r2, &techniques.r1].map(|penalty| Penalty {
        factor: penalty.and_then(|penalty| penalty.factor(state.d_step)),
        values: Vec::new(),
    }); // of fakes, of reals
    let (mut real_logits, mut fake_logits) = (Vec::new(), Vec::new());
    let mut anchors = state.controls.anchors.clone();
    let mut fake_images = None;
    for part in &parts {
        let weight = part.whole.len() as f64 / n as f64;
        let share = ranks.share(std::slice::from_ref(part));
        let norm = share.as_ref().map_or(NormMode::Batch, NormMode::Shared);
        let (first, len) = (part.local.start, part.local.len());
        let [z, classes] =
            [&fakes.z, &fakes.class_weights].map(|all| all.clone().narrow(0, first, len));
        let images = state.generator.forward(z, classes.clone(), norm, &mut of_g);
        fake_images = Some(images.clone());
        let reals = if whole { 0..m } else { part.local.clone() };
        let real = real.part(reals);
        let augment = [part.first(), n + part.first()]
            .map(|first| augmentation(&state.controls, config, Seen::ByD, state.d_step, first));
        let batches = [
            Unaugmented {
                images,
                class_weights: classes,
                augment: augment[0].as_ref(),
            },
            Unaugmented {
                images: real.images,
                class_weights: real.class_weights,
                augment: augment[1].as_ref(),
            },
        ]; // fakes, reals

        let own_weight = part.own.len() as f64 / n as f64;
        let strengths = penalties
            .each_ref()
            .map(|penalty| penalty.factor.map(|factor| factor * own_weight));
        let acts = strengths.map(|strength| strength.is_some());
        let passes = Passes::new(&state.discriminator, batches, acts, &mut of_d);
        for (penalty, value) in penalties.iter_mut().zip(passes.penalties()) {
            penalty.values.extend(value.map(|value| value * own_weight));
        }

        let leaves = passes
            .logits()
            .map(|logits| logits.autodiff().require_grad());
        let [fake, real] = leaves.clone();
        let [fake, real] = gather_pair(ranks, part, fake, real);
        real_logits.push(real.clone().without_autodiff());
        fake_logits.push(fake.clone().without_autodiff());
        if let Some(lecam) = &techniques.lecam {
            // with the means of the parts so far: after the last part, with those of the batch
            let so_far = [&real_logits, &fake_logits].map(|parts| Tensor::cat(parts.clone(), 0));
            let [real, fake] = so_far;
            anchors = state
                .controls
                .anchors
                .update(real, fake, lecam, state.d_step);
        }
        let objective = techniques
            .objective
            .discriminator(real.clone(), fake.clone());
        let acts = |lecam: &LecamConfig| state.d_step >= lecam.start_step;
        let total = match techniques.lecam.filter(acts) {
            Some(lecam) => objective.clone() + anchors.penalty(real, fake) * lecam.strength,
            None => objective.clone(),
        };
        let mut by_logits = total.backward();
        let by_logits = leaves.map(|logits| {
            let derivatives = logits.grad_remove(&mut by_logits);
            derivatives.expect("the objective depends on the logits") * weight
        });
        let of_part = passes.gradients(by_logits, strengths.map(Option::unwrap_or_default));
        add_scaled(&mut gradients, of_part, 1.0);
        loss = loss + objective.without_autodiff() * weight;
    }
    let [r2, r1] = penalties.map(|penalty| {
        penalty.factor?;
        Some(ranks.sum(Tensor::cat(penalty.values, 0).sum()))
    });
    state.generator = ranks.average_statistics(of_g.commit(state.generator))?;
    state.discriminator = of_d.commit(state.discriminator);
    let mut gradients = ranks.reduce(gradients);
    if config.orthogonal_d > 0.0 {
        // every weight, the class embedding included (BigGAN-PyTorch `train_fns.py:55-58`)
        let weights = named_tensors(&state.discriminator);
        let term = config.orthogonal_gradient(config.orthogonal_d);
        add_orthogonal(&mut gradients, &weights, term, |_| false);
    }
    gradients.retain(|name, _| techniques.learns(name));
    let [real_logits, fake_logits] = [real_logits, fake_logits].map(|parts| Tensor::cat(parts, 0));
    state.controls = state
        .controls
        .after(techniques, real_logits.clone(), anchors);
    let reals = real_logits.dims()[0] as u64;
    let report = DiscriminatorReport {
        loss,
        real: real_logits,
        fake: fake_logits,
        fake_images: fake_images.expect("a batch has a part"),
        penalties: [r1, r2],
        gradients: gradients.clone(),
    };
    state.discriminator = state
        .adam_d
        .step(&config.adam_d, state.discriminator, gradients)?;
    state.d_step += 1;
    state.images_seen += reals;
    Ok((state, report))
}

/// A gradient penalty of a step.
struct Penalty {
    /// Its factor, if it acts.
    factor: Option<f64>,
    /// Of each part, weighted.
    values: Vec<Tensor<1>>,
}
