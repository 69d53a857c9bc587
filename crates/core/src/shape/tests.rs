//! Shapes against networks that are built, and counts against those that are published.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::Device;

use super::NetworkShape;
use crate::config::{
    Architecture, ClassEmbedding, DiscriminatorConfig, GeneratorConfig, RESOLUTIONS,
};
use crate::model::{Discriminator, Generator};
use crate::named::named_tensors;
use crate::test_configs::{ARCHITECTURES, discriminator, generator};

fn assert_described(shape: &NetworkShape, module: &impl Module) {
    let built: BTreeMap<String, Vec<usize>> = named_tensors(module)
        .into_iter()
        .filter(|(_, tensor)| tensor.trainable)
        .map(|(name, tensor)| (name, tensor.shape))
        .collect();
    let described: BTreeMap<String, Vec<usize>> = shape
        .tensors()
        .map(|(name, shape)| (name.to_owned(), shape.to_vec()))
        .collect();
    assert_eq!(described, built);
    assert_eq!(shape.tensors().count(), built.len(), "a name twice");
}

fn check_generator(config: &GeneratorConfig) {
    let built = Generator::zeros(config, &Device::flex()).unwrap();
    assert_described(&NetworkShape::generator(config).unwrap(), &built);
}

fn check_discriminator(config: &DiscriminatorConfig) {
    let built = Discriminator::zeros(config, &Device::flex()).unwrap();
    assert_described(&NetworkShape::discriminator(config).unwrap(), &built);
}

#[test]
fn shapes_are_those_of_the_networks() {
    for architecture in ARCHITECTURES {
        for resolution in RESOLUTIONS {
            let mut g = generator(architecture, resolution);
            g.attention = vec![8, resolution];
            check_generator(&g);
            let mut d = discriminator(architecture, resolution);
            d.attention = vec![8];
            d.attention_after_stages = vec![1];
            check_discriminator(&d);
        }
    }
}

#[test]
fn shapes_follow_the_options() {
    let mut plain = generator(Architecture::Biggan, 32);
    plain.hierarchical_z = false;
    check_generator(&plain);
    plain.class_embedding = ClassEmbedding::PerLayer;
    check_generator(&plain);
    let mut deep = generator(Architecture::BigResnetDeepStudiogan, 64);
    deep.depth = Some(3);
    check_generator(&deep);
    let mut deep = discriminator(Architecture::BigganDeep, 64);
    deep.depth = Some(1);
    check_discriminator(&deep);
}

/// One 3x3 block of D by hand.
#[test]
fn cost_of_a_block_by_hand() {
    let shape = NetworkShape::discriminator(&discriminator(Architecture::Biggan, 32)).unwrap();
    let block = &shape.layers[1]; // 16 -> 16 feature maps, 16x16 -> 8x8
    assert_eq!((block.name.as_str(), block.resolution), ("blocks.1", 8));
    assert_eq!(block.parameters(), 2 * (16 * 16 * 9 + 16) + (16 * 16 + 16));
    assert_eq!(block.multiply_adds, 2 * 16 * 16 * 9 * 256 + 16 * 16 * 64);
    // two ReLUs and two 3x3 at 16x16; 1x1, pooled shortcut and sum at 8x8
    assert_eq!(block.activations, 4 * 16 * 256 + 3 * 16 * 64);
}

/// A published network: resolution, width, z, shared embedding and classes.
struct Published {
    architecture: Architecture,
    resolution: usize,
    channels: usize,
    z_dim: usize,
    classes: usize,
    attention: [usize; 2],
}

impl Published {
    fn counts(&self) -> (u64, u64) {
        let mut g = generator(self.architecture, self.resolution);
        let mut d = discriminator(self.architecture, self.resolution);
        (g.channels, g.z_dim, g.classes) = (self.channels, self.z_dim, self.classes);
        g.class_embedding = ClassEmbedding::Shared { dim: 128 };
        (d.channels, d.classes) = (self.channels, self.classes);
        let places = |resolution| [resolution].into_iter().filter(|&r| r > 0).collect();
        (g.attention, d.attention) = (places(self.attention[0]), places(self.attention[1]));
        (
            NetworkShape::generator(&g).unwrap().parameters(),
            NetworkShape::discriminator(&d).unwrap().parameters(),
        )
    }
}

/// G: google/compare_gan `resnet_biggan.py:42,50,58`; 128 and StudioGAN's: the logs of
/// POSTECH-CVLab/PyTorch-StudioGAN (`logs/IMAGENET`, `logs/CIFAR10`, `logs/TINY_IMAGENET`). compare_gan's
/// D at 256 and 512 lacks a shortcut (590,592 less); ajbrock/BigGAN-PyTorch has it, and so do we.
#[test]
fn counts_of_biggan() {
    use Architecture::{BigResnet, Biggan};
    let rows = [
        // architecture, resolution, width, z, classes, attention in G and D, parameters of G and D
        (
            Biggan,
            128,
            96,
            120,
            1000,
            [64, 64],
            (70_433_988, 87_982_370),
        ),
        (
            Biggan,
            256,
            96,
            140,
            1000,
            [128, 64],
            (82_097_604, 99_225_890),
        ),
        (
            Biggan,
            512,
            96,
            160,
            1000,
            [64, 64],
            (82_468_068, 99_401_282),
        ),
        (Biggan, 64, 64, 120, 1000, [64, 0], (31_908_100, 20_566_721)),
        (Biggan, 32, 64, 80, 10, [0, 0], (4_287_235, 4_207_361)),
        (BigResnet, 32, 96, 80, 10, [16, 16], (9_416_196, 2_415_170)),
        (
            BigResnet,
            64,
            80,
            100,
            200,
            [32, 32],
            (17_335_204, 30_796_722),
        ),
    ];
    for (architecture, resolution, channels, z_dim, classes, attention, counts) in rows {
        let published = Published {
            architecture,
            resolution,
            channels,
            z_dim,
            classes,
            attention,
        };
        assert_eq!(published.counts(), counts, "{architecture:?} {resolution}");
    }
    // BigGAN-PyTorch `scripts/launch_cifar_ema.sh`: no shared embedding, no hierarchical z
    let mut cifar = generator(Biggan, 32);
    (cifar.channels, cifar.z_dim, cifar.classes) = (64, 128, 10);
    cifar.hierarchical_z = false;
    cifar.class_embedding = ClassEmbedding::PerLayer;
    let shape = NetworkShape::generator(&cifar).unwrap();
    assert_eq!(shape.parameters(), 4_304_387);
}

/// G with the 128 outputs of its last convolution, of which three are used: 50.4, 55.9 and 56.2 million
/// (README of huggingface/pytorch-pretrained-BigGAN). Ours has the three.
#[test]
fn counts_of_biggan_deep() {
    let rows = [
        (128, 50_388_609, 50_244_484, 34_590_210),
        (256, 55_880_833, 55_736_708, 38_247_426),
        (512, 56_163_905, 56_019_780, 38_301_122),
    ];
    for (resolution, published_g, ours, d) in rows {
        let published = Published {
            architecture: Architecture::BigganDeep,
            resolution,
            channels: 128,
            z_dim: 128,
            classes: 1000,
            attention: [64, 64],
        };
        assert_eq!(published.counts(), (ours, d), "{resolution}");
        let unused = 125 * (9 * 128) + 125;
        assert_eq!(ours + unused, published_g, "{resolution}");
    }
}
