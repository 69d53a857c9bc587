//! A trained classifier as the bytes of a safetensors file.

use std::collections::BTreeMap;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::{Classifier, ClassifierConfig};
use crate::error::{Error, Result};
use crate::file::{DatasetInfo, Dtype, decode, encode};
use crate::named::{HostTensors, load_tensors, named_tensors};

/// Value of the metadata key `format`.
const FORMAT: &str = "biggan-classifier";

/// The content of the metadata key `config`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassifierInfo {
    /// Shape and name.
    pub classifier: ClassifierConfig,
    /// What it was trained on.
    pub dataset: DatasetInfo,
    /// Passes over the training set.
    pub epochs: usize,
    /// Seed of weights and order.
    pub seed: u64,
    /// Accuracy on the real test images.
    pub test_accuracy: f64,
    /// Training images that were held out and tested on, if the data set has no test part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out: Option<usize>,
    /// A name for each class, in the order of the labels; none in files of earlier versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class_names: Vec<String>,
}

impl Classifier {
    /// The bytes of the classifier's file.
    ///
    /// # Errors
    /// If the device fails or a value does not fit the type.
    pub async fn encode(&self, info: &ClassifierInfo, dtype: Dtype) -> Result<Vec<u8>> {
        let tensors = HostTensors::read(named_tensors(self)).await?;
        let config = serde_json::to_string(info)
            .map_err(|error| Error::file("the classifier's config").not_writable(error))?;
        let metadata = BTreeMap::from([
            ("format".to_owned(), FORMAT.to_owned()),
            ("config".to_owned(), config),
        ]);
        encode(&tensors, &metadata, dtype)
    }

    /// Reads a classifier.
    ///
    /// # Errors
    /// If the file is truncated, of another format, or its tensors do not match its config.
    pub fn decode(bytes: &[u8], device: &Device) -> Result<(Self, ClassifierInfo)> {
        let stored = decode(bytes)?;
        let field = |key: &str| stored.metadata.get(key).map(String::as_str);
        if field("format") != Some(FORMAT) {
            return Err(Error::file("the classifier's format")
                .found(format_args!(
                    "{:?}",
                    field("format").unwrap_or("not stated")
                ))
                .expected(format_args!("{FORMAT:?}"))
                .remedy("make a classifier with `native-train classifier`"));
        }
        let info: ClassifierInfo = serde_json::from_str(field("config").unwrap_or_default())
            .map_err(|error| Error::file("the classifier's config").not_readable(error))?;
        let fresh = Self::new(&info.classifier, info.seed, device)?;
        Ok((load_tensors(fresh, stored.tensors, device)?, info))
    }
}
