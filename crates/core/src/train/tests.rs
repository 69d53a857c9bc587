//! The step with techniques switched on.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};
use pollster::FutureExt;

use super::*;
use crate::config::{Architecture, ClassEmbedding, GeneratorConfig};
use crate::latent::one_hot;
use crate::named::{FlatTensor, HostTensors, NamedTensors, named_tensors, read_values};
use crate::random::{Draws, Stream};
use crate::test_configs::{ARCHITECTURES, discriminator, generator};

const BATCH: usize = 4;

/// The check run's configuration with techniques from JSON.
fn config(techniques: &str) -> TrainConfig {
    let mut config = check_config(3);
    config.techniques = serde_json::from_str(techniques).unwrap();
    config.validate().unwrap();
    config
}

fn reals(config: &TrainConfig, device: &Device) -> RealBatch {
    let r = config.generator.resolution;
    let mut draws = Draws::new(7, Stream::DataOrder, 0, 0);
    let values: Vec<f32> = (0..BATCH * 3 * r * r)
        .map(|_| (2.0 * draws.uniform() - 1.0) as f32)
        .collect();
    RealBatch {
        images: Tensor::from_data(TensorData::new(values, [BATCH, 3, r, r]), device),
        class_weights: one_hot(&[0, 1, 2, 0], config.generator.classes, device),
    }
}

/// One round: the state after it, and what both steps reported.
fn round(config: &TrainConfig) -> (TrainState, DiscriminatorReport, GeneratorReport) {
    let device = Device::flex();
    let state = TrainState::new(config, &device).unwrap();
    let real = reals(config, &device);
    let fakes = |stream| config.fakes(stream, 0, &Ranks::single(), &device);
    let (state, d) = discriminator_step(
        state,
        config,
        &Ranks::single(),
        real.clone(),
        fakes(Stream::DiscriminatorFakes),
    )
    .unwrap();
    let (state, g) = generator_step(
        state,
        config,
        &Ranks::single(),
        fakes(Stream::GeneratorFakes),
        Some(&real),
    )
    .unwrap();
    (state, d, g)
}

fn host(gradients: Gradient) -> BTreeMap<String, Vec<f32>> {
    let read = |t| read_values(t).block_on().unwrap();
    gradients
        .into_iter()
        .map(|(name, g)| (name, read(g)))
        .collect()
}

/// Largest difference as a share of each tensor's largest value.
fn difference(a: Gradient, b: Gradient) -> f32 {
    let (a, b) = (host(a), host(b));
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    let share = |(x, y): (&Vec<f32>, &Vec<f32>)| {
        let largest = x.iter().fold(1e-6f32, |m, v| m.max(v.abs()));
        let apart = x.iter().zip(y).map(|(p, q)| (p - q).abs());
        apart.fold(0.0, f32::max) / largest
    };
    a.values().zip(b.values()).map(share).fold(0.0, f32::max)
}

/// The first D step of a new state, with the reals and fakes of these rows.
fn d_step(config: &TrainConfig, rows: std::ops::Range<usize>) -> (TrainState, DiscriminatorReport) {
    let device = Device::flex();
    let ranks = Ranks::single();
    let fakes = config.fakes(Stream::DiscriminatorFakes, 0, &ranks, &device);
    let (from, len) = (rows.start, rows.len());
    let fakes = crate::latent::Latents {
        z: fakes.z.narrow(0, from, len),
        class_weights: fakes.class_weights.narrow(0, from, len),
    };
    let real = reals(config, &device).part(rows);
    let state = TrainState::new(config, &device).unwrap();
    discriminator_step(state, config, &ranks, real, fakes).unwrap()
}

