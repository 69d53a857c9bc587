//! The training state of another program, so that its run can continue here.

use super::foreign::Foreign;
use super::gather::Purpose;
use super::infer::{self, Hints};
use super::network::{discriminator_with, generator_with, no_discriminator};
use super::optimiser::{Moments, moments};
use super::report::Report;
use super::torch::{Node, TorchFile};
use super::{Source, find, studiogan};
use crate::config::{DiscriminatorConfig, GeneratorConfig};
use crate::error::{Error, Result};
use crate::named::HostTensors;
use crate::shape::NetworkShape;
use crate::sorted_json::sorted_json;
use crate::train::{Counters, TrainConfig};

/// Bytes of the files of a run. StudioGAN stores the optimisers in the files of G and D.
#[derive(Debug, Clone, Copy)]
pub struct TrainingFiles<'a> {
    /// Generator.
    pub generator: &'a [u8],
    /// Its average; `None` for a copy of the generator.
    pub average: Option<&'a [u8]>,
    /// Discriminator.
    pub discriminator: &'a [u8],
    /// G's optimiser (BigGAN-PyTorch); `None` for a fresh optimiser.
    pub generator_optimiser: Option<&'a [u8]>,
    /// D's optimiser (BigGAN-PyTorch); `None` for a fresh optimiser.
    pub discriminator_optimiser: Option<&'a [u8]>,
}

/// What [`crate::train::TrainState::from_host`] takes, and what became of each foreign tensor.
#[derive(Debug, Clone)]
pub struct ImportedTraining {
    /// Tensors of the state.
    pub tensors: HostTensors,
    /// Progress of the run.
    pub counters: Counters,
    /// One report per network.
    pub reports: Vec<Report>,
}

/// Reads a run.
///
/// # Errors
/// If a file is malformed or does not hold what `config` describes.
pub fn training(
    source: Source,
    files: &TrainingFiles<'_>,
    config: &TrainConfig,
) -> Result<ImportedTraining> {
    config.validate()?;
    if source == Source::HfDeep {
        return Err(no_discriminator());
    }
    check_eps(source, &config.generator)?;
    let in_place = source == Source::Studiogan;
    if config.discriminator.activated_shortcut != in_place {
        return Err(Error::config("discriminator.activated_shortcut")
            .found(config.discriminator.activated_shortcut)
            .expected(format_args!("{in_place}, as in {}", source.name())));
    }
    let mut tensors = HostTensors::default();
    let mut reports = Vec::new();

    let file = open(files.generator, "the generator")?;
    let optimiser = open_optimiser(files.generator_optimiser, "the generator's optimiser")?;
    let root = optimiser
        .as_ref()
        .map(TorchFile::root)
        .or_else(|| embedded(file.root()));
    let (weights, report) = generator(source, file.root(), &config.generator)?;
    let adam_g = add_moments(root, report, &mut reports)?;
    tensors.extend_under("generator", weights);
    tensors.extend_under("adam_g", adam_g.tensors);

    let average = match files.average {
        Some(bytes) => {
            let file = open(bytes, "the average of the generator")?;
            let (weights, report) = generator(source, file.root(), &config.generator)?;
            reports.push(report);
            weights
        }
        None => {
            let (weights, _) = generator(source, file.root(), &config.generator)?;
            weights
        }
    };
    tensors.extend_under("ema", average);

    let file = open(files.discriminator, "the discriminator")?;
    let optimiser = open_optimiser(
        files.discriminator_optimiser,
        "the discriminator's optimiser",
    )?;
    let root = optimiser
        .as_ref()
        .map(TorchFile::root)
        .or_else(|| embedded(file.root()));
    let (weights, report) = discriminator(source, file.root(), &config.discriminator)?;
    let adam_d = add_moments(root, report, &mut reports)?;
    tensors.extend_under("discriminator", weights);
    tensors.extend_under("adam_d", adam_d.tensors);

    let d_step = adam_d.time as u64;
    Ok(ImportedTraining {
        tensors,
        counters: Counters {
            d_step,
            g_step: adam_g.time as u64,
            images_seen: d_step.saturating_mul(config.batch_size as u64),
            // the average's initial weights are unknown here
            ema_initial_share: 0.0,
            adam_g_time: adam_g.time,
            adam_d_time: adam_d.time,
        },
        reports,
    })
}

