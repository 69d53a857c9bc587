//! Every architecture makes pictures, folds and trains.

use burn::tensor::{Device, Tensor};
use pollster::FutureExt;

use super::{Generator, PreparedGenerator};
use crate::blocks::GeneratorBlock;
use crate::config::{Architecture, ClassEmbedding, GeneratorConfig};
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

/// Largest difference of sums in another order, of values in [-1, 1].
const ROUNDING: f32 = 1e-5;

/// A generator whose statistics and gammas are not those of the start.
fn worn(config: &GeneratorConfig) -> Generator {
    let device = Device::flex();
    let mut network = Generator::new(config, 3, &device).unwrap();
    for (index, (_, normaliser)) in network.normalisers_mut().into_iter().enumerate() {
        let channels = normaliser.mean.dims()[0];
        let wave = |rate: f32| {
            let values: Vec<f32> = (0..channels)
                .map(|c| libm::sinf(rate * (c + index) as f32))
                .collect();
            Tensor::<1>::from_floats(values.as_slice(), &device)
        };
        normaliser.set(wave(1.7) * 0.3, wave(0.9) * 0.5 + 1.0);
    }
    for block in &mut network.blocks {
        let attention = match block {
            GeneratorBlock::Plain(block) => &mut block.attention,
            GeneratorBlock::Deep(block) => &mut block.attention,
        };
        if let Some(attention) = attention {
            attention.gamma = attention.gamma.clone().map(|gamma| gamma + 0.7);
        }
    }
    network
}

#[test]
fn a_prepared_generator_makes_the_same_pictures() {
    let device = Device::flex();
    let configs = ARCHITECTURES.into_iter().flat_map(|architecture| {
        let with = |change: &dyn Fn(&mut GeneratorConfig)| {
            let mut config = generator(architecture, 2 * RESOLUTION);
            config.attention = vec![8, 32];
            change(&mut config);
            config
        };
        let mut configs = vec![with(&|_| ()), with(&|config| config.channels = 8)];
        if !architecture.is_deep() {
            configs.push(with(&|config| config.hierarchical_z = false));
            configs.push(with(&|config| {
                config.hierarchical_z = false;
                config.class_embedding = ClassEmbedding::PerLayer;
            }));
        }
        configs
    });
    for config in configs {
        let network = worn(&config).folded();
        let mut prepared = PreparedGenerator::new(network.clone()).unwrap();
        // the memory of a larger pass is used again
        for n in [3, 1, 2] {
            let z: Vec<f32> = (0..n * config.z_dim)
                .map(|i| libm::sinf(i as f32))
                .collect();
            let mut class_weights = vec![0.0; n * config.classes];
            for image in 0..n {
                class_weights[image * config.classes + image] = 0.75;
                class_weights[image * config.classes + 4] = 0.25;
            }
            let mut images = vec![0.0; n * prepared.image_len()];
            prepared.forward(&z, &class_weights, &mut images);
            let z = Tensor::<1>::from_floats(z.as_slice(), &device).reshape([n, config.z_dim]);
            let classes = Tensor::<1>::from_floats(class_weights.as_slice(), &device)
                .reshape([n, config.classes]);
            let expected = network.evaluate(z, classes, NormMode::Stored);
            let expected = read_values(expected).block_on().unwrap();
            assert_eq!(images.len(), expected.len());
            for (a, b) in images.iter().zip(&expected) {
                assert!((a - b).abs() < ROUNDING, "{n} of {config:?}: {a} {b}");
            }
        }
    }
}

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
