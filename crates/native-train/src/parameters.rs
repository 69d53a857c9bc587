//! How many parameters a network has, by block.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::Result;
use biggan::model::{Discriminator, Generator};
use biggan::named::{NamedTensors, named_tensors};
use biggan::train::TrainConfig;
use burn::tensor::Device;

/// Parameters of a network by block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterTable {
    network: String,
    rows: BTreeMap<String, usize>,
}

impl ParameterTable {
    /// From the number of values of each tensor: `blocks.0.conv1.weight` counts for `blocks.0`,
    /// `linear.weight` for `linear`.
    pub fn new(network: &str, counts: &BTreeMap<String, usize>) -> Self {
        let mut rows = BTreeMap::new();
        for (name, count) in counts {
            let depth = if name.starts_with("blocks.") { 2 } else { 1 };
            let block: Vec<&str> = name.split('.').take(depth).collect();
            *rows.entry(block.join(".")).or_insert(0) += count;
        }
        Self {
            network: network.to_owned(),
            rows,
        }
    }

    /// All parameters.
    pub fn total(&self) -> usize {
        self.rows.values().sum()
    }
}

impl fmt::Display for ParameterTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<28} {:>12} parameters", self.network, self.total())?;
        for (block, count) in &self.rows {
            writeln!(f, "  {block:<26} {count:>12}")?;
        }
        Ok(())
    }
}

/// The tables of a plan's generator and discriminator.
///
/// # Errors
/// If they cannot be built.
pub fn of_networks(config: &TrainConfig, device: &Device) -> Result<[ParameterTable; 2]> {
    let generator = Generator::new(&config.generator, config.seed, device)?;
    let discriminator = Discriminator::new(&config.discriminator, config.seed, device)?;
    Ok([
        ParameterTable::new("generator", &trainable(named_tensors(&generator))),
        ParameterTable::new("discriminator", &trainable(named_tensors(&discriminator))),
    ])
}

fn trainable(tensors: NamedTensors) -> BTreeMap<String, usize> {
    tensors
        .into_iter()
        .filter(|(_, tensor)| tensor.trainable)
        .map(|(name, tensor)| (name, tensor.shape.iter().product()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_count_for_their_block() {
        let counts = [
            ("blocks.0.conv1.weight", 6),
            ("blocks.0.bn1.bias", 2),
            ("linear.weight", 3),
        ]
        .map(|(name, count)| (name.to_owned(), count));
        let table = ParameterTable::new("g", &counts.into());
        assert_eq!(table.total(), 11);
        assert_eq!(table.rows["blocks.0"], 8);
        assert_eq!(table.rows["linear"], 3);
    }
}