fn open<'a>(bytes: &'a [u8], what: &str) -> Result<TorchFile<'a>> {
    TorchFile::open(bytes).map_err(|error| error.within(what))
}

fn open_optimiser<'a>(bytes: Option<&'a [u8]>, what: &str) -> Result<Option<TorchFile<'a>>> {
    bytes.map(|bytes| open(bytes, what)).transpose()
}

/// The optimiser within a file of StudioGAN.
fn embedded<'f, 'a>(root: Node<'f, 'a>) -> Option<Node<'f, 'a>> {
    let optimiser = root.get("optimizer")?;
    optimiser.get("param_groups").map(|_| optimiser)
}

fn add_moments(
    root: Option<Node<'_, '_>>,
    mut report: Report,
    reports: &mut Vec<Report>,
) -> Result<Moments> {
    let moments = match root {
        Some(root) => moments(root, &report.lines)?,
        None => Moments {
            remark: "no optimiser: Adam starts afresh".into(),
            ..Moments::default()
        },
    };
    report.remarks.push(moments.remark.clone());
    reports.push(report);
    Ok(moments)
}

/// Epsilons are not in the weights: the recipe must have those that the program fixes.
fn check_eps(source: Source, config: &GeneratorConfig) -> Result<()> {
    let (bn_eps, last) = match source {
        Source::Studiogan => (studiogan::BN_EPS, studiogan::BN_EPS),
        _ => (config.bn_eps, infer::OUTPUT_BN_EPS),
    };
    for (key, said, needed) in [
        ("bn_eps", config.bn_eps, bn_eps),
        ("output_bn_eps", config.last_bn_eps(), last),
    ] {
        if said != needed {
            return Err(Error::config(format_args!("generator.{key}"))
                .found(said)
                .expected(format_args!("{needed}, as in {}", source.name())));
        }
    }
    Ok(())
}

fn generator(
    source: Source,
    root: Node<'_, '_>,
    config: &GeneratorConfig,
) -> Result<(HostTensors, Report)> {
    let foreign = Foreign::new(find::network(source, root, true)?.node)?;
    if source == Source::BigganPytorch {
        let hints = Hints::of_recipe(config.bn_eps, config.sn_eps);
        let found = infer::generator(&foreign, &hints)?;
        if NetworkShape::generator(&found)? != NetworkShape::generator(config)? {
            return Err(differ("generator", &found, config));
        }
    }
    let imported = generator_with(source, foreign, config.clone(), Purpose::Training)?;
    if imported.config.spectral_norm != config.spectral_norm {
        return Err(differ("generator", &imported.config, config));
    }
    Ok((imported.tensors, imported.report))
}

fn discriminator(
    source: Source,
    root: Node<'_, '_>,
    config: &DiscriminatorConfig,
) -> Result<(HostTensors, Report)> {
    let foreign = Foreign::new(find::network(source, root, false)?.node)?;
    if source == Source::BigganPytorch {
        let hints = Hints::of_recipe(0.0, config.sn_eps);
        let found = infer::discriminator(&foreign, &hints)?;
        if NetworkShape::discriminator(&found)? != NetworkShape::discriminator(config)? {
            return Err(differ("discriminator", &found, config));
        }
    }
    let imported = discriminator_with(source, foreign, config.clone(), Purpose::Training)?;
    Ok((imported.tensors, imported.report))
}

/// Names what differs between the weights and the recipe.
fn differ<C: serde::Serialize>(network: &str, found: &C, recipe: &C) -> Error {
    let value = |config: &C| sorted_json(config).unwrap_or_default();
    let (found, recipe) = (value(found), value(recipe));
    let keys = found.as_object().into_iter().flatten();
    let differences: Vec<String> = keys
        .filter(|(key, found)| recipe.get(key) != Some(found) && !key.ends_with("eps"))
        .map(|(key, found)| {
            let said = recipe.get(key).unwrap_or(&serde_json::Value::Null);
            format!("{network}.{key} is {said} in the recipe, {found} in the weights")
        })
        .collect();
    Error::config("the recipe").found(format_args!(
        "not that of these weights: {}",
        differences.join("; ")
    ))
}
