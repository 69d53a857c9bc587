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

#[test]
fn parts_of_a_batch_give_d_the_gradient_of_the_whole() {
    for extra in ["", r#", "lecam": {"strength": 0.5}, "r1": {"gamma": 2.0}"#] {
        let whole = round(&config(&format!(r#"{{"objective": "hinge"{extra}}}"#)));
        let parts = round(&config(&format!(r#"{{"micro_batch": 2{extra}}}"#)));
        let apart = difference(whole.1.gradients, parts.1.gradients);
        assert!(apart < 1e-4, "{extra}: D's gradients differ by {apart}");
        // the singular vectors took one step in both
        let u = |state: &TrainState| named_tensors(&state.discriminator);
        for (name, tensor) in u(&whole.0).into_iter().filter(|(n, _)| n.ends_with(".u")) {
            let other = u(&parts.0)[&name].values.clone();
            let apart = read_values((tensor.values - other).abs())
                .block_on()
                .unwrap();
            assert!(apart.iter().all(|d| *d < 1e-5), "{name}");
        }
        let mean = whole.0.generator.output_bn.stats.mean.val();
        assert!(!mean.device().is_autodiff(), "a step commits plain tensors");
        // G's batch norm sees other batches: its gradient is near, not equal
        assert!(difference(whole.2.gradients, parts.2.gradients) > 1e-4);
    }
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
                read_values(apart.abs()).block_on().unwrap().iter().any(|d| *d > 1e-4)
            }
            // its anchors start at 0: with logits near 0 it starts as a weak pull
            || techniques.contains("lecam");
        // k is the whole batch at the first step, and ADA's probability 0
        let starts_idle = ["top_k", "ada"]
            .iter()
            .any(|word| techniques.contains(word));
        assert!(changed || starts_idle, "{techniques} does nothing");
    }
}

#[test]
fn controls_are_saved_with_the_state() {
    let config = config(
        r#"{"lecam": {"strength": 0.3}, "augment": {"operations": ["color"], "ada_target": 0.6}}"#,
    );
    let (state, _, _) = round(&config);
    let tensors = state.to_host().block_on().unwrap();
    assert_ne!(tensors.0["controls.anchor_real"].values, [0.0]);
    let back = TrainState::from_host(&config, &state.counters(), tensors.clone(), &Device::flex());
    assert_eq!(back.unwrap().to_host().block_on().unwrap(), tensors);
    // a checkpoint from before there were controls
    let mut older = tensors;
    let _: HostTensors = older.take_under("controls");
    TrainState::from_host(&config, &state.counters(), older, &Device::flex()).unwrap();
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
