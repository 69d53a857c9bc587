//! From the tensors of a foreign file to those of one of our networks.
//!
//! Our network's shapes lead: for each of our tensors the dialect names the foreign tensor, which is
//! taken, checked, folded and rearranged. Whatever then remains in the file must be known to be unneeded.

use std::collections::BTreeMap;

use super::change::Change;
use super::fold;
use super::foreign::Foreign;
use super::report::Fate;
use crate::config::{ClassEmbedding, GeneratorConfig};
use crate::error::{Error, Result};
use crate::named::{HostTensor, HostTensors};
use crate::shape::NetworkShape;

/// How a program names and stores its tensors.
pub(super) trait Dialect {
    /// The program's name for our path, e.g. "blocks.2.bn1.gain" or "blocks.2.bn1.stats.mean".
    fn translate(&self, ours: &str) -> String;
    /// How it stores spectral norm.
    fn spectral(&self) -> Spectral;
    /// How to turn the foreign tensor into ours.
    fn change(&self, _ours: &str) -> Change {
        Change::None
    }
    /// Rows of its tables of statistics; `None` if statistics are vectors.
    fn rows(&self) -> Option<usize> {
        None
    }
    /// What the statistics of a layer have to be divided by.
    fn divisor(&self, _layer: &str) -> f32 {
        1.0
    }
}

/// How spectral norm is stored.
#[derive(Debug, Clone, Copy)]
pub(super) enum Spectral {
    /// `weight` and `u0`; each forward pass takes a power step from there (BigGAN-PyTorch).
    PowerStep {
        /// Epsilon of the normalisations.
        eps: f64,
    },
    /// `weight_orig`, `weight_u`, `weight_v`, used as they are (PyTorch in evaluation).
    Stored,
    /// The weights are not normalised.
    Absent,
}

/// What the tensors are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Inference: spectral norm is folded into the weights.
    Inference,
    /// Training: weights as they are, with their singular vectors.
    Training,
}

const VECTORS: &str = "the singular vectors of spectral norm";

/// All learnable tensors of a network and, for training, the singular vectors.
///
/// # Errors
/// If a tensor is missing, of another shape, or not finite.
pub(super) fn weights(
    foreign: &mut Foreign<'_, '_>,
    network: &NetworkShape,
    is_normalised: impl Fn(&str) -> bool,
    dialect: &impl Dialect,
    purpose: Purpose,
) -> Result<HostTensors> {
    let mut all = BTreeMap::new();
    for (name, shape) in network.layers.iter().flat_map(|layer| &layer.tensors) {
        let tensor = match name.strip_suffix(".weight") {
            Some(module) if is_normalised(name) => {
                normalised(foreign, module, shape, dialect, purpose, &mut all)?
            }
            _ => plain(foreign, name, shape, dialect)?,
        };
        all.insert(name.clone(), tensor);
    }
    Ok(HostTensors(all))
}

fn plain(
    foreign: &mut Foreign<'_, '_>,
    name: &str,
    shape: &[usize],
    dialect: &impl Dialect,
) -> Result<HostTensor> {
    let change = dialect.change(name);
    let fate = Fate::Stored {
        name: name.to_owned(),
        change: change.describe().to_owned(),
    };
    let theirs = dialect.translate(name);
    let values = foreign.take(&theirs, &change.foreign_shape(shape), fate)?;
    Ok(HostTensor {
        values: change.apply(values, shape),
        shape: shape.to_vec(),
    })
}

/// A weight with spectral norm.
fn normalised(
    foreign: &mut Foreign<'_, '_>,
    module: &str,
    shape: &[usize],
    dialect: &impl Dialect,
    purpose: Purpose,
    all: &mut BTreeMap<String, HostTensor>,
) -> Result<HostTensor> {
    let ours = format!("{module}.weight");
    let change = dialect.change(&ours);
    let theirs = dialect.translate(module);
    let foreign_shape = change.foreign_shape(shape);
    let (rows, rest) = (foreign_shape[0], foreign_shape[1..].iter().product());
    let (weight, u) = match dialect.spectral() {
        Spectral::PowerStep { .. } => (format!("{theirs}.weight"), format!("{theirs}.u0")),
        Spectral::Stored => (
            format!("{theirs}.weight_orig"),
            format!("{theirs}.weight_u"),
        ),
        Spectral::Absent => return plain(foreign, &ours, shape, dialect),
    };
    let folding = match (purpose, change.describe()) {
        (Purpose::Inference, "") => "divided by its spectral norm".to_owned(),
        (Purpose::Inference, change) => format!("divided by its spectral norm, {change}"),
        (Purpose::Training, change) => change.to_owned(),
    };
    let stored = Fate::Stored {
        name: ours,
        change: folding,
    };
    let mut values = foreign.take(&weight, &foreign_shape, stored)?;
    if purpose == Purpose::Training {
        let name = format!("{module}.u");
        let fate = Fate::Stored {
            name: name.clone(),
            change: String::new(),
        };
        let u = foreign.take(&u, &[rows], fate)?;
        foreign.leave(
            &format!("{theirs}.weight_v"),
            "the next power step finds it again",
        );
        all.insert(
            name,
            HostTensor {
                shape: vec![rows],
                values: u,
            },
        );
    } else {
        let u = foreign.take(&u, &[rows], Fate::Used(VECTORS))?;
        let sigma = match dialect.spectral() {
            Spectral::PowerStep { eps } => fold::stepped_sigma(&values, &u, eps),
            _ => {
                let v = format!("{theirs}.weight_v");
                let v = foreign.take(&v, &[rest], Fate::Used(VECTORS))?;
                fold::stored_sigma(&values, &u, &v)
            }
        };
        if !(sigma.is_normal() && sigma > 0.0) {
            return Err(Error::tensor(weight)
                .found(format_args!("of spectral norm {sigma:e}"))
                .expected("one to divide by"));
        }
        for value in &mut values {
            *value = (f64::from(*value) / sigma) as f32;
        }
    }
    Ok(HostTensor {
        values: change.apply(values, shape),
        shape: shape.to_vec(),
    })
}

