//! Three training steps of BigGAN-PyTorch's networks against the recorded ones.

use std::collections::BTreeMap;
use std::path::Path;

use biggan::import::{self, Imported, Purpose, Source};
use biggan::latent::Latents;
use biggan::layers::NormMode;
use biggan::model::{Discriminator, Generator};
use biggan::named::{HostTensors, load_tensors, map_tensors, named_tensors, read_values};
use biggan::train::{
    AdamConfig, AdamMoments, Controls, Ema, EmaConfig, OrthogonalTerm, Ranks, RealBatch,
    Techniques, TrainConfig, TrainState, discriminator_step, generator_step, gradient_penalty,
};
use burn::tensor::{Device, Tensor};
use pollster::FutureExt;
use serde::Deserialize;

use super::cases::{Cases, FORWARD, close, max_error};

/// First-step gradients: this share of the tensor's largest value, plus `GRADIENT_FLOOR`.
const GRADIENT: f32 = 1e-4;
const GRADIENT_FLOOR: f32 = 1e-6;
/// Relative changes of z, the smallest first, at one of which G's gradient must be the recorded one. A
/// gradient jumps where the input of a ReLU crosses 0; in aj-32-plain one is so near that the instruction
/// set decides its sign: without AVX-512 the gradient is 3 % off at z and exact at z (1 - 1e-6).
const NUDGES: [f64; 9] = [
    0.0, 4e-7, -4e-7, 8e-7, -8e-7, 1.2e-6, -1.2e-6, 1.6e-6, -1.6e-6,
];
/// Losses of the third step, relative: two Adam steps lie between.
const LOSS: f32 = 1e-3;
/// Weights after three Adam steps, absolute.
const WEIGHT: f32 = 1e-3;
/// Share of weights that must be within [`WEIGHT`]: Adam with beta1 = 0 turns a tiny gradient of
/// uncertain sign into a full step.
const WEIGHT_SHARE: f64 = 0.995;

/// Whether all gradients are as [`gradients_close`] wants them.
fn gradients_agree(found: &BTreeMap<String, Tensor<1>>, expected: &HostTensors) -> bool {
    expected.0.iter().all(|(name, expected)| {
        let values = read_values(found[name].clone()).block_on();
        let values = values.expect("a read");
        max_error(&values, &expected.values) <= tolerance(&expected.values)
    })
}

fn tolerance(expected: &[f32]) -> f32 {
    let largest = expected.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    GRADIENT * largest + GRADIENT_FLOOR
}

fn gradients_close(what: &str, found: &BTreeMap<String, Tensor<1>>, expected: HostTensors) {
    assert!(!expected.0.is_empty(), "{what}: no reference gradients");
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        expected.0.keys().collect::<Vec<_>>(),
        "{what}: parameters with gradients"
    );
    for (name, expected) in expected.0 {
        let values = read_values(found[&name].clone())
            .block_on()
            .expect("a read");
        close(
            &format!("{what} {name}"),
            &values,
            &expected.values,
            tolerance(&expected.values),
        );
    }
}

fn weights_close(what: &str, found: &HostTensors, expected: &HostTensors) {
    let (mut within, mut all) = (0usize, 0usize);
    for (name, expected) in &expected.0 {
        let found = &found.0[name].values;
        assert_eq!(found.len(), expected.values.len(), "{what} {name}");
        all += found.len();
        within += found
            .iter()
            .zip(&expected.values)
            .filter(|(a, b)| (*a - *b).abs() <= WEIGHT)
            .count();
    }
    assert_eq!(found.0.len(), expected.0.len(), "{what}: number of tensors");
    let share = within as f64 / all as f64;
    println!(
        "{what}: {:.3} % of {all} values within {WEIGHT}",
        share * 100.0
    );
    assert!(
        share >= WEIGHT_SHARE,
        "{what}: only {share} within {WEIGHT}"
    );
}

/// The flags of `config.json` that training needs.
#[derive(Debug, Deserialize)]
#[allow(non_snake_case)] // the keys are those of the reference
struct Flags {
    adam_eps: f64,
    G_lr: f64,
    D_lr: f64,
    B1: f64,
    B2: f64,
    ortho: f64,
    ema_decay: f64,
}

impl Flags {
    fn train_config(&self, g: &Network<Generator>, d: &Network<Discriminator>) -> TrainConfig {
        let adam = |lr| AdamConfig {
            lr,
            beta1: self.B1,
            beta2: self.B2,
            eps: self.adam_eps,
        };
        TrainConfig {
            generator: g.module.config().clone(),
            discriminator: d.module.config().clone(),
            adam_g: adam(self.G_lr),
            adam_d: adam(self.D_lr),
            ema: EmaConfig {
                decay: self.ema_decay,
                start_step: 0,
                ramp: false,
            },
            batch_size: 4,
            d_steps: 1,
            orthogonal: self.ortho,
            orthogonal_d: 0.0,
            orthogonal_term: OrthogonalTerm::Modified,
            orthogonal_factor: 2.0,
            techniques: Techniques::default(),
            seed: 0,
        }
    }
}

