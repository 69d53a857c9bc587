//! The data set that a model was trained on, found by what the model remembers of it.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use biggan::file::{DataSource, DatasetInfo, ModelInfo};
use serde_json::Value;

use crate::dataset::preparation::SquareArgs;
use crate::dataset::{self, Dataset, DatasetRequest, Split};
use crate::environment::Environment;
use crate::error::bad_usage;
use crate::recipe::data_section::DataSection;

/// The real images of a model, where the model does not say enough of them.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct RealImagesArgs {
    /// Data set of the real images [default: the one that the model names]
    #[arg(long, value_name = "NAME")]
    pub dataset: Option<String>,
    /// Directory of the real images [default: where `data fetch` puts them]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// As the model's training pictures became squares, by default.
    #[command(flatten)]
    pub square: SquareArgs,
}

impl RealImagesArgs {
    /// The options that were typed.
    pub fn typed(&self) -> impl Iterator<Item = &'static str> {
        let options = [
            ("--dataset", self.dataset.is_some()),
            ("--data", self.data.is_some()),
            ("--fit", self.square.fit.is_some()),
            ("--background", self.square.background.is_some()),
        ];
        options
            .into_iter()
            .filter_map(|(option, typed)| typed.then_some(option))
    }
}

/// Reads the training set of a model: as typed, the rest as the model remembers it.
///
/// # Errors
/// If neither says what to read, it cannot be read, or is not the model's.
pub fn training_set(
    info: &ModelInfo,
    typed: &RealImagesArgs,
    environment: &Environment,
) -> Result<Dataset> {
    let section = section(&info.dataset, typed)?;
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
fn section(info: &DatasetInfo, typed: &RealImagesArgs) -> Result<DataSection> {
    let source = info.source.as_ref();
    // older models of fetched data sets have the name of the kind
    let remembered = || Some(source.map_or(&*info.name, |source| &*source.dataset));
    let known = |name: &&str| dataset::by_name(name).is_ok();
    let kind = match &typed.dataset {
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
    if typed.data.is_none() && kind.fetch.is_none() {
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
        ..DataSection::named(kind.name, typed.data.clone())
    })?;
    for (key, value) in preparation.iter().flat_map(|source| &source.preparation) {
        keys[key] = Value::String(value.clone());
    }
    let remembered: DataSection = serde_json::from_value(keys).with_context(|| {
        format!(
            "the model's images were prepared in a way that this version does not know: {:?}",
            preparation
        )
    })?;
    Ok(DataSection {
        fit: typed.square.fit.or(remembered.fit),
        background: typed.square.background.or(remembered.background),
        ..remembered
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
    use biggan_pictures::fit::Fit;

    use super::*;

    fn info(source: Option<DataSource>) -> DatasetInfo {
        DatasetInfo {
            name: "portraits".into(),
            images: 7,
            sha256: vec![],
            source,
        }
    }

    fn in_directory(data: &str) -> RealImagesArgs {
        RealImagesArgs {
            data: Some(data.into()),
            ..RealImagesArgs::default()
        }
    }

    #[test]
    fn what_was_typed_goes_before_what_the_model_remembers() {
        let source = DataSource {
            dataset: "image-folder".into(),
            directory: None,
            resolution: 64,
            preparation: [("fit".to_owned(), "pad".to_owned())].into(),
        };
        let info = info(Some(source));
        let found = section(&info, &in_directory("x")).unwrap();
        assert_eq!((found.fit, found.background), (Some(Fit::Pad), None));
        let mut typed = in_directory("x");
        typed.square.fit = Some(Fit::Crop);
        typed.square.background = Some("#102030".parse().unwrap());
        let found = section(&info, &typed).unwrap();
        let both = (typed.square.fit, typed.square.background);
        assert_eq!((found.fit, found.background), both);
    }

    #[test]
    fn the_directory_of_own_folders_is_asked_for_by_name() {
        let source = DataSource {
            dataset: "image-folder".into(),
            directory: Some("portraits".into()),
            resolution: 64,
            preparation: Default::default(),
        };
        let info = info(Some(source));
        let message = section(&info, &RealImagesArgs::default())
            .unwrap_err()
            .to_string();
        for part in [
            "\"portraits\", 7 images",
            "image-folder, 64x64",
            "--data DIR",
        ] {
            assert!(message.contains(part), "{message} lacks {part}");
        }
        let found = section(&info, &in_directory("x")).unwrap();
        assert_eq!(
            (&*found.dataset, found.path),
            ("image-folder", Some("x".into()))
        );
        assert!(found.skip_broken);
    }

    #[test]
    fn a_model_that_remembers_no_kind_asks_for_it() {
        let message = section(&info(None), &RealImagesArgs::default())
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("\"portraits\"") && message.contains("image-folder"),
            "{message}"
        );
        let mut fetched = info(None);
        fetched.name = "fashion-mnist".into();
        assert_eq!(
            section(&fetched, &RealImagesArgs::default())
                .unwrap()
                .dataset,
            "fashion-mnist"
        );
    }
}
