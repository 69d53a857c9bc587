//! Every architecture makes pictures, folds and trains.

use burn::tensor::{Device, Tensor};
use pollster::FutureExt;

use super::Generator;
use crate::config::Architecture;
use crate::latent::one_hot;
use crate::layers::NormMode;
use crate::named::read_values;
use crate::random::Stream;
use crate::shape::NetworkShape;
use crate::test_configs::{ARCHITECTURES, discriminator, generator};
use crate::train::{
    AdamConfig, EmaConfig, Ranks, RealBatch, Techniques, TrainConfig, TrainState,
    discriminator_step, generator_step,
};

const RESOLUTION: usize = 16;

#[test]
fn folding_changes_no_picture() {
    let device = Device::flex();
    for architecture in ARCHITECTURES {
        let mut config = generator(architecture, RESOLUTION);
        config.attention = vec![8];
        let network = Generator::new(&config, 3, &device).unwrap();
        let images = |network: Generator| {
            let z = Tensor::ones([2, config.z_dim], &device);
            let classes = one_hot(&[1, 4], config.classes, &device);
            let images = network.evaluate(z, classes, NormMode::Stored);
            assert_eq!(images.dims(), [2, 3, RESOLUTION, RESOLUTION]);
            read_values(images).block_on().unwrap()
        };
        let folded = images(network.clone().folded());
        for (a, b) in images(network).iter().zip(&folded) {
            assert!((a - b).abs() < 1e-5, "{architecture:?}: {a} {b}");
        }
    }
}

#[test]
fn every_parameter_of_every_architecture_is_trained() {
    for architecture in ARCHITECTURES {
        trains(architecture, false);
    }
    trains(Architecture::BigResnetDeepStudiogan, true);
    trains(Architecture::BigResnet, true);
}

fn trains(architecture: Architecture, activated_shortcut: bool) {
    let device = Device::flex();
    let adam = AdamConfig {
        lr: 1e-4,
        beta1: 0.0,
        beta2: 0.999,
        eps: 1e-6,
    };
    let mut config = TrainConfig {
        generator: generator(architecture, RESOLUTION),
        discriminator: discriminator(architecture, RESOLUTION),
        adam_g: adam.clone(),
        adam_d: adam,
        ema: EmaConfig {
            decay: 0.9,
            start_step: 0,
            ramp: false,
        },
        batch_size: 2,
        d_steps: 1,
        orthogonal: 1e-4,
        orthogonal_d: 0.0,
        orthogonal_term: crate::train::OrthogonalTerm::Modified,
        orthogonal_factor: 4.0,
        techniques: Techniques::default(),
        seed: 1,
    };
    config.generator.attention = vec![8];
    config.discriminator.attention = vec![8];
    config.discriminator.activated_shortcut = activated_shortcut;
    let state = TrainState::new(&config, &device).unwrap();
    let fakes = |stream| config.fakes(stream, 0, &Ranks::single(), &device);
    let real = RealBatch {
        images: Tensor::ones([2, 3, RESOLUTION, RESOLUTION], &device) * 0.5,
        class_weights: one_hot(&[0, 3], config.generator.classes, &device),
    };
    let (state, d) = discriminator_step(
        state,
        &config,
        &Ranks::single(),
        real,
        fakes(Stream::DiscriminatorFakes),
    )
    .unwrap();
    let (_, g) = generator_step(
        state,
        &config,
        &Ranks::single(),
        fakes(Stream::GeneratorFakes),
        None,
    )
    .unwrap();
    for (gradients, shape) in [
        (
            g.gradients,
            NetworkShape::generator(&config.generator).unwrap(),
        ),
        (
            d.gradients,
            NetworkShape::discriminator(&config.discriminator).unwrap(),
        ),
    ] {
        let mut names: Vec<&str> = shape.tensors().map(|(name, _)| name).collect();
        names.sort_unstable();
        assert_eq!(gradients.keys().collect::<Vec<_>>(), names);
        for (name, gradient) in &gradients {
            let values = read_values(gradient.clone()).block_on().unwrap();
            assert!(
                values.iter().all(|v| v.is_finite()),
                "{architecture:?} {name}"
            );
        }
    }
}