/// A network with what became of each of its reference's tensors.
struct Network<M> {
    module: M,
    report: import::Report,
}

fn networks(
    folder: &Path,
    json: &str,
    device: &Device,
) -> (Network<Generator>, Network<Discriminator>) {
    let read = |name: &str| std::fs::read(folder.join(name)).expect("weights");
    let (source, purpose) = (Source::BigganPytorch, Purpose::Training);
    let fits = "tensors that fit";
    let Imported {
        config,
        tensors,
        report,
        ..
    } = import::generator(source, &read("G.pth"), Some(json), purpose).expect("G");
    let fresh = Generator::zeros(&config, device).expect("G");
    let g = Network {
        module: load_tensors(fresh, tensors, device).expect(fits),
        report,
    };
    let Imported {
        config,
        tensors,
        report,
        ..
    } = import::discriminator(source, &read("D.pth"), Some(json), purpose).expect("D");
    let fresh = Discriminator::zeros(&config, device).expect("D");
    let d = Network {
        module: load_tensors(fresh, tensors, device).expect(fits),
        report,
    };
    (g, d)
}

pub fn check(folder: &Path, json: &str) {
    let device = Device::flex();
    let cases = Cases::read(&folder.join("cases.safetensors"), &device);
    let (g, d) = networks(folder, json, &device);
    let classes = g.module.config().classes;
    check_evaluation(&g.module, &d.module, &cases, classes);
    if cases.has("r1.real") {
        check_r1(&d, &cases, classes);
    }
    if cases.has("step0.real") {
        let flags: Flags = serde_json::from_str(json).expect("config.json");
        let config = flags.train_config(&g, &d);
        check_steps(&config, g, d, &cases, classes);
    }
}

fn check_evaluation(g: &Generator, d: &Discriminator, cases: &Cases, classes: usize) {
    let image = g.evaluate(
        cases.tensor("eval.z"),
        cases.classes("eval.y", classes),
        NormMode::Stored,
    );
    let image = read_values(image).block_on().expect("a read");
    close(
        "eval.image, not folded",
        &image,
        cases.values("eval.image"),
        FORWARD,
    );
    let folded = g.clone().folded().evaluate(
        cases.tensor("eval.z"),
        cases.classes("eval.y", classes),
        NormMode::Stored,
    );
    let folded = read_values(folded).block_on().expect("a read");
    close(
        "eval.image, folded on the device",
        &folded,
        cases.values("eval.image"),
        FORWARD,
    );
    let logit = d.evaluate(cases.tensor("eval.image"), cases.classes("eval.y", classes));
    let logit = read_values(logit).block_on().expect("a read");
    close(
        "eval.logit, not folded",
        &logit,
        cases.values("eval.logit"),
        FORWARD,
    );
}

/// The gradient penalty by a tangent pass against the reference's double backward, gamma 10.
fn check_r1(d: &Network<Discriminator>, cases: &Cases, classes: usize) {
    const GAMMA: f64 = 10.0;
    let (images, labels) = (cases.tensor("r1.real"), cases.classes("r1.y", classes));
    let found = gradient_penalty(&d.module, images, labels);
    let scaled = |t: Tensor<1>| read_values(t * GAMMA).block_on().expect("a read");
    let image_gradient = read_values(found.image_gradient)
        .block_on()
        .expect("a read");
    let largest = |values: &[f32]| values.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    let expected = cases.values("r1.grad_x");
    let tolerance = GRADIENT * largest(expected) + GRADIENT_FLOOR;
    close("r1.grad_x", &image_gradient, expected, tolerance);
    let expected = cases.values("r1.value");
    close(
        "r1.value",
        &scaled(found.value),
        expected,
        GRADIENT * expected[0].abs(),
    );

    let expected = cases.under("r1.grad.D", &d.report);
    assert!(!expected.0.is_empty(), "no reference gradients of R1");
    for (name, expected) in expected.0 {
        let values = scaled(found.gradients[&name].clone());
        let tolerance = GRADIENT * largest(&expected.values) + GRADIENT_FLOOR;
        close(&format!("r1 {name}"), &values, &expected.values, tolerance);
    }
}

