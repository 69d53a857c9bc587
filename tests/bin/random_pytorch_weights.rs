//! A random generator in the layout of BigGAN-PyTorch, of any recipe's size: to measure the importer
//! without published weights.
//!
//!     cargo run -p biggan-tests --bin random_pytorch_weights -- FILE
//!
//! writes BigGAN-128 of the paper (width 96, z 120, 1,000 classes) as a legacy `G.pth`, the container of
//! the published one.

use std::error::Error;

use biggan::config::{Architecture, ClassEmbedding, GeneratorConfig};
use biggan::shape::NetworkShape;

#[path = "../support/torch_writer.rs"]
mod torch_writer;

use torch_writer::{Item, TorchWriter};

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("give a file")?;
    let config = GeneratorConfig {
        architecture: Architecture::Biggan,
        depth: None,
        resolution: 128,
        channels: 96,
        latent: biggan::latent_kind::LatentKind::Normal,
        z_dim: 120,
        classes: 1000,
        class_embedding: ClassEmbedding::Shared { dim: 128 },
        hierarchical_z: true,
        attention: vec![64],
        spectral_norm: true,
        bn_eps: 1e-4,
        output_bn_eps: None,
        sn_eps: 1e-4,
        bn_momentum: 0.1,
    };
    let mut writer = TorchWriter::default();
    let mut tensors = Vec::new();
    let mut add = |name: String, shape: &[usize], value: &dyn Fn(usize) -> f32| {
        let values: Vec<f32> = (0..shape.iter().product()).map(value).collect();
        tensors.push((name, writer.f32(shape, &values)));
    };
    let network = NetworkShape::generator(&config)?;
    for (name, shape) in network.tensors() {
        let foreign = foreign(name);
        let (out, rest) = (shape[0], shape[1..].iter().product::<usize>());
        // a constant beside the noise keeps the largest singular value near 1
        let scale = (1.0 / (out * rest) as f32).sqrt();
        match name.rsplit('.').next() {
            Some("weight") => {
                add(foreign.clone(), shape, &|i| {
                    scale * (1.0 + libm::sinf(i as f32 * 0.7))
                });
                if name != "shared.weight" {
                    let stem = foreign.trim_end_matches("weight");
                    let unit = (1.0 / out as f32).sqrt();
                    add(format!("{stem}u0"), &[1, out], &|_| unit);
                    add(format!("{stem}sv0"), &[1], &|_| 1.0);
                }
            }
            Some("gamma") => add(foreign, &[], &|_| 0.5),
            Some("gain") => add(foreign, shape, &|_| 1.0),
            _ => add(foreign, shape, &|_| 0.0),
        }
    }
    // statistics are not learnable: one pair beside each gain
    let norms: Vec<(String, usize)> = tensors
        .iter()
        .filter_map(|(name, item)| {
            let stem = name
                .strip_suffix(".gain.weight")
                .or_else(|| name.strip_suffix(".gain"))?;
            let Item::Tensor { shape, .. } = item else {
                return None;
            };
            Some((stem.to_owned(), shape[0] as usize))
        })
        .collect();
    for (stem, channels) in norms {
        for (kind, value) in [("stored_mean", 0.0), ("stored_var", 1.0)] {
            let values = vec![value; channels];
            tensors.push((format!("{stem}.{kind}"), writer.f32(&[channels], &values)));
        }
    }
    let bytes = writer.legacy(&Item::Ordered(tensors));
    std::fs::write(&file, &bytes)?;
    println!("{} bytes", bytes.len());
    Ok(())
}

/// BigGAN-PyTorch's name of a tensor of ours.
fn foreign(name: &str) -> String {
    let parts: Vec<&str> = name.split('.').collect();
    match parts.as_slice() {
        ["blocks", block, "attention", rest @ ..] => format!("blocks.{block}.1.{}", rest.join(".")),
        ["blocks", block, rest @ ..] => format!("blocks.{block}.0.{}", rest.join(".")),
        ["output_bn", rest @ ..] => format!("output_layer.0.{}", rest.join(".")),
        ["output_conv", rest @ ..] => format!("output_layer.2.{}", rest.join(".")),
        _ => name.to_owned(),
    }
}