/// The batch norms of a generator in the order of the network, with their channels.
pub(super) fn normalisers(
    network: &NetworkShape,
    config: &GeneratorConfig,
) -> Vec<(String, usize)> {
    let tensors = network.layers.iter().flat_map(|layer| &layer.tensors);
    tensors
        .filter_map(|(name, shape)| {
            if let Some(layer) = name.strip_suffix(".gain") {
                return Some((layer.to_owned(), shape[0]));
            }
            let layer = name.strip_suffix(".gain.weight")?;
            let channels = match config.class_embedding {
                ClassEmbedding::Shared { .. } => shape[0],
                ClassEmbedding::PerLayer => shape[1],
            };
            Some((layer.to_owned(), channels))
        })
        .collect()
}

/// The statistics of every batch norm, by `name(layer, kind)`.
///
/// # Errors
/// If one is missing, of another shape, or a variance is negative.
pub(super) fn statistics(
    foreign: &mut Foreign<'_, '_>,
    layers: &[(String, usize)],
    dialect: &impl Dialect,
    name: impl Fn(&str, &str) -> String,
) -> Result<BTreeMap<String, HostTensor>> {
    let mut all = BTreeMap::new();
    for (layer, channels) in layers {
        let shape: Vec<usize> = dialect.rows().into_iter().chain([*channels]).collect();
        let divisor = dialect.divisor(layer);
        for kind in ["mean", "variance"] {
            let ours = name(layer, kind);
            let theirs = dialect.translate(&format!("{layer}.stats.{kind}"));
            let fate = Fate::Stored {
                name: ours.clone(),
                change: String::new(),
            };
            let mut values = foreign.take(&theirs, &shape, fate)?;
            values.iter_mut().for_each(|value| *value /= divisor);
            if kind == "variance"
                && let Some(value) = values.iter().find(|&&value| value < 0.0)
            {
                return Err(Error::tensor(theirs)
                    .found(value)
                    .expected("variances of 0 or more"));
            }
            all.insert(
                ours,
                HostTensor {
                    shape: shape.clone(),
                    values,
                },
            );
        }
    }
    Ok(all)
}

/// Translates our path by a table: rows of two parts win over rows of one part; an empty
/// translation drops the part.
pub(super) fn translate_parts(ours: &str, table: &[(&str, &str)]) -> String {
    let parts: Vec<&str> = ours.split('.').collect();
    let look = |key: &str| {
        table
            .iter()
            .find(|(from, _)| *from == key)
            .map(|(_, to)| *to)
    };
    let mut translated: Vec<&str> = Vec::new();
    let mut at = 0;
    while at < parts.len() {
        let pair = parts.get(at..at + 2).and_then(|pair| look(&pair.join(".")));
        if let Some(to) = pair {
            translated.push(to);
            at += 2;
        } else {
            translated.push(look(parts[at]).unwrap_or(parts[at]));
            at += 1;
        }
    }
    translated.retain(|part| !part.is_empty());
    translated.join(".")
}

/// The index and the rest of a path "blocks.3.bn1.gain", if it is one.
pub(super) fn block_path(ours: &str) -> Option<(usize, &str)> {
    let (index, rest) = ours.strip_prefix("blocks.")?.split_once('.')?;
    Some((index.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_translate_by_their_longest_parts() {
        let table = [
            ("output_bn.gain", "bn4.weight"),
            ("stats", ""),
            ("mean", "running_mean"),
        ];
        assert_eq!(translate_parts("output_bn.gain", &table), "bn4.weight");
        assert_eq!(
            translate_parts("bn1.stats.mean", &table),
            "bn1.running_mean"
        );
        assert_eq!(block_path("blocks.12.bn1.gain"), Some((12, "bn1.gain")));
        assert_eq!(block_path("linear.weight"), None);
    }
}