/// One pass gives the gradients of the objective and of both penalties: those of each alone, added.
#[test]
fn the_gradient_of_a_penalised_step_is_the_sum_of_its_terms() {
    let device = Device::flex();
    let penalised = [
        (r#""r1": {"gamma": 2.0}"#, [2.0, 0.0]),
        (r#""r2": {"gamma": 0.5}"#, [0.0, 0.5]),
        (r#""r1": {"gamma": 2.0}, "r2": {"gamma": 0.5}"#, [2.0, 0.5]),
    ];
    for architecture in ARCHITECTURES {
        for (keys, gammas) in penalised {
            let with = |extra: &str| {
                let objective = r#""objective": "non_saturating""#;
                let mut config = config(&format!("{{{objective}{extra}}}"));
                config.discriminator = crate::DiscriminatorConfig {
                    attention: vec![config.generator.resolution / 2],
                    ..discriminator(architecture, config.generator.resolution)
                };
                config.generator = generator(architecture, config.generator.resolution);
                config
            };
            let step = |config: &TrainConfig| {
                let mut state = TrainState::new(config, &device).unwrap();
                state.discriminator = attentive(state.discriminator);
                let real = reals(config, &device);
                let fakes = config.fakes(Stream::DiscriminatorFakes, 0, &Ranks::single(), &device);
                let classes = [real.class_weights.clone(), fakes.class_weights.clone()];
                let d = state.discriminator.clone();
                let real_images = real.images.clone();
                let (_, report) =
                    discriminator_step(state, config, &Ranks::single(), real, fakes).unwrap();
                let images = [real_images, report.fake_images.clone()];
                (d, images, classes, report.gradients)
            };
            let (.., found) = step(&with(&format!(", {keys}")));
            let (d, images, classes, mut sum) = step(&with(""));
            for ((images, classes), gamma) in images.into_iter().zip(classes).zip(gammas) {
                let penalty = gradient_penalty(&d, images, classes);
                gradients::add_scaled(&mut sum, penalty.gradients, gamma);
            }
            let apart = difference(sum, found);
            assert!(apart < 1e-4, "{architecture:?} {keys}: {apart}");
        }
    }
}

/// The discriminator with attention switched on: its gamma starts at 0.
fn attentive(discriminator: crate::model::Discriminator) -> crate::model::Discriminator {
    crate::named::map_tensors(discriminator, |name, tensor| {
        Ok(match name.ends_with("attention.gamma") {
            true => tensor.values + 0.7,
            false => tensor.values,
        })
    })
    .unwrap()
}

/// BigGAN-PyTorch's accumulation: G and D see a part at a time, and the gradients are averaged.
#[test]
fn a_step_in_parts_is_the_mean_of_steps_on_its_parts() {
    for extra in ["", r#", "r1": {"gamma": 2.0}, "r2": {"gamma": 0.5}"#] {
        let whole = config(&format!(r#"{{"objective": "hinge"{extra}}}"#));
        let parts = config(&format!(r#"{{"micro_batch": 2{extra}}}"#));
        let (state, report) = d_step(&parts, 0..4);
        let halves = [0..2, 2..4].map(|rows| d_step(&whole, rows));
        let [first, second] = [&halves[0].1, &halves[1].1].map(|half| half.gradients.clone());
        let mut mean = Gradient::new();
        gradients::add_scaled(&mut mean, first, 0.5);
        gradients::add_scaled(&mut mean, second, 0.5);
        let apart = difference(report.gradients.clone(), mean);
        assert!(apart < 1e-4, "{extra}: D's gradients differ by {apart}");
        // and not that of the whole batch, whose fakes have other statistics
        let (whole_state, whole) = d_step(&whole, 0..4);
        assert!(difference(report.gradients.clone(), whole.gradients) > 1e-4);
        // the fakes are those of the last part
        let fakes = |report: &DiscriminatorReport| {
            let images = report.fake_images.clone();
            let len = images.dims().iter().product::<usize>();
            read_values(images.reshape([len])).block_on().unwrap()
        };
        assert_eq!(report.fake_images.dims()[0], 2);
        let (last, second) = (fakes(&report), fakes(&halves[1].1));
        let apart = last.iter().zip(&second).map(|(a, b)| (a - b).abs());
        assert!(apart.fold(0.0, f32::max) < 1e-6);
        // the singular vectors took one step in all
        let u = |state: &TrainState| named_tensors(&state.discriminator);
        for (name, tensor) in u(&whole_state)
            .into_iter()
            .filter(|(n, _)| n.ends_with(".u"))
        {
            let other = u(&state)[&name].values.clone();
            let apart = read_values((tensor.values - other).abs())
                .block_on()
                .unwrap();
            assert!(apart.iter().all(|d| *d < 1e-5), "{name}");
        }
        let mean = state.generator.output_bn.stats.mean.val();
        assert!(!mean.device().is_autodiff(), "a step commits plain tensors");
    }
}

/// However the batch is cut, LeCam's anchors move once a step, towards the mean of the whole batch.
#[test]
fn anchors_of_a_step_in_parts_are_of_all_parts() {
    let parts = config(r#"{"micro_batch": 2, "lecam": {"strength": 0.5}}"#);
    let (state, report) = d_step(&parts, 0..4);
    let anchors = &state.controls.anchors;
    assert_eq!(anchors.updates, 1);
    let read = |t: Tensor<1>| read_values(t).block_on().unwrap()[0];
    assert_eq!(report.real.dims()[0], 4);
    assert!((read(anchors.real.clone()) - read(report.real.mean())).abs() < 1e-6);
    assert!((read(anchors.fake.clone()) - read(report.fake.mean())).abs() < 1e-6);
}

/// `D(x) = sum x` where x is above 0: all weights 0 but those of the shortcuts and of the last layer.
fn sum_of_pixels(config: &crate::DiscriminatorConfig) -> crate::model::Discriminator {
    let zeros = crate::model::Discriminator::zeros(config, &Device::flex()).unwrap();
    let halvings = (config.resolution / 8).ilog2(); // each mean over 2x2 pixels divides a sum by 4
    crate::named::map_tensors(zeros, |name, tensor| {
        let len = tensor.values.dims()[0];
        let mut values = vec![0.0f32; len];
        if name.ends_with("conv_sc.weight") {
            values[..tensor.shape[1]].fill(1.0); // the first output is the sum of the inputs
        } else if name == "linear.weight" {
            values[0] = 4f32.powi(halvings as i32);
        }
        Ok(Tensor::from_data(
            TensorData::new(values, [len]),
            &Device::flex(),
        ))
    })
    .unwrap()
}

/// stylegan2-ada, R3GAN: `grad_x D(T x)` is 0 where the cut-out hides x, and 1 elsewhere.
#[test]
fn penalties_are_at_the_image_before_augmentation() {
    let mut config = config(r#"{"r1": {"gamma": 2.0}, "augment": {"operations": ["cutout"]}}"#);
    config.discriminator.spectral_norm = false;
    config.discriminator.attention = vec![];
    let device = Device::flex();
    let mut state = TrainState::new(&config, &device).unwrap();
    state.discriminator = sum_of_pixels(&config.discriminator);
    let real = RealBatch {
        images: reals(&config, &device).images.abs() + 0.1,
        ..reals(&config, &device)
    };
    let augment =
        batch::augmentation(&state.controls, &config, batch::Seen::ByD, 0, BATCH).unwrap();
    let hidden = augment
        .apply(Tensor::ones_like(&real.images))
        .equal_elem(0.0)
        .float();
    let hidden = hidden.sum().into_scalar::<f32>() / (3 * BATCH) as f32; // pixels an image
    assert!(hidden > 1.0);
    let sum = read_values(real.images.clone().sum()).block_on().unwrap()[0];
    let logits = state
        .discriminator
        .evaluate(real.images.clone(), real.class_weights.clone());
    let logits = read_values(logits.sum()).block_on().unwrap()[0];
    assert!((logits / sum - 1.0).abs() < 1e-5, "{logits} {sum}");

    let ranks = Ranks::single();
    let fakes = config.fakes(Stream::DiscriminatorFakes, 0, &ranks, &device);
    let (_, report) = discriminator_step(state, &config, &ranks, real, fakes).unwrap();
    let [r1, _] = report
        .penalties
        .map(|value| value.map(|v| read_values(v).block_on().unwrap()[0]));
    let r = config.generator.resolution as f32;
    let (found, expected) = (2.0 * r1.unwrap(), 3.0 * (r * r - hidden)); // gamma 2
    assert!((found / expected - 1.0).abs() < 1e-4, "{found} {expected}");
}

/// The penalty's gradient with respect to D's weights, by finite differences of its value, through an augmentation.
#[test]
fn the_gradient_of_an_augmented_penalty_is_that_of_its_value() {
    let mut config = config(r#"{"augment": {"operations": ["color", "translation", "cutout"]}}"#);
    config.discriminator.spectral_norm = false; // its vectors are constants for the gradient
    let device = Device::flex();
    let state = TrainState::new(&config, &device).unwrap();
    let real = reals(&config, &device);
    let augment = batch::augmentation(&state.controls, &config, batch::Seen::ByD, 0, 0);
    let report = |d: &crate::model::Discriminator| {
        let (images, classes) = (real.images.clone(), real.class_weights.clone());
        gradient_penalty::penalty_through(augment.as_ref(), d, images, classes)
    };
    let name = "linear.weight"; // D is linear in it: no ReLU changes its mask
    let gradient = host(report(&state.discriminator).gradients)[name].clone();
    let value_at = |step: f32| {
        let moved = crate::named::map_tensors(state.discriminator.clone(), |found, tensor| {
            Ok(match found == name {
                true => tensor.values.clone() + tensor.values * step,
                false => tensor.values,
            })
        });
        f64::from(
            read_values(report(&moved.unwrap()).value)
                .block_on()
                .unwrap()[0],
        )
    };
    // along the weight itself
    let weight = read_values(named_tensors(&state.discriminator)[name].values.clone());
    let weight = weight.block_on().unwrap();
    let products = weight.iter().zip(&gradient).map(|(w, g)| f64::from(w * g));
    let (along, h) = (products.sum::<f64>(), 1e-2);
    let expected = (value_at(h) - value_at(-h)) / (2.0 * f64::from(h));
    let scale = value_at(0.0);
    assert!(
        (along - expected).abs() < 1e-3 * scale,
        "{along} {expected} of {scale}"
    );
}

#[test]
fn a_frozen_generator_is_not_clamped() {
    let mut config = config(r#"{"sigma_clamp": {"kind": "fixed", "sigma": 0.5}}"#);
    config.adam_g.lr = 0.0; // as while G is frozen
    let device = Device::flex();
    let weights = |state: &TrainState| -> Vec<Vec<f32>> {
        let all = named_tensors(&state.generator)
            .into_values()
            .filter(|t| t.trainable);
        all.map(|t| read_values(t.values).block_on().unwrap())
            .collect()
    };
    let mut learning = config.clone();
    learning.adam_g.lr = 1e-5;
    let before = weights(&TrainState::new(&learning, &device).unwrap());
    let step = |config: &TrainConfig| {
        let fakes = config.fakes(Stream::GeneratorFakes, 0, &Ranks::single(), &device);
        let state = TrainState::new(&learning, &device).unwrap();
        generator_step(state, config, &Ranks::single(), fakes, None)
            .unwrap()
            .0
    };
    assert!(weights(&step(&config)) == before);
    assert!(weights(&step(&learning)) != before);
}

/// D's orthogonal term (BigGAN-PyTorch's `D_ortho`) is on every weight, the class embedding included.
#[test]
fn the_orthogonal_term_of_d_is_added_to_its_gradient() {
    let plain = config("{}");
    let mut with = plain.clone();
    (with.orthogonal_d, with.orthogonal_factor) = (0.5, 2.0);
    with.orthogonal_term = OrthogonalTerm::Original;
    let state = TrainState::new(&plain, &Device::flex()).unwrap();
    let mut expected = d_step(&plain, 0..4).1.gradients;
    for (name, weight) in named_tensors(&state.discriminator) {
        let term = orthogonal_gradient(OrthogonalTerm::Original, &weight, 0.5, 2.0);
        if let (Some(gradient), Some(term)) = (expected.get_mut(&name), term) {
            *gradient = gradient.clone() + term;
        }
    }
    let found = d_step(&with, 0..4).1.gradients;
    assert!(difference(found, expected.clone()) < 1e-6);
    assert!(difference(d_step(&plain, 0..4).1.gradients, expected) > 1e-3);
}

/// Images by their numbers in a run: what was asked for.
struct Asked(Vec<u64>);

impl Reals<crate::Error> for Asked {
    fn batch(&mut self, first: u64, rows: &BatchRows, device: &Device) -> crate::Result<RealBatch> {
        self.0.push(first);
        Noise::new(&check_config(3)).batch(first, rows, device)
    }
}

/// R3GAN's loop: every step fetches a batch of its own.
#[test]
fn a_pairing_generator_step_has_real_images_of_its_own() {
    let device = Device::flex();
    let asked = |objective: &str, steps: &[Which]| {
        let mut config = config(&format!(r#"{{"objective": "{objective}"}}"#));
        config.d_steps = 2;
        let mut asked = Asked(vec![]);
        let mut state = TrainState::new(&config, &device).unwrap();
        for &which in steps {
            let ranks = Ranks::single();
            let round = super::round(
                state,
                &config,
                &ranks,
                &mut asked,
                which,
                Gradients::Dropped,
                &device,
            );
            state = round.block_on().unwrap().0;
        }
        asked.0
    };
    let both = [Which::Both, Which::Both];
    let n = BATCH as u64;
    assert_eq!(
        asked("relativistic_pairing", &both),
        [0, n, 2 * n, 3 * n, 4 * n, 5 * n]
    );
    assert_eq!(
        asked(
            "relativistic_pairing",
            &[Which::D, Which::G, Which::G, Which::D]
        ),
        [0, n, 2 * n, 3 * n]
    );
    assert_eq!(asked("hinge", &both), [0, n, 2 * n, 3 * n]);
}

#[test]
fn a_pairing_recipe_is_told_what_r3gan_has() {
    let mut bare = config(r#"{"objective": "relativistic_pairing", "r2": {"gamma": 0.0}}"#);
    let said = bare.remarks().join("\n");
    for part in [
        "techniques.r1",
        "techniques.r2",
        "spectral norm in D",
        "batch norm in G",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    bare.discriminator.spectral_norm = false;
    bare.techniques.r1 = Some(serde_json::from_str(r#"{"gamma": 1.0}"#).unwrap());
    bare.techniques.r2 = bare.techniques.r1;
    assert_eq!(bare.remarks().len(), 1, "{:?}", bare.remarks());
    assert!(config("{}").remarks().is_empty());
}

/// A checkpoint of a program that allowed ADA's target with an objective without a boundary.
#[test]
fn an_earlier_state_with_a_target_of_signs_is_still_read() {
    let json = r#"{"augment": {"operations": ["flip"], "ada_target": 0.6}}"#;
    let plain = config(json);
    let state = TrainState::new(&plain, &Device::flex()).unwrap();
    let mut earlier = plain;
    earlier.techniques.objective = Objective::Wasserstein;
    let message = earlier.validate().unwrap_err().to_string();
    assert!(message.contains("augment.ada_target is 0.6"), "{message}");
    let tensors = state.to_host().block_on().unwrap();
    TrainState::from_host(&earlier, &state.counters(), tensors, &Device::flex()).unwrap();
}

/// The running statistics are replaced by tables in f32: f16's 65504 is no limit for them.
#[test]
fn a_large_running_variance_is_exported_in_f16() {
    let config = config("{}");
    let device = Device::flex();
    let mut state = TrainState::new(&config, &device).unwrap();
    state.ema.generator = crate::named::map_tensors(state.ema.generator, |name, tensor| {
        Ok(match name.ends_with(".variance") {
            true => tensor.values * 0.0 + 70_000.0,
            false => tensor.values,
        })
    })
    .unwrap();
    let card = ModelCard {
        class_names: ["a", "b", "c"].map(str::to_owned).to_vec(),
        dataset: crate::file::DatasetInfo {
            name: "three".into(),
            images: 3,
            sha256: vec![],
            source: None,
        },
        program: "test".into(),
        recipe: "test".into(),
        seed: 3,
    };
    let standing = crate::standing_stats::StandingConfig {
        passes: 1,
        batch_size: 4,
        seed: 3,
    };
    let truncation = vec![crate::truncation::Truncation::Off];
    let f16 = crate::file::Dtype::F16;
    let model = averaged_model(&state, card, truncation, standing, f16, &device, |_| ());
    let bytes = model.block_on().unwrap().encode(f16).unwrap();
    crate::file::ModelFile::decode(&bytes).unwrap();
}

#[test]
fn every_technique_trains() {
    for techniques in [
        r#"{"objective": "non_saturating"}"#,
        r#"{"objective": "least_squares"}"#,
        r#"{"objective": "wasserstein"}"#,
        r#"{"objective": "relativistic_pairing", "r1": {"gamma": 1.0}, "r2": {"gamma": 1.0}}"#,
        r#"{"augment": {"operations": ["flip", "color", "translation", "cutout"]}}"#,
        r#"{"augment": {"operations": ["color", "cutout"], "ada_target": 0.6}}"#,
        r#"{"lecam": {"strength": 0.3}}"#,
        r#"{"top_k": {"gamma": 0.99, "floor": 0.5, "interval_steps": 100}}"#,
        r#"{"sigma_clamp": {"kind": "fixed", "sigma": 0.9}}"#,
        r#"{"sigma_clamp": {"kind": "ratio", "ratio": 0.9}}"#,
        r#"{"r1": {"gamma": 10.0, "every": 16}}"#,
    ] {
        let plain = round(&config("{}"));
        let config = config(techniques);
        let (state, d, g) = round(&config);
        for gradients in [d.gradients.clone(), g.gradients.clone()] {
            for (name, values) in host(gradients) {
                assert!(values.iter().all(|v| v.is_finite()), "{techniques}: {name}");
            }
        }
        let changed = difference(d.gradients, plain.1.gradients) > 1e-4
            || difference(g.gradients, plain.2.gradients) > 1e-4
            || techniques.contains("sigma_clamp") && {
                let weight = |s: &TrainState| named_tensors(&s.generator)["linear.weight"].clone();
                let apart = weight(&state).values - weight(&plain.0).values;
                read_values(apart.abs())
                    .block_on()
                    .unwrap()
                    .iter()
                    .any(|d| *d > 1e-4)
            };
        // k is the whole batch at the first step, and ADA's probability 0
        let starts_idle = ["top_k", "ada"]
            .iter()
            .any(|word| techniques.contains(word));
        assert!(changed || starts_idle, "{techniques} does nothing");
    }
}

/// FreezeD: the first blocks keep their weights, the others and the head learn, with the same gradients.
#[test]
fn frozen_blocks_of_d_stay() {
    let weights = |state: &TrainState| {
        let tensors = named_tensors(&state.discriminator).into_iter();
        let trained = tensors.filter(|(_, tensor)| tensor.trainable);
        let read = |t: FlatTensor| read_values(t.values).block_on().unwrap();
        trained
            .map(|(name, t)| (name, read(t)))
            .collect::<BTreeMap<_, _>>()
    };
    let free = config("{}");
    let frozen = config(r#"{"freeze_d": 1, "r1": {"gamma": 1.0}}"#);
    let start = weights(&TrainState::new(&frozen, &Device::flex()).unwrap());
    let (after, report, _) = round(&frozen);
    for (name, values) in weights(&after) {
        let stays = name.starts_with("blocks.0.");
        // the last bias moves nothing in the first step: hinge pulls fakes and reals apart by the same
        let pulled = name != "linear.bias";
        assert_eq!(values == start[&name], stays || !pulled, "{name}");
        assert_eq!(report.gradients.contains_key(&name), !stays, "{name}");
    }
    let all: Vec<String> = weights(&round(&free).0).into_keys().collect();
    assert!(
        all.iter().any(|name| name.starts_with("blocks.1.")),
        "{all:?}"
    );
    let too_many = serde_json::from_str(r#"{"freeze_d": 99}"#).unwrap();
    let mut config = check_config(3);
    config.techniques = too_many;
    let message = config.validate().unwrap_err().to_string();
    assert!(message.contains("techniques.freeze_d is 99"), "{message}");
}

#[test]
fn controls_are_saved_with_the_state() {
    let config = config(
        r#"{"lecam": {"strength": 0.3}, "augment": {"operations": ["color"], "ada_target": 0.6}}"#,
    );
    let (state, _, _) = round(&config);
    let tensors = state.to_host().block_on().unwrap();
    assert_ne!(tensors.0["controls.anchor_real"].values, [0.0]);
    assert_eq!(tensors.0["controls.anchor_updates"].values, [1.0]);
    let back = TrainState::from_host(&config, &state.counters(), tensors.clone(), &Device::flex());
    assert_eq!(back.unwrap().to_host().block_on().unwrap(), tensors);
    // a checkpoint of a program that did not count updates
    let mut older = tensors;
    older.0.remove("controls.anchor_updates");
    let read =
        |tensors| TrainState::from_host(&config, &state.counters(), tensors, &Device::flex());
    assert_eq!(
        read(older.clone()).unwrap().controls.anchors.updates,
        lecam::MOST_UPDATES
    );
    // and one from before there were controls
    let _: HostTensors = older.take_under("controls");
    assert_eq!(read(older).unwrap().controls.anchors.updates, 0);
}

#[test]
fn a_pairing_objective_asks_for_pairs() {
    let config = config(r#"{"objective": "relativistic_pairing"}"#);
    let device = Device::flex();
    let state = TrainState::new(&config, &device).unwrap();
    let fakes = config.fakes(Stream::GeneratorFakes, 0, &Ranks::single(), &device);
    let message = generator_step(state, &config, &Ranks::single(), fakes, None)
        .unwrap_err()
        .to_string();
    assert!(message.contains("0 real and 4 fake"), "{message}");
}

/// The estimate before anything is built, against what is built.
#[test]
fn the_cost_is_that_of_the_state() {
    let count = |tensors: NamedTensors, copies: usize| -> usize {
        let len = |t: &FlatTensor| t.values.dims()[0] * if t.trainable { copies } else { 1 };
        tensors.values().map(len).sum()
    };
    let per_layer = GeneratorConfig {
        class_embedding: ClassEmbedding::PerLayer,
        hierarchical_z: false,
        spectral_norm: false,
        ..generator(Architecture::Biggan, 32)
    };
    let generators = ARCHITECTURES.map(|architecture| GeneratorConfig {
        attention: vec![16],
        ..generator(architecture, 32)
    });
    for g in generators.into_iter().chain([per_layer]) {
        let mut config = check_config(3);
        config.discriminator = discriminator(g.architecture, 32);
        config.generator = g;
        let cost = config.cost().unwrap();
        let state = TrainState::new(&config, &Device::flex()).unwrap();
        let values = count(named_tensors(&state.generator), 3)
            + count(named_tensors(&state.discriminator), 3)
            + count(named_tensors(&state.ema.generator), 1);
        assert_eq!(
            cost.state_bytes,
            4 * values as u64,
            "{:?}",
            config.generator
        );

        let batch = config.batch_size;
        config.batch_size = 2 * batch;
        let doubled = config.cost().unwrap();
        assert_eq!(doubled.map_bytes, 2 * cost.map_bytes);
        assert_eq!(doubled.state_bytes, cost.state_bytes);
        config.techniques.micro_batch = Some(batch);
        assert_eq!(config.cost().unwrap(), cost);
    }
}
