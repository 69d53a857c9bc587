//! Models of any size with random weights and statistics, made in seconds.

use std::collections::BTreeMap;

use biggan::config::{Architecture, ClassEmbedding, GeneratorConfig};
use biggan::file::{DatasetInfo, ModelFile, ModelInfo, Provenance, StatisticsTable};
use biggan::latent::LatentKey;
use biggan::latent_kind::LatentKind;
use biggan::model::Generator;
use biggan::named::HostTensors;
use biggan::random::Stream;
use biggan::truncation::{LatentDistribution, Truncation, TruncationKind};
use burn::tensor::Device;
use pollster::block_on;

/// The paper's generator in a width: a shared embedding of 128, 20 values of z a layer (128 in the deep
/// architectures), 10 classes.
pub fn config(
    architecture: Architecture,
    resolution: usize,
    channels: usize,
    attention: &[usize],
) -> GeneratorConfig {
    let deep = architecture.is_deep();
    let stages = architecture
        .generator_stages(resolution)
        .expect("a table for this resolution");
    GeneratorConfig {
        architecture,
        depth: None,
        resolution,
        channels,
        z_dim: if deep { 128 } else { 20 * (stages + 1) },
        latent: LatentKind::Normal,
        classes: 10,
        class_embedding: ClassEmbedding::Shared { dim: 128 },
        hierarchical_z: !deep,
        attention: attention.to_vec(),
        spectral_norm: false,
        bn_eps: 1e-4,
        output_bn_eps: Some(1e-5),
        sn_eps: 1e-6,
        bn_momentum: 0.1,
    }
}

/// Independent draws of N(0, 1).
pub fn normals(seed: u64, count: usize) -> Vec<f32> {
    let key = LatentKey {
        seed,
        stream: Stream::Sample,
        step: 0,
        first: 0,
    };
    key.z(1, count, LatentDistribution::NORMAL)
}

/// A model whose every tensor is random, biases and statistics too; feature maps keep their magnitude from block to
/// block. Its table has rows for 0.5 and off.
pub fn model(config: &GeneratorConfig, seed: u64) -> ModelFile {
    let truncations = vec![Truncation::Off, Truncation::Threshold(0.5)];
    let mut network = Generator::zeros(config, &Device::flex()).expect("a config that is valid");
    let norms = network.normalisers_mut();
    let zeros = norms.iter().map(|(_, norm)| {
        let channels = norm.mean.dims()[0];
        [vec![0.0; channels], vec![0.0; channels]]
    });
    let rows = vec![zeros.collect::<Vec<_>>(); truncations.len()];
    let info = info(config, truncations);
    let mut file =
        block_on(ModelFile::from_generator(network, info, &rows)).expect("a device that reads");
    fill(&mut file.tensors, seed);
    file
}

fn fill(tensors: &mut HostTensors, seed: u64) {
    for (place, (name, tensor)) in tensors.0.iter_mut().enumerate() {
        let last = name.rsplit('.').next().unwrap_or_default();
        // an embedding's rows are its inputs: classes are few
        let fan_in = match tensor.shape.len() {
            0 | 1 => 1,
            _ => tensor.shape[1..].iter().product::<usize>(),
        };
        let (mean, deviation): (f32, f32) = match last {
            "mean" | "bias" => (0.0, 0.1),
            "gain" => (1.0, 0.2),
            "gamma" => (0.7, 0.1),
            "variance" => (0.0, 0.3),
            _ => (0.0, (fan_in as f32).sqrt().recip()),
        };
        let draws = normals(seed + 1000 * place as u64, tensor.values.len());
        for (value, draw) in tensor.values.iter_mut().zip(draws) {
            *value = mean + deviation * draw;
            if last == "variance" {
                *value = value.exp();
            }
        }
    }
}

fn info(config: &GeneratorConfig, truncations: Vec<Truncation>) -> ModelInfo {
    ModelInfo {
        generator: config.clone(),
        class_names: (0..config.classes)
            .map(|class| format!("class {class}"))
            .collect(),
        class_ids: vec![],
        truncation_kind: TruncationKind::Resampling,
        statistics: StatisticsTable {
            truncations,
            samples: 1,
        },
        dataset: DatasetInfo {
            name: "none".into(),
            images: 0,
            sha256: vec![],
            source: None,
        },
        provenance: Provenance {
            program: "test".into(),
            recipe: "none".into(),
            images_seen: 0,
            g_step: 0,
            seed: 0,
            ema_initial_share: 0.0,
            imported: None,
        },
        scores: BTreeMap::new(),
    }
}
