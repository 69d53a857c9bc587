//! One generator step (BigGAN sec. 3; BigGAN-PyTorch `train_fns.py:63-87`).

use burn::module::Module;
use burn::tensor::Tensor;

use super::augment::augmented;
use super::batch::{RealBatch, Seen, augmentation, check_pairs};
use super::gradients::{Gradient, add_scaled, named_gradients};
use super::orthogonal::add_orthogonal;
use super::ranks::{Ranks, gather_pair};
use super::top_k::top_k_weights;
use super::{TrainConfig, TrainState};
use crate::error::Result;
use crate::latent::Latents;
use crate::layers::{NormMode, Updates};
use crate::named::{is_shared_embedding, named_tensors};

/// What a generator step measured; nothing is read from the device yet.
#[derive(Debug, Clone)]
pub struct GeneratorReport {
    /// `[1]`
    pub loss: Tensor<1>,
    /// Gradients by parameter name, the orthogonal term included.
    pub gradients: Gradient,
}

/// Updates G through D, then the average; each rank passes the fakes of its [`Ranks::rows`]. A pairing
/// objective also needs the real images to pair with.
///
/// # State
/// G, its optimiser, the average, D's singular vectors (not its weights), counters.
///
/// # Errors
/// If a pairing objective has no real images, or not as many as fakes, or if the optimiser's step or the
/// average's update fails.
pub fn generator_step(
    mut state: TrainState,
    config: &TrainConfig,
    ranks: &Ranks,
    mut fakes: Latents,
    pairs: Option<&RealBatch>,
) -> Result<(TrainState, GeneratorReport)> {
    let techniques = &config.techniques;
    let own = fakes.z.dims()[0];
    let n = ranks.batch(config, own)?;
    let pairs = pairs.filter(|_| techniques.objective.pairs());
    if techniques.objective.pairs() {
        check_pairs(pairs.map_or(0, |real| real.images.dims()[0]), own)?;
    }
    if let Some(real) = pairs {
        fakes.class_weights = real.class_weights.clone();
    }

    let mut gradients = Gradient::new();
    let [mut of_g, mut of_d] = [Updates::default(), Updates::default()];
    let mut loss = Tensor::zeros([1], &fakes.z.device());
    for part in ranks.parts(config, n) {
        let (first, len) = (part.local.start, part.local.len());
        let weight = part.whole.len() as f64 / n as f64;
        let share = ranks.share(std::slice::from_ref(&part));
        let norm = share.as_ref().map_or(NormMode::Batch, NormMode::Shared);
        let number = part.first();
        let seen = |images, seen| {
            let augment = augmentation(&state.controls, config, seen, state.g_step, number);
            augmented(images, augment.as_ref())
        };
        let generator = state.generator.clone().train();
        // D's weights need no gradient here: only the path through the images does
        let discriminator = state.discriminator.clone().train().no_grad();
        let classes = fakes.class_weights.clone().narrow(0, first, len).autodiff();
        let z = fakes.z.clone().narrow(0, first, len).autodiff();
        let images = generator.forward(z, classes.clone(), norm, &mut of_g);
        let logits = discriminator.forward(seen(images, Seen::FakeForG), classes, &mut of_d); // [part, 1]
        let real = pairs.map(|real| {
            let real = real.part(part.local.clone());
            let images = seen(real.images, Seen::RealForG);
            let logits = state.discriminator.evaluate(images, real.class_weights);
            logits.autodiff()
        });
        let (logits, real) = match real {
            Some(real) => {
                let [fake, real] = gather_pair(ranks, &part, logits, real);
                (fake, Some(real))
            }
            None => (ranks.gather(logits, &part), None),
        };
        let weights = techniques.top_k.map(|top_k| {
            let k = top_k.k(state.g_step, n);
            top_k_weights(logits.clone().without_autodiff(), k).autodiff()
        });
        let part_loss = techniques.objective.generator(logits, real, weights);
        let part_gradients = named_gradients(&generator, part_loss.backward());
        add_scaled(&mut gradients, part_gradients, weight);
        loss = loss + part_loss.without_autodiff() * weight;
    }
    let mut gradients = ranks.reduce(gradients);
    state.discriminator = of_d.commit(state.discriminator);
    state.generator = ranks.average_statistics(of_g.commit(state.generator))?;
    if config.orthogonal > 0.0 {
        // every weight but the shared embedding (BigGAN-PyTorch `train_fns.py:75-80`)
        let weights = named_tensors(&state.generator);
        let term = config.orthogonal_gradient(config.orthogonal);
        add_orthogonal(&mut gradients, &weights, term, is_shared_embedding);
    }
    let report = GeneratorReport {
        loss,
        gradients: gradients.clone(),
    };
    state.generator = state
        .adam_g
        .step(&config.adam_g, state.generator, gradients)?;
    // a frozen G keeps its weights
    if let Some(clamp) = techniques.sigma_clamp.filter(|_| config.adam_g.lr > 0.0) {
        state.generator = clamp.apply(state.generator)?;
    }
    let decay = config.ema.decay_at(state.g_step);
    state.ema = state.ema.update(&state.generator, decay)?;
    state.g_step += 1;
    Ok((state, report))
}