fn check_steps(
    config: &TrainConfig,
    g: Network<Generator>,
    d: Network<Discriminator>,
    cases: &Cases,
    classes: usize,
) {
    let read = |t: Tensor<4>| read_values(t).block_on().expect("a read");
    let read2 = |t: Tensor<2>| read_values(t).block_on().expect("a read");
    let (of_g, of_d) = (g.report, d.report);
    let mut state = TrainState {
        ema: Ema::new(&g.module),
        generator: g.module,
        discriminator: d.module,
        adam_g: AdamMoments::default(),
        adam_d: AdamMoments::default(),
        controls: Controls::new(&cases.device),
        d_step: 0,
        g_step: 0,
        images_seen: 0,
    };
    for step in 0..3 {
        let at = |name: &str| format!("step{step}.{name}");
        let real = RealBatch {
            images: cases.tensor(&at("real")),
            class_weights: cases.classes(&at("y_real"), classes),
        };
        let latents = |z: &str, y: &str| Latents {
            z: cases.tensor(&at(z)),
            class_weights: cases.classes(&at(y), classes),
        };
        let before = state.discriminator.clone();
        let (next, d) =
            discriminator_step(state, config, &Ranks::single(), real, latents("z_d", "y_d"))
                .expect("a D step");
        let fakes = |nudge: f64| {
            let fakes = latents("z_g", "y_g");
            let z = fakes.z * (1.0 + nudge);
            Latents { z, ..fakes }
        };
        let mut nudge = 0.0;
        if step == 0 {
            let expected_d = cases.under("step0.grad.D", &of_d);
            let expected_g = cases.under("step0.grad.G", &of_g);
            let mut behind = next.clone();
            if !expected_d.0.is_empty() {
                gradients_close("gradient of D", &d.gradients, expected_d.clone());
                behind = with_step_of_reference(behind, before, config, expected_d);
            }
            let at = |nudge: f64| {
                let stepped =
                    generator_step(behind.clone(), config, &Ranks::single(), fakes(nudge), None);
                stepped.expect("a G step").1.gradients
            };
            let agrees = |&nudge: &f64| gradients_agree(&at(nudge), &expected_g);
            nudge = NUDGES.into_iter().find(agrees).unwrap_or(0.0);
            println!("  gradient of G at z (1 + {nudge:e})");
            gradients_close("gradient of G", &at(nudge), expected_g);
        }
        let (next, g) =
            generator_step(next, config, &Ranks::single(), fakes(nudge), None).expect("a G step");
        state = next;
        let scalar = |t: Tensor<1>| read_values(t).block_on().expect("a read")[0];
        for (name, found) in [("loss_d", scalar(d.loss)), ("loss_g", scalar(g.loss))] {
            let expected = cases.values(&at(name))[0];
            close(
                &at(name),
                &[found],
                &[expected],
                LOSS * expected.abs().max(1.0),
            );
        }
        if step == 0 {
            close(
                "fake",
                &read(d.fake_images),
                cases.values("step0.fake"),
                FORWARD,
            );
            close(
                "d_fake",
                &read2(d.fake),
                cases.values("step0.d_fake"),
                FORWARD,
            );
            close(
                "d_real",
                &read2(d.real),
                cases.values("step0.d_real"),
                FORWARD,
            );
        }
    }
    let host = |tensors| HostTensors::read(tensors).block_on().expect("a read");
    for (what, tensors, report) in [
        ("after.G", named_tensors(&state.generator), &of_g),
        ("after.D", named_tensors(&state.discriminator), &of_d),
        ("after.EMA", named_tensors(&state.ema.generator), &of_g),
    ] {
        let expected = cases.under(what, report);
        if !expected.0.is_empty() {
            weights_close(what, &host(tensors), &expected);
        }
    }
}

/// The state with D as Adam leaves it after the *reference's* gradients.
///
/// Adam with beta1 = 0 turns a gradient of 1e-7 whose last digits differ into another step, and that
/// moves G's gradient by per cents. G's gradient is therefore compared behind the same D.
fn with_step_of_reference(
    mut state: TrainState,
    before: Discriminator,
    config: &TrainConfig,
    gradients: HostTensors,
) -> TrainState {
    let device = before.linear.weight.val().device();
    let gradients: BTreeMap<String, Tensor<1>> = gradients
        .0
        .into_iter()
        .map(|(name, gradient)| (name, gradient.into_device(&device)))
        .collect();
    let stepped = AdamMoments::default()
        .step(&config.adam_d, before, gradients)
        .expect("an Adam step");
    // the weights are stepped, the singular vectors those of the state
    let mut passed = named_tensors(&state.discriminator);
    let adopted = map_tensors(stepped, |name, tensor| {
        let kept = if tensor.trainable {
            None
        } else {
            passed.remove(name)
        };
        Ok(kept.map_or(tensor.values, |kept| kept.values))
    });
    state.discriminator = adopted.expect("a network of the same names");
    state
}
