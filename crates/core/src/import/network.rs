//! Whole networks from foreign files, and the model file of a generator.

use std::collections::BTreeMap;

use super::foreign::Foreign;
use super::gather::{self, Dialect, Purpose};
use super::infer::{self, Hints};
use super::looks_like::backbone;
use super::report::{Report, ReportLine};
use super::torch::{Node, TorchFile};
use super::{Source, biggan_pytorch, config_text, find, hf_deep, studiogan};
use crate::config::{Architecture, ClassEmbedding, DiscriminatorConfig, GeneratorConfig};
use crate::error::{Error, Result};
use crate::named::{HostTensor, HostTensors};
use crate::shape::NetworkShape;

/// A network from a foreign file.
#[derive(Debug, Clone)]
pub struct Imported<C> {
    /// Its architecture; for inference without spectral norm, which is folded in.
    pub config: C,
    /// The tensors that [`crate::named::load_tensors`] expects; for inference without the
    /// statistics of batch norm.
    pub tensors: HostTensors,
    /// Tables of statistics, `<layer>.{mean,variance}` `[rows, c]`; empty in training.
    pub statistics: BTreeMap<String, HostTensor>,
    /// What became of each tensor of the file.
    pub report: Report,
}

/// Reads a generator.
///
/// # Errors
/// If the file is malformed or of another kind, if a tensor is missing, unknown, of another shape or not
/// finite, or if the config is missing or contradicts the weights.
pub fn generator(
    source: Source,
    bytes: &[u8],
    config: Option<&str>,
    purpose: Purpose,
) -> Result<Imported<GeneratorConfig>> {
    let file = TorchFile::open(bytes)?;
    let place = find::network(source, file.root(), true)?;
    let mut imported = generator_of(source, place.node, config, purpose)?;
    imported.report.remarks.extend(place.remark());
    Ok(imported)
}

/// Reads a discriminator.
///
/// # Errors
/// As [`generator`].
pub fn discriminator(
    source: Source,
    bytes: &[u8],
    config: Option<&str>,
    purpose: Purpose,
) -> Result<Imported<DiscriminatorConfig>> {
    let file = TorchFile::open(bytes)?;
    let place = find::network(source, file.root(), false)?;
    let mut imported = discriminator_of(source, place.node, config, purpose)?;
    imported.report.remarks.extend(place.remark());
    Ok(imported)
}

pub(super) fn no_discriminator() -> Error {
    Error::request("the discriminator of pytorch-pretrained-BigGAN").found("not published")
}

fn needed(source: Source, config: Option<&str>) -> Result<&str> {
    config.ok_or_else(|| {
        let what = match source {
            Source::HfDeep => "the config.json next to the weights",
            Source::BigganPytorch => {
                "its flags as JSON, at least {\"BN_eps\": 1e-5} (BigGAN-PyTorch's default)"
            }
            Source::Studiogan => "its YAML file, or the same keys as JSON",
        };
        Error::config("the config")
            .found("missing, and the weights do not determine the whole network")
            .remedy(format_args!("give --config {what}"))
    })
}

fn generator_of(
    source: Source,
    state_dict: Node<'_, '_>,
    config: Option<&str>,
    purpose: Purpose,
) -> Result<Imported<GeneratorConfig>> {
    let foreign = Foreign::new(state_dict)?;
    let value = config_text::parse(needed(source, config)?)?;
    match source {
        Source::HfDeep => {
            let read = hf_deep::Config::parse(value)?;
            let (config, names) = read.generator()?;
            let mut imported = gather_generator(source, foreign, config, &names, purpose, &[])?;
            imported.report.remarks.extend(read.remark());
            Ok(imported)
        }
        Source::BigganPytorch => {
            let config = infer::generator(&foreign, &Hints::parse(value)?)?;
            generator_with(source, foreign, config, purpose)
        }
        Source::Studiogan => {
            let config = studiogan::Config::parse(value)?.generator()?;
            let (said, seen) = (config.architecture.name(), backbone(state_dict));
            if said != seen {
                return Err(Error::config("backbone")
                    .found(format_args!("{said:?} in the config"))
                    .expected(format_args!("{seen:?}, by the weights"))
                    .remedy("give the config of these weights"));
            }
            generator_with(source, foreign, config, purpose)
        }
    }
}

/// A generator of a known architecture.
pub(super) fn generator_with(
    source: Source,
    mut foreign: Foreign<'_, '_>,
    config: GeneratorConfig,
    purpose: Purpose,
) -> Result<Imported<GeneratorConfig>> {
    if source == Source::Studiogan {
        let names = studiogan::Names::generator(&foreign, &config)?;
        return gather_generator(source, foreign, config, &names, purpose, studiogan::LEFT);
    }
    let names = biggan_pytorch::Names::generator(&mut foreign, &config)?;
    let left = biggan_pytorch::LEFT;
    let mut imported = gather_generator(source, foreign, config, &names, purpose, left)?;
    if names.divides() {
        let remark = "standing statistics were sums and are divided by their passes";
        imported.report.remarks.push(remark.into());
    }
    Ok(imported)
}

