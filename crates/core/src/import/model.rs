//! The model file of a foreign generator.

use std::collections::BTreeMap;

use super::classes::NamedClasses;
use super::gather::Purpose;
use super::network::{Imported, generator};
use super::{Report, Source};
use crate::error::Result;
use crate::file::{
    DatasetInfo, ImportedFrom, ModelFile, ModelInfo, Provenance, StatisticsTable, sha256_hex,
};
use crate::truncation::{Truncation, TruncationKind};

impl Source {
    /// What the program means by truncation: `utils.py:21-33` of pytorch-pretrained-BigGAN,
    /// `utils.py:1071` of BigGAN-PyTorch (`z_var` is a standard deviation), `utils/sample.py:28-40` of
    /// StudioGAN.
    pub fn truncation_kind(self) -> TruncationKind {
        match self {
            Self::HfDeep => TruncationKind::ScaledTruncatedNormal,
            Self::BigganPytorch => TruncationKind::ScaledNormal,
            Self::Studiogan => TruncationKind::Resampling,
        }
    }
}

/// A foreign generator as a model file, and what became of each of its tensors.
///
/// `config` is the text of the program's own config: JSON, or StudioGAN's YAML.
///
/// # Errors
/// As [`generator`].
pub fn model(source: Source, bytes: &[u8], config: Option<&str>) -> Result<(ModelFile, Report)> {
    let data_set = config.and_then(|text| super::classes::data_set(source, text));
    let Imported {
        config,
        mut tensors,
        statistics,
        mut report,
    } = generator(source, bytes, config, Purpose::Inference)?;
    let rows = statistics.values().next().map_or(0, |table| table.shape[0]);
    for (name, table) in statistics {
        tensors.0.insert(format!("stats.{name}"), table);
    }
    let named = NamedClasses::of(&config, data_set.as_deref());
    report.classes = Some(named.remark);
    let info = ModelInfo {
        generator: config,
        class_names: named.list.names,
        class_ids: named.list.ids,
        truncation_kind: source.truncation_kind(),
        statistics: StatisticsTable {
            truncations: truncations(rows),
            samples: 0,
        },
        dataset: DatasetInfo {
            name: named.data_set,
            images: 0,
            sha256: Vec::new(),
            source: None,
        },
        provenance: Provenance {
            program: concat!("biggan ", env!("CARGO_PKG_VERSION")).into(),
            recipe: format!("imported from {}", source.name()),
            images_seen: 0,
            g_step: 0,
            seed: 0,
            ema_initial_share: 0.0,
            imported: Some(ImportedFrom {
                source: source.name().into(),
                sha256: sha256_hex(bytes),
            }),
        },
        scores: BTreeMap::new(),
    };
    Ok((ModelFile { info, tensors }, report))
}

/// The truncation of each row of statistics: a single row is off, several go from 0 to 1 in even steps
/// (pytorch-pretrained-BigGAN `model.py:104`).
fn truncations(rows: usize) -> Vec<Truncation> {
    if rows <= 1 {
        return vec![Truncation::Off];
    }
    (0..rows)
        .map(|row| Truncation::Threshold(row as f64 / (rows - 1) as f64))
        .collect()
}
