//! The model file of a foreign generator.

use std::collections::BTreeMap;

use super::gather::Purpose;
use super::network::{Imported, generator};
use super::{Report, Source};
use crate::config::GeneratorConfig;
use crate::error::Result;
use crate::file::{DatasetInfo, ModelFile, ModelInfo, Provenance, StatisticsTable};
use crate::truncation::Truncation;

/// A foreign generator as a model file, and what became of each of its tensors.
///
/// `config` is the text of the program's own config: JSON, or StudioGAN's YAML.
///
/// # Errors
/// As [`generator`].
pub fn model(source: Source, bytes: &[u8], config: Option<&str>) -> Result<(ModelFile, Report)> {
    let Imported {
        config,
        mut tensors,
        statistics,
        report,
    } = generator(source, bytes, config, Purpose::Inference)?;
    let truncations = vec![Truncation::Off];
    for (name, table) in statistics {
        tensors.0.insert(format!("stats.{name}"), table);
    }
    let info = ModelInfo {
        class_names: class_names(&config),
        generator: config,
        statistics: StatisticsTable {
            truncations,
            samples: 0,
        },
        dataset: DatasetInfo {
            name: "unknown".into(),
            images: 0,
            sha256: Vec::new(),
        },
        provenance: Provenance {
            program: String::new(),
            recipe: String::new(),
            images_seen: 0,
            g_step: 0,
            seed: 0,
            ema_initial_share: 0.0,
        },
        scores: BTreeMap::new(),
    };
    Ok((ModelFile { info, tensors }, report))
}

fn class_names(config: &GeneratorConfig) -> Vec<String> {
    (0..config.classes).map(|class| format!("class {class}")).collect()
}
