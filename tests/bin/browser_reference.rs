//! Native values that the browser tests compare with, and a model with random weights for them.
//!
//! ```text
//! browser_reference model OUT [CHANNELS]
//! browser_reference large OUT        the paper's generator at 128 px, f16: 141 MB
//! browser_reference check SEED STEPS OUT
//! ```

use std::collections::BTreeMap;
use std::error::Error;

use biggan::config::{Architecture, ClassEmbedding, GeneratorConfig};
use biggan::file::{DatasetInfo, Dtype, ModelFile, ModelInfo, Provenance, StatisticsTable};
use biggan::latent_kind::LatentKind;
use biggan::model::Generator;
use biggan::standing_stats::{StandingConfig, standing_statistics};
use biggan::train::check_run;
use biggan::truncation::{LatentDistribution, Truncation, TruncationKind};
use burn::tensor::Device;

#[path = "../support/random_model.rs"]
mod random_model;

/// Names of Fashion-MNIST's classes, so that the page looks as it will.
const CLASS_NAMES: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["model", out] => std::fs::write(out, small_model(4)?)?,
        ["model", out, channels] => std::fs::write(out, small_model(channels.parse()?)?)?,
        ["large", out] => {
            let config = random_model::config(Architecture::Biggan, 128, 96, &[64]);
            std::fs::write(out, random_model::model(&config, 1).encode(Dtype::F16)?)?;
        }
        ["check", seed, steps, out] => {
            let device = Device::flex();
            let run = check_run(seed.parse()?, steps.parse()?, &device);
            std::fs::write(out, pollster::block_on(run)?.encode()?)?;
        }
        _ => return Err("usage: browser_reference model|large|check ...".into()),
    }
    Ok(())
}

/// A whole model file whose weights were never trained.
fn small_model(channels: usize) -> Result<Vec<u8>, Box<dyn Error>> {
    let device = Device::flex();
    let mut config = GeneratorConfig {
        architecture: Architecture::Biggan,
        depth: None,
        resolution: 32,
        channels,
        latent: biggan::latent_kind::LatentKind::Normal,
        z_dim: 64,
        classes: CLASS_NAMES.len(),
        class_embedding: ClassEmbedding::Shared { dim: 32 },
        hierarchical_z: true,
        attention: vec![16],
        spectral_norm: true,
        bn_eps: 1e-4,
        output_bn_eps: None,
        sn_eps: 1e-4,
        bn_momentum: 0.1,
    };
    let generator = Generator::new(&config, 1, &device)?.folded();
    config.spectral_norm = false;
    let truncations: Vec<Truncation> = std::iter::once(Truncation::Off)
        .chain([0.25, 0.5, 1.0, 2.0].map(Truncation::Threshold))
        .collect();
    let standing = StandingConfig {
        passes: 4,
        batch_size: 32,
        seed: 1,
    };
    let mut statistics = Vec::new();
    for &truncation in &truncations {
        let z =
            LatentDistribution::new(LatentKind::Normal, TruncationKind::Resampling, truncation)?;
        let row = standing_statistics(&generator, z, standing, &device);
        statistics.push(pollster::block_on(row)?);
    }
    let info = ModelInfo {
        generator: config,
        class_names: CLASS_NAMES.map(str::to_owned).to_vec(),
        class_ids: vec![],
        truncation_kind: TruncationKind::Resampling,
        statistics: StatisticsTable {
            truncations,
            samples: standing.passes * standing.batch_size,
        },
        dataset: DatasetInfo {
            name: "none".into(),
            images: 0,
            sha256: vec![],
            source: None,
        },
        provenance: Provenance {
            program: format!("browser_reference {}", env!("CARGO_PKG_VERSION")),
            recipe: "random weights".into(),
            images_seen: 0,
            g_step: 0,
            seed: 1,
            ema_initial_share: 1.0,
            imported: None,
        },
        scores: BTreeMap::new(),
    };
    let file = pollster::block_on(ModelFile::from_generator(generator, info, &statistics))?;
    Ok(file.encode(Dtype::F16)?)
}
