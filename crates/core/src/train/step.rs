//! One discriminator step and one generator step (BigGAN sec. 3; BigGAN-PyTorch `train_fns.py`).

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor};

use super::augment::Augment;
use super::gradient_penalty::gradient_penalty;
use super::top_k::top_k_weights;
use super::{Techniques, TrainConfig, TrainState, orthogonal_gradient};
use crate::error::{Error, Result};
use crate::latent::Latents;
use crate::layers::{NormMode, Pass, PowerStep};
use crate::named::{NamedTensors, adopt_state, named_tensors, path_name};

/// Real images and their classes, on the training device.
#[derive(Debug, Clone)]
pub struct RealBatch {
    /// `[n, 3, r, r]` in [-1, 1]
    pub images: Tensor<4>,
    /// `[n, classes]`
    pub class_weights: Tensor<2>,
}

/// Inputs of the generator in a step.
pub type FakeInputs = Latents;

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

/// What a generator step measured; nothing is read from the device yet.
#[derive(Debug, Clone)]
pub struct GeneratorReport {
    /// `[1]`
    pub loss: Tensor<1>,
    /// Gradients by parameter name, the orthogonal term included.
    pub gradients: Gradient,
}

/// Gradients by parameter name, flat.
pub type Gradient = BTreeMap<String, Tensor<1>>;

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
    mut fakes: FakeInputs,
) -> Result<(TrainState, DiscriminatorReport)> {
    let techniques = &config.techniques;
    let [n, m] = [fakes.z.dims()[0], real.images.dims()[0]];
    let parts = techniques.parts(n);
    if n != m && (techniques.objective.pairs() || parts.len() > 1) {
        return Err(Error::Config(format!(
            "{m} real and {n} fake images cannot be paired; give as many of each"
        )));
    }
    if techniques.objective.pairs() {
        fakes.class_weights = real.class_weights.clone();
    }
    let fake_images = state
        .generator
        .forward(fakes.z, fakes.class_weights.clone(), Pass::TRAIN);
    let seen = augmented(
        Tensor::cat(vec![fake_images.clone(), real.images], 0),
        &state,
        config,
        [D_AUGMENT, state.d_step, 0],
    );
    let fake = RealBatch {
        images: seen.clone().narrow(0, 0, n),
        class_weights: fakes.class_weights,
    };
    let real = RealBatch {
        images: seen.narrow(0, n, m),
        class_weights: real.class_weights,
    };

    let before = state.discriminator.clone();
    let mut sum = Scored::default();
    let whole = parts.len() == 1;
    for part in parts {
        // every part takes the same power step from the same vectors; the last one keeps it
        let step = if part.end == n {
            PowerStep::Keep
        } else {
            PowerStep::Discard
        };
        let share = part.len() as f64 / n as f64;
        let reals = if whole { 0..m } else { part.clone() };
        let mut discriminator = before.clone().train();
        let scored = score(
            &mut discriminator,
            [slice(&fake, part), slice(&real, reals)],
            &state,
            config,
            step,
        );
        sum.add(scored, share);
        state.discriminator = discriminator.valid();
    }
    let Scored {
        loss,
        real: real_logits,
        fake: fake_logits,
        mut gradients,
    } = sum;
    let loss = loss.expect("a batch has at least one part");
    let [real_logits, fake_logits] = [real_logits, fake_logits].map(|parts| Tensor::cat(parts, 0));

    let penalties = [(&techniques.r1, &real), (&techniques.r2, &fake)].map(|(penalty, images)| {
        let factor = penalty.and_then(|p| p.factor(state.d_step))?;
        Some(add_penalty(
            &mut gradients,
            &before,
            images,
            factor,
            techniques,
        ))
    });
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

/// Updates G through D, then the average. A pairing objective needs the real images to pair with.
///
/// # State
/// G, its optimiser, the average, D's singular vectors (its weights not), counters.
///
/// # Errors
/// If a pairing objective has no real images, or not as many as fakes; as the optimiser and the
/// average.
pub fn generator_step(
    mut state: TrainState,
    config: &TrainConfig,
    mut fakes: FakeInputs,
    pairs: Option<&RealBatch>,
) -> Result<(TrainState, GeneratorReport)> {
    let techniques = &config.techniques;
    let n = fakes.z.dims()[0];
    let pairs = pairs.filter(|_| techniques.objective.pairs());
    if techniques.objective.pairs() {
        let m = pairs.map_or(0, |real| real.images.dims()[0]);
        if m != n {
            return Err(Error::Config(format!(
                "{m} real and {n} fake images cannot be paired; give as many of each"
            )));
        }
        fakes.class_weights = pairs.map_or(fakes.class_weights, |r| r.class_weights.clone());
    }

    let before = state.discriminator.clone();
    let mut passed = state.generator.clone();
    let mut gradients = Gradient::new();
    let mut loss = None;
    for part in techniques.parts(n) {
        let last = part.end == n;
        let step = if last {
            PowerStep::Keep
        } else {
            PowerStep::Discard
        };
        let share = part.len() as f64 / n as f64;
        let mut generator = passed.train();
        // D's weights carry no gradient here: only the path through the images is needed
        let mut discriminator = before.clone().train().no_grad();
        let classes = fakes
            .class_weights
            .clone()
            .narrow(0, part.start, part.len())
            .autodiff();
        let z = fakes.z.clone().narrow(0, part.start, part.len()).autodiff();
        let pass = Pass {
            norm: NormMode::Batch,
            spectral: step,
        };
        let images = generator.forward(z, classes.clone(), pass);
        let key = [G_AUGMENT, state.g_step, part.start as u64];
        let images = augmented(images, &state, config, key);
        let logits = discriminator.forward(images, classes, step); // [part, 1]
        let real = pairs.map(|real| {
            let real = slice(real, part.clone());
            let seen = augmented(
                real.images,
                &state,
                config,
                [G_REAL_AUGMENT, key[1], key[2]],
            );
            // the vectors are those of the pass over the fakes: both take the same step
            before
                .clone()
                .forward(seen, real.class_weights, PowerStep::Discard)
                .autodiff()
        });
        let weights = techniques.top_k.map(|top_k| {
            let k = top_k.k(state.g_step, n);
            top_k_weights(logits.clone().without_autodiff(), k).autodiff()
        });
        let part_loss = techniques.objective.generator(logits, real, weights) * share;
        add(
            &mut gradients,
            named_gradients(&generator, part_loss.backward()),
        );
        let part_loss = part_loss.without_autodiff();
        loss = Some(loss.map_or(part_loss.clone(), |sum: Tensor<1>| sum + part_loss));
        passed = generator.valid();
        if last {
            state.discriminator = adopt_state(state.discriminator.clone(), &discriminator)?;
        }
    }
    if config.orthogonal > 0.0 {
        add_orthogonal(&mut gradients, &named_tensors(&passed), config);
    }
    let report = GeneratorReport {
        loss: loss.expect("a batch has at least one part"),
        gradients: gradients.clone(),
    };
    state.generator = state.adam_g.step(&config.adam_g, passed, gradients)?;
    if let Some(clamp) = techniques.sigma_clamp {
        state.generator = clamp.apply(state.generator)?;
    }
    let decay = config.ema.decay_at(state.g_step);
    state.ema = state.ema.update(&state.generator, decay)?;
    state.g_step += 1;
    Ok((state, report))
}

/// Purposes of augmentation in a round: each has random numbers of its own.
const D_AUGMENT: u64 = 0;
const G_AUGMENT: u64 = 1;
const G_REAL_AUGMENT: u64 = 2;

/// Images as D sees them; `key` is purpose, step and global index of the first image.
fn augmented(
    images: Tensor<4>,
    state: &TrainState,
    config: &TrainConfig,
    [purpose, step, first]: [u64; 3],
) -> Tensor<4> {
    let Some(augment) = &config.techniques.augment else {
        return images;
    };
    Augment {
        config: augment,
        seed: config.seed,
        step: 3 * step + purpose,
        first,
        probability: state.controls.ada_probability.clone(),
    }
    .apply(images)
}

fn slice(batch: &RealBatch, range: std::ops::Range<usize>) -> RealBatch {
    let (from, len) = (range.start, range.len());
    RealBatch {
        images: batch.images.clone().narrow(0, from, len),
        class_weights: batch.class_weights.clone().narrow(0, from, len),
    }
}

/// What D's parts add up to.
#[derive(Default)]
struct Scored {
    loss: Option<Tensor<1>>,
    real: Vec<Tensor<2>>,
    fake: Vec<Tensor<2>>,
    gradients: Gradient,
}

impl Scored {
    fn add(&mut self, part: Self, share: f64) {
        let loss = part.loss.map(|loss| loss * share);
        self.loss = match (self.loss.take(), loss) {
            (Some(sum), Some(loss)) => Some(sum + loss),
            (sum, loss) => sum.or(loss),
        };
        self.real.extend(part.real);
        self.fake.extend(part.fake);
        let scaled = part.gradients.into_iter();
        add(
            &mut self.gradients,
            scaled
                .map(|(name, g)| (name, if share < 1.0 { g * share } else { g }))
                .collect(),
        );
    }
}

/// D's loss on fakes and reals in one pass, with its gradients.
fn score(
    discriminator: &mut crate::model::Discriminator,
    [fakes, reals]: [RealBatch; 2],
    state: &TrainState,
    config: &TrainConfig,
    step: PowerStep,
) -> Scored {
    let techniques: &Techniques = &config.techniques;
    let [n, m] = [fakes.images.dims()[0], reals.images.dims()[0]];
    let images = Tensor::cat(vec![fakes.images, reals.images], 0).autodiff();
    let classes = Tensor::cat(vec![fakes.class_weights, reals.class_weights], 0).autodiff();
    let logits = discriminator.forward(images, classes, step); // [n + m, 1]
    let fake = logits.clone().narrow(0, 0, n);
    let real = logits.narrow(0, n, m);
    let loss = techniques
        .objective
        .discriminator(real.clone(), fake.clone());
    let total = match techniques.lecam.filter(|l| state.d_step >= l.start_step) {
        Some(lecam) => {
            let penalty = state.controls.anchors.penalty(real.clone(), fake.clone());
            loss.clone() + penalty * lecam.strength
        }
        None => loss.clone(),
    };
    Scored {
        gradients: named_gradients(discriminator, total.backward()),
        loss: Some(loss.without_autodiff()),
        real: vec![real.without_autodiff()],
        fake: vec![fake.without_autodiff()],
    }
}

/// Adds a gradient penalty to D's gradients; returns its value without gamma.
fn add_penalty(
    gradients: &mut Gradient,
    discriminator: &crate::model::Discriminator,
    images: &RealBatch,
    factor: f64,
    techniques: &Techniques,
) -> Tensor<1> {
    let n = images.images.dims()[0];
    let mut value = Tensor::zeros([1], &images.images.device());
    for part in techniques.parts(n) {
        let share = part.len() as f64 / n as f64;
        let batch = slice(images, part);
        let report = gradient_penalty(discriminator, batch.images, batch.class_weights);
        value = value + report.value * share;
        let scaled = report.gradients.into_iter();
        add(
            gradients,
            scaled
                .map(|(name, g)| (name, g * (factor * share)))
                .collect(),
        );
    }
    value
}

/// Adds gradients by name.
fn add(sum: &mut Gradient, part: Gradient) {
    for (name, gradient) in part {
        let gradient = match sum.remove(&name) {
            Some(before) => before + gradient,
            None => gradient,
        };
        sum.insert(name, gradient);
    }
}

/// Orthogonal regularisation acts on every weight of G of two or more dimensions but the shared
/// embedding (BigGAN-PyTorch `train_fns.py:75-80`).
fn add_orthogonal(gradients: &mut Gradient, weights: &NamedTensors, config: &TrainConfig) {
    for (name, gradient) in gradients.iter_mut() {
        if name.starts_with("shared.") {
            continue;
        }
        let term = weights.get(name).and_then(|weight| {
            orthogonal_gradient(weight, config.orthogonal, config.orthogonal_factor)
        });
        if let Some(term) = term {
            *gradient = gradient.clone() + term;
        }
    }
}

/// Gradients of a module's trainable parameters, flat, by name.
pub(crate) fn named_gradients<M: Module>(module: &M, mut gradients: Gradients) -> Gradient {
    struct Collect<'a> {
        path: Vec<String>,
        gradients: &'a mut Gradients,
        found: Gradient,
    }
    impl ModuleVisitor for Collect<'_> {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.path.push(name.to_owned());
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = param.val().grad_remove(self.gradients) {
                let len = gradient.dims().iter().product::<usize>();
                self.found
                    .insert(path_name(&self.path), gradient.reshape([len]));
            }
        }
    }
    let mut collect = Collect {
        path: Vec::new(),
        gradients: &mut gradients,
        found: Gradient::new(),
    };
    module.visit(&mut collect);
    collect.found
}
