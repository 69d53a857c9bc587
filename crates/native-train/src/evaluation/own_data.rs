//! The data set that a model was trained on, found by what the model remembers of it.

use std::path::Path;

use anyhow::{Context, Result, bail};
use biggan::file::{DataSource, DatasetInfo, ModelInfo};
use serde_json::Value;

use crate::dataset::{self, Dataset, DatasetRequest, Split};
use crate::environment::Environment;
use crate::error::bad_usage;
use crate::recipe::data_section::DataSection;

/// Reads the training set of a model: of the kind that was asked for, or that the model remembers.
///
/// # Errors
/// If neither says what to read, it cannot be read, or is not the model's.
pub fn training_set(
    info: &ModelInfo,
    dataset: Option<&str>,
    directory: Option<&Path>,
    environment: &Environment,
) -> Result<Dataset> {
    let section = section(&info.dataset, dataset, directory)?;
    let request = DatasetRequest {
        section: &section,
        split: Split::Train,
        classes: info.generator.classes,
    };
    let resolution = info.generator.resolution;
    let data = dataset::load(&request, resolution, environment.data_home.as_deref())?;
    // imported models do not record their training images
    if data.info.same_images(&info.dataset) == Some(false) {
        bail!(
            "the data set {} is another than the model was trained on, {}; give the right one with --data",
            data.info.name,
            described(&info.dataset)
        );
    }
    Ok(data)
}

/// What the data set is read from.
fn section(
    info: &DatasetInfo,
    dataset: Option<&str>,
    directory: Option<&Path>,
) -> Result<DataSection> {
    let source = info.source.as_ref();
    // older models of fetched data sets have the name of the kind
    let remembered = || Some(source.map_or(&*info.name, |source| &*source.dataset));
    let known = |name: &&str| dataset::by_name(name).is_ok();
    let kind = match dataset {
        Some(asked) => dataset::by_name(asked)?,
        None => match remembered().filter(known) {
            Some(name) => dataset::by_name(name)?,
            None => {
                let kinds: Vec<&str> = dataset::TABLE.iter().map(|row| row.name).collect();
                return Err(bad_usage(format!(
                    "the model does not record the kind of its data set {:?}; give --dataset, one of {}, and --data DIR",
                    info.name,
                    kinds.join(", ")
                )));
            }
        },
    };
    if directory.is_none() && kind.fetch.is_none() {
        return Err(bad_usage(format!(
            "the model was trained on {}; give its directory with --data DIR",
            described(info)
        )));
    }
    // only the same kind of files becomes the same images by the same keys
    let preparation = source.filter(|source| source.dataset == kind.name);
    let mut keys = serde_json::to_value(DataSection {
        // the checksum says whether these are the images that the model saw
        skip_broken: true,
        ..DataSection::named(kind.name, directory.map(Path::to_owned))
    })?;
    for (key, value) in preparation.iter().flat_map(|source| &source.preparation) {
        keys[key] = Value::String(value.clone());
    }
    serde_json::from_value(keys).with_context(|| {
        format!(
            "the model's images were prepared in a way that this version does not know: {:?}",
            preparation
        )
    })
}

/// A data set in words.
fn described(info: &DatasetInfo) -> String {
    let images = format!("{:?}, {} images", info.name, info.images);
    let Some(DataSource {
        dataset,
        directory,
        resolution,
        preparation,
    }) = &info.source
    else {
        return images;
    };
    let mut text = format!("{images} of the kind {dataset}, {resolution}x{resolution}");
    for (key, value) in preparation {
        text += &format!(", {key} {value}");
    }
    if let Some(directory) = directory {
        text += &format!(", from a directory {directory:?}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(source: Option<DataSource>) -> DatasetInfo {
        DatasetInfo {
            name: "avatars".into(),
            images: 7,
            sha256: vec![],
            source,
        }
    }

    #[test]
    fn the_directory_of_own_folders_is_asked_for_by_name() {
        let source = DataSource {
            dataset: "image-folder".into(),
            directory: Some("avatars".into()),
            resolution: 64,
            preparation: Default::default(),
        };
        let info = info(Some(source));
        let message = section(&info, None, None).unwrap_err().to_string();
        for part in ["\"avatars\", 7 images", "image-folder, 64x64", "--data DIR"] {
            assert!(message.contains(part), "{message} lacks {part}");
        }
        let found = section(&info, None, Some(Path::new("x"))).unwrap();
        assert_eq!(
            (&*found.dataset, found.path),
            ("image-folder", Some("x".into()))
        );
        assert!(found.skip_broken);
    }

    #[test]
    fn a_model_that_remembers_no_kind_asks_for_it() {
        let message = section(&info(None), None, None).unwrap_err().to_string();
        assert!(
            message.contains("\"avatars\"") && message.contains("image-folder"),
            "{message}"
        );
        let mut fetched = info(None);
        fetched.name = "fashion-mnist".into();
        assert_eq!(
            section(&fetched, None, None).unwrap().dataset,
            "fashion-mnist"
        );
    }
}