fn discriminator_of(
    source: Source,
    state_dict: Node<'_, '_>,
    config: Option<&str>,
    purpose: Purpose,
) -> Result<Imported<DiscriminatorConfig>> {
    let foreign = Foreign::new(state_dict)?;
    let value = config_text::parse(needed(source, config)?)?;
    let config = match source {
        Source::HfDeep => {
            return Err(no_discriminator());
        }
        Source::BigganPytorch => infer::discriminator(&foreign, &Hints::parse(value)?)?,
        Source::Studiogan => studiogan::Config::parse(value)?.discriminator()?,
    };
    discriminator_with(source, foreign, config, purpose)
}

/// A discriminator of a known architecture.
pub(super) fn discriminator_with(
    source: Source,
    mut foreign: Foreign<'_, '_>,
    config: DiscriminatorConfig,
    purpose: Purpose,
) -> Result<Imported<DiscriminatorConfig>> {
    if source == Source::Studiogan {
        let names = studiogan::Names::discriminator(&foreign, &config)?;
        return gather_discriminator(source, foreign, config, &names, purpose, studiogan::LEFT);
    }
    let names = biggan_pytorch::Names::discriminator(&mut foreign, &config)?;
    gather_discriminator(
        source,
        foreign,
        config,
        &names,
        purpose,
        biggan_pytorch::LEFT,
    )
}

fn gather_generator(
    source: Source,
    mut foreign: Foreign<'_, '_>,
    mut config: GeneratorConfig,
    dialect: &impl Dialect,
    purpose: Purpose,
    left: &[(&str, &'static str)],
) -> Result<Imported<GeneratorConfig>> {
    let network = NetworkShape::generator(&config)?;
    let is_shared = matches!(config.class_embedding, ClassEmbedding::Shared { .. });
    let is_normalised = |name: &str| {
        let conditional = name.ends_with(".gain.weight") || name.ends_with(".bias.weight");
        name != "shared.weight" && (is_shared || !conditional)
    };
    let weights = gather::weights(&mut foreign, &network, is_normalised, dialect, purpose)?;
    let layers = gather::normalisers(&network, &config);
    let mut tensors = weights;
    let mut statistics = BTreeMap::new();
    if purpose == Purpose::Training {
        let name = |layer: &str, kind: &str| format!("{layer}.stats.{kind}");
        let found = gather::statistics(&mut foreign, &layers, dialect, name)?;
        tensors.0.extend(found);
        config.spectral_norm = !matches!(dialect.spectral(), gather::Spectral::Absent);
    } else {
        let name = |layer: &str, kind: &str| format!("{layer}.{kind}");
        statistics = gather::statistics(&mut foreign, &layers, dialect, name)?;
        for table in statistics.values_mut() {
            if table.shape.len() == 1 {
                table.shape.insert(0, 1);
            }
        }
        config.spectral_norm = false;
    }
    foreign.leave_endings(left);
    let report = report(
        source,
        config.architecture,
        config.resolution,
        foreign.finish()?,
        "G",
    );
    Ok(Imported {
        config,
        tensors,
        statistics,
        report,
    })
}

fn gather_discriminator(
    source: Source,
    mut foreign: Foreign<'_, '_>,
    mut config: DiscriminatorConfig,
    dialect: &impl Dialect,
    purpose: Purpose,
    left: &[(&str, &'static str)],
) -> Result<Imported<DiscriminatorConfig>> {
    let network = NetworkShape::discriminator(&config)?;
    if matches!(dialect.spectral(), gather::Spectral::Absent) {
        return Err(Error::file("the discriminator")
            .found("without spectral norm")
            .expected("one of BigGAN, which has it"));
    }
    let tensors = gather::weights(&mut foreign, &network, |_| true, dialect, purpose)?;
    config.spectral_norm = purpose == Purpose::Training;
    foreign.leave_endings(left);
    let report = report(
        source,
        config.architecture,
        config.resolution,
        foreign.finish()?,
        "D",
    );
    Ok(Imported {
        config,
        tensors,
        statistics: BTreeMap::new(),
        report,
    })
}

fn report(
    source: Source,
    architecture: Architecture,
    resolution: usize,
    lines: Vec<ReportLine>,
    network: &str,
) -> Report {
    Report {
        title: format!(
            "{network} of {}, {} at {resolution}x{resolution}",
            source.name(),
            architecture.name()
        ),
        classes: None,
        remarks: Vec::new(),
        lines,
    }
}
