//! One discriminator step and one generator step (BigGAN sec. 3; BigGAN-PyTorch `train_fns.py`).

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor};

use super::{TrainConfig, TrainState, hinge_discriminator, hinge_generator, orthogonal_gradient};
use crate::error::Result;
use crate::latent::Latents;
use crate::layers::{Pass, PowerStep};
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
    /// `[1]`
    pub loss: Tensor<1>,
    /// Logits of the real images `[n, 1]`.
    pub real: Tensor<2>,
    /// Logits of the fake images `[n, 1]`.
    pub fake: Tensor<2>,
    /// The fake images `[n, 3, r, r]`.
    pub fake_images: Tensor<4>,
    /// Gradients by parameter name.
    pub gradients: BTreeMap<String, Tensor<1>>,
}

/// What a generator step measured; nothing is read from the device yet.
#[derive(Debug, Clone)]
pub struct GeneratorReport {
    /// `[1]`
    pub loss: Tensor<1>,
    /// Gradients by parameter name, the orthogonal term included.
    pub gradients: BTreeMap<String, Tensor<1>>,
}

/// Updates D on real images and on fakes that carry no graph.
///
/// One pass of D over fakes and reals joined: each spectral norm takes one power step.
///
/// # State
/// D, its optimiser, G's statistics and singular vectors (its weights not), counters.
///
/// # Errors
/// None of its own; as the optimiser.
pub fn discriminator_step(
    mut state: TrainState,
    config: &TrainConfig,
    real: RealBatch,
    fakes: FakeInputs,
) -> Result<(TrainState, DiscriminatorReport)> {
    let n = fakes.z.dims()[0];
    let m = real.images.dims()[0];
    let fake_images = state
        .generator
        .forward(fakes.z, fakes.class_weights.clone(), Pass::TRAIN);

    let mut discriminator = state.discriminator.train();
    let images = Tensor::cat(vec![fake_images.clone(), real.images], 0).autodiff();
    let classes = Tensor::cat(vec![fakes.class_weights, real.class_weights], 0).autodiff();
    let logits = discriminator.forward(images, classes, PowerStep::Keep); // [n + m, 1]
    let fake = logits.clone().slice([0..n, 0..1]);
    let real = logits.slice([n..n + m, 0..1]);
    let loss = hinge_discriminator(real.clone(), fake.clone());

    let gradients = named_gradients(&discriminator, loss.backward());
    let report = DiscriminatorReport {
        loss: loss.without_autodiff(),
        real: real.without_autodiff(),
        fake: fake.without_autodiff(),
        fake_images,
        gradients: gradients.clone(),
    };
    state.discriminator = state
        .adam_d
        .step(&config.adam_d, discriminator.valid(), gradients)?;
    state.d_step += 1;
    state.images_seen += m as u64;
    Ok((state, report))
}

/// Updates G through D, then the average.
///
/// # State
/// G, its optimiser, the average, D's singular vectors (its weights not), counters.
///
/// # Errors
/// None of its own; as the optimiser and the average.
pub fn generator_step(
    mut state: TrainState,
    config: &TrainConfig,
    fakes: FakeInputs,
) -> Result<(TrainState, GeneratorReport)> {
    let mut generator = state.generator.clone().train();
    // D's weights carry no gradient here: only the path through the images is needed
    let mut discriminator = state.discriminator.clone().train().no_grad();
    let classes = fakes.class_weights.autodiff();
    let images = generator.forward(fakes.z.autodiff(), classes.clone(), Pass::TRAIN);
    let logits = discriminator.forward(images, classes, PowerStep::Keep);
    let loss = hinge_generator(logits);

    let mut gradients = named_gradients(&generator, loss.backward());
    let generator = generator.valid();
    if config.orthogonal > 0.0 {
        add_orthogonal(&mut gradients, &named_tensors(&generator), config);
    }
    let report = GeneratorReport {
        loss: loss.without_autodiff(),
        gradients: gradients.clone(),
    };
    state.discriminator = adopt_state(state.discriminator, &discriminator)?;
    state.generator = state.adam_g.step(&config.adam_g, generator, gradients)?;
    let decay = config.ema.decay_at(state.g_step);
    state.ema = state.ema.update(&state.generator, decay)?;
    state.g_step += 1;
    Ok((state, report))
}

/// Orthogonal regularisation acts on every weight of G of two or more dimensions but the shared
/// embedding (BigGAN-PyTorch `train_fns.py:75-80`).
fn add_orthogonal(
    gradients: &mut BTreeMap<String, Tensor<1>>,
    weights: &NamedTensors,
    config: &TrainConfig,
) {
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
pub(crate) fn named_gradients<M: Module>(
    module: &M,
    mut gradients: Gradients,
) -> BTreeMap<String, Tensor<1>> {
    struct Collect<'a> {
        path: Vec<String>,
        gradients: &'a mut Gradients,
        found: BTreeMap<String, Tensor<1>>,
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
        found: BTreeMap::new(),
    };
    module.visit(&mut collect);
    collect.found
}
