//! The tensors of a model file by name, as the graph needs them.

use crate::error::{Error, Result};
use crate::file::ModelFile;
use crate::statistics_table::TablePosition;

/// Weights, and batch norm statistics at one truncation.
#[derive(Debug)]
pub struct Weights<'a> {
    file: &'a ModelFile,
    place: TablePosition,
}

/// Statistics of a batch norm, `[c]` each.
#[derive(Debug)]
pub struct Statistics {
    /// Means.
    pub mean: Vec<f32>,
    /// Variances.
    pub variance: Vec<f32>,
}

impl<'a> Weights<'a> {
    /// Those of a model with the statistics at a place of its table.
    pub fn new(file: &'a ModelFile, place: TablePosition) -> Self {
        Self { file, place }
    }

    /// The values of a tensor.
    ///
    /// # Errors
    /// If it is missing, of another shape, or has a value that is not finite.
    pub fn get(&self, name: &str, shape: &[usize]) -> Result<&'a [f32]> {
        let tensor = self.file.tensors.0.get(name);
        let tensor = tensor.ok_or_else(|| Error::tensor(name).found("missing from the model"))?;
        if tensor.shape != shape {
            return Err(Error::tensor(name)
                .found(format_args!("{:?}", tensor.shape))
                .expected(format_args!("{shape:?}, by the config")));
        }
        match tensor.values.iter().find(|value| !value.is_finite()) {
            None => Ok(&tensor.values),
            Some(value) => Err(Error::not_finite(name)
                .found(value)
                .expected("finite values")
                .remedy("use another model: this one is broken")),
        }
    }

    /// The statistics of a batch norm at the model's truncation.
    ///
    /// # Errors
    /// As [`Weights::get`].
    pub fn statistics(&self, layer: &str, channels: usize) -> Result<Statistics> {
        let rows = self.file.info.statistics.truncations.len();
        let at = |kind: &str| -> Result<Vec<f32>> {
            let table = self.get(&format!("stats.{layer}.{kind}"), &[rows, channels])?;
            Ok(self.place.row_of(table, channels))
        };
        Ok(Statistics {
            mean: at("mean")?,
            variance: at("variance")?,
        })
    }
}
