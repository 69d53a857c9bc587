//! `[data]` of a recipe.

use std::path::PathBuf;

use biggan_pictures::color::Color;
use biggan_pictures::fit::Fit;
use serde::{Deserialize, Serialize};

use super::byte_size::ByteSize;

/// What to train on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSection {
    /// A name of [`crate::dataset::TABLE`].
    pub dataset: String,
    /// Directory of its files; takes precedence over the directory of fetched data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// Names of the classes, for data sets that have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_names: Option<Vec<String>>,
    /// Whether images that cannot be decoded are left out, or replaced, instead of refused
    /// (`image-folder`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub skip_broken: bool,
    /// Whether images are mirrored left to right with probability 1/2.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub flip: bool,
    /// Most bytes of pixels of a part that are held in memory (`image-folder`); a larger part is
    /// decoded on demand.
    #[serde(default = "four_gib")]
    pub memory: ByteSize,
    /// How pictures that are not square become squares (`image-folder`; `packed` must be made so). Crop by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fit: Option<Fit>,
    /// What transparent pixels of pictures are blended over, and what is around padded ones (as `fit`). White by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background: Option<Color>,
}

fn four_gib() -> ByteSize {
    ByteSize(4 << 30)
}

impl DataSection {
    /// Refuses what no directory or data set can be.
    ///
    /// # Errors
    /// If the path is empty.
    pub fn validate(&self) -> biggan::Result<()> {
        match &self.path {
            Some(path) if path.as_os_str().is_empty() => Err(biggan::Error::config("data.path")
                .found("empty")
                .expected("a directory")
                .remedy("write \".\" for the current one, or leave the key out")),
            _ => Ok(()),
        }
    }

    /// A data set by name, in its default directory or the given one.
    pub fn named(dataset: &str, path: Option<PathBuf>) -> Self {
        Self {
            dataset: dataset.to_owned(),
            path,
            class_names: None,
            skip_broken: false,
            flip: false,
            memory: four_gib(),
            fit: None,
            background: None,
        }
    }
}
