//! Data sets by name: each has a row in [`TABLE`] and its own file.

pub mod avatars;
pub mod broken;
pub mod check;
pub mod check_pictures;
pub mod cifar;
mod cifar_batch;
pub mod class_folders;
pub mod fashion_mnist;
pub mod fetch;
pub mod fit;
pub mod folder_entries;
pub mod idx;
pub mod idx_folder;
pub mod image_folder;
mod listing;
pub mod loader;
pub mod npm;
pub mod packed;
pub mod parts;
pub mod passed;
pub mod picture_files;
pub mod pixels;
pub mod png_strip;
pub mod preparation;
mod read_ahead;
mod room;
#[cfg(test)]
mod test_pictures;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use biggan::file::{DataSource, DatasetInfo, LabelRows};
use biggan::train::RealBatch;
use burn::tensor::{Device, Tensor, TensorData};

use crate::error::bad_usage;
use crate::recipe::data_section::DataSection;

pub use biggan_pictures::{area, picture};
use fit::Outline;
pub use loader::Loader;
use pixels::Pixels;

/// [`biggan::image::from_u8`] of every byte, to avoid a division per pixel.
const PM1: [f32; 256] = {
    let mut values = [0.0; 256];
    let mut byte = 0;
    while byte < 256 {
        values[byte] = biggan::image::from_u8(byte as u8);
        byte += 1;
    }
    values
};

/// A data set that recipes can name.
#[derive(Debug)]
pub struct NamedDataset {
    /// Name, as in `data.dataset`.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
    /// Reads a part of it from the directory of its files, for networks of a resolution, which
    /// matters only if images are resized.
    pub read: fn(&DatasetRequest<'_>, &Path, usize) -> Result<Dataset>,
    /// What its test part is like, without its pixels; `None` if there is none, or its content is known.
    pub test_outline: fn(&DatasetRequest<'_>, &Path) -> Result<Option<Outline>>,
    /// Puts its files into a directory, for networks of a resolution, which matters only if images are drawn; `None` if
    /// only the user can.
    pub fetch: Option<fn(&Path, usize) -> Result<()>>,
    /// Whether all of its files are in a directory; their content is checked when they are read.
    pub is_complete: fn(&Path) -> bool,
}

/// The data sets that recipes can name.
pub const TABLE: [&NamedDataset; 7] = [
    &avatars::AVATARS,
    &fashion_mnist::FASHION_MNIST,
    &idx_folder::IDX_FOLDER,
    &cifar::CIFAR10,
    &cifar::CIFAR100,
    &image_folder::IMAGE_FOLDER,
    &packed::PACKED,
];

/// A part of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// Training images.
    Train,
    /// Test images.
    Test,
}

/// A request for a data set.
#[derive(Debug)]
pub struct DatasetRequest<'a> {
    /// The recipe's section.
    pub section: &'a DataSection,
    /// Which part.
    pub split: Split,
    /// Classes of the networks.
    pub classes: usize,
}

/// Images and labels, as bytes.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// `[n, channels, height, width]`, row-major.
    pub images_u8: Pixels,
    /// Channels (1 grey or 3 RGB), height and width.
    pub shape: [usize; 3],
    /// `[n]`, each below the number of classes; the first label if an image has several.
    pub labels: Vec<u16>,
    /// All labels of each image, if images have several.
    pub label_rows: Option<LabelRows>,
    /// A name for each class.
    pub class_names: Vec<String>,
    /// For the model's card.
    pub info: DatasetInfo,
}

impl Dataset {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Classes of an image.
    pub fn labels_of(&self, index: usize) -> &[u16] {
        match &self.label_rows {
            Some(rows) => rows.row(index),
            None => std::slice::from_ref(&self.labels[index]),
        }
    }

    /// `[n, classes]`, row-major: 1/k for each of an image's k classes.
    pub fn class_weights(&self, indices: &[usize]) -> Vec<f32> {
        let classes = self.class_names.len();
        let mut weights = vec![0.0f32; indices.len() * classes];
        for (&index, row) in indices.iter().zip(weights.chunks_exact_mut(classes)) {
            let labels = self.labels_of(index);
            for &label in labels {
                row[usize::from(label)] += 1.0 / labels.len() as f32;
            }
        }
        weights
    }

    /// Bytes of images, each `[channels, height, width]`, in the order of their indices; picture files are
    /// decoded in parallel.
    ///
    /// # Errors
    /// If a picture file cannot be read.
    ///
    /// # Panics
    /// If there is no image of an index.
    pub fn read(&self, indices: &[usize]) -> Result<Vec<Cow<'_, [u8]>>> {
        self.images_u8.read(indices, self.shape.iter().product())
    }

    /// Appends an image of the data set to `into`: `[3, resolution, resolution]` in [-1, 1], padded with
    /// black (-1), grey repeated to RGB.
    ///
    /// # Panics
    /// If the image is larger than the resolution; [`load`] has refused that.
    pub fn push_pm1(&self, image_u8: &[u8], resolution: usize, into: &mut Vec<f32>) {
        let [channels, height, width] = self.shape;
        assert!(
            height <= resolution && width <= resolution,
            "{:?} in {resolution}",
            self.shape
        );
        let (top, left) = ((resolution - height) / 2, (resolution - width) / 2);
        for channel in 0..3 {
            let plane = &image_u8[(channel % channels) * height * width..][..height * width];
            let start = into.len();
            into.resize(start + resolution * resolution, -1.0);
            for (y, line) in plane.chunks_exact(width).enumerate() {
                let at = start + (top + y) * resolution + left;
                for (pixel, &byte) in into[at..at + width].iter_mut().zip(line) {
                    *pixel = PM1[usize::from(byte)];
                }
            }
        }
    }

    /// Images `[n, 3, resolution, resolution]` in [-1, 1] of a range of indices, as
    /// [`Dataset::push_pm1`].
    ///
    /// # Errors
    /// If a picture file cannot be read.
    pub fn images_pm1(
        &self,
        indices: std::ops::Range<usize>,
        resolution: usize,
        device: &Device,
    ) -> Result<Tensor<4>> {
        let shape = [indices.len(), 3, resolution, resolution];
        let mut values = Vec::with_capacity(shape.iter().product());
        for image in self.read(&indices.collect::<Vec<_>>())? {
            self.push_pm1(&image, resolution, &mut values);
        }
        Ok(Tensor::from_data(TensorData::new(values, shape), device))
    }

    /// Images of some indices, as [`Dataset::images_pm1`], with 1/k for each of an image's k classes.
    ///
    /// # Errors
    /// If a picture file cannot be read.
    pub fn reals(
        &self,
        indices: &[usize],
        resolution: usize,
        device: &Device,
    ) -> Result<RealBatch> {
        let (n, classes) = (indices.len(), self.class_names.len());
        let mut images = Vec::with_capacity(n * 3 * resolution * resolution);
        for image in self.read(indices)? {
            self.push_pm1(&image, resolution, &mut images);
        }
        let weights = self.class_weights(indices);
        let shape = [n, 3, resolution, resolution];
        Ok(RealBatch {
            images: Tensor::from_data(TensorData::new(images, shape), device),
            class_weights: Tensor::from_data(TensorData::new(weights, [n, classes]), device),
        })
    }
}

/// The data set of a name.
///
/// # Errors
/// If there is none; the message lists the known names.
pub fn by_name(name: &str) -> Result<&'static NamedDataset> {
    TABLE
        .into_iter()
        .find(|row| row.name == name)
        .ok_or_else(|| {
            let known: Vec<&str> = TABLE.iter().map(|row| row.name).collect();
            bad_usage(format!(
                "data set {name:?} is unknown; choose one of {}",
                known.join(", ")
            ))
        })
}

/// The name of a data set in a directory: the directory's own, also where the path is `.` or ends in `..`.
pub fn name_of(directory: &Path) -> String {
    let whole = || directory.canonicalize().ok();
    let own = |path: &Path| Some(path.file_name()?.to_string_lossy().into_owned());
    own(directory)
        .or_else(|| own(&whole()?))
        .unwrap_or_else(|| "data".to_owned())
}

/// The directory of a fetched data set.
pub fn directory_of(dataset: &NamedDataset, data_home: Option<&Path>) -> Result<PathBuf> {
    let home = data_home.context(
        "no directory for data: neither XDG_DATA_HOME nor HOME is set; set one, or data.path",
    )?;
    Ok(home.join(dataset.name))
}

/// The data set of a recipe's section and its directory; fetches it first, for networks of a resolution, if it is
/// missing and the recipe names no path.
///
/// # Errors
/// If there is none of the name, or it cannot be fetched.
pub fn locate(
    section: &DataSection,
    resolution: usize,
    data_home: Option<&Path>,
) -> Result<(&'static NamedDataset, PathBuf)> {
    let named = by_name(&section.dataset)?;
    let of_pictures = [image_folder::IMAGE_FOLDER.name, packed::PACKED.name];
    if !of_pictures.contains(&named.name) {
        let set = [
            ("fit", section.fit.is_some()),
            ("background", section.background.is_some()),
        ];
        if let Some((key, _)) = set.iter().find(|(_, is_set)| *is_set) {
            return Err(bad_usage(format!(
                "data.{key} is for pictures in files ({}), but data.dataset is {:?}, whose images have one size; \
                 leave it out",
                of_pictures.join(", "),
                named.name
            )));
        }
    }
    if let Some(path) = &section.path {
        return Ok((named, path.clone()));
    }
    let directory = directory_of(named, data_home)?;
    if !(named.is_complete)(&directory) {
        let Some(fetch) = named.fetch else {
            return Err(bad_usage(format!(
                "data.dataset {:?} has no default directory; set data.path to its directory",
                named.name
            )));
        };
        fetch(&directory, resolution)?;
    }
    Ok((named, directory))
}

/// Reads a part of a data set.
///
/// # Errors
/// If it cannot be fetched, is damaged, or does not match the resolution and classes.
pub fn load(
    request: &DatasetRequest<'_>,
    resolution: usize,
    data_home: Option<&Path>,
) -> Result<Dataset> {
    let (named, directory) = locate(request.section, resolution, data_home)?;
    let (dataset, _) = read_fitting(named, request, &directory, resolution)?;
    let dataset = renamed(dataset, request.section)?;
    Ok(with_source(dataset, request.section, resolution))
}

/// Reads the training part, for training.
///
/// # Errors
/// As [`load`]; if a class has no image, or there is a test part of other classes or another shape.
pub fn load_to_train(
    request: &DatasetRequest<'_>,
    resolution: usize,
    data_home: Option<&Path>,
) -> Result<Dataset> {
    let (named, directory) = locate(request.section, resolution, data_home)?;
    let place = directory.display().to_string();
    let (dataset, images) = read_fitting(named, request, &directory, resolution)?;
    fit::refuse(fit::without_images(&images, &dataset.class_names, &place))?;
    if let Some(test) = (named.test_outline)(request, &directory)? {
        let train = Outline::of(&dataset, place);
        fit::refuse(fit::with_training_part(&test, &train))?;
    }
    let dataset = renamed(dataset, request.section)?;
    Ok(with_source(dataset, request.section, resolution))
}

/// Whether there is a test part, and its faults are faults of the data.
///
/// # Errors
/// If it cannot be listed.
pub fn has_test_part(
    request: &DatasetRequest<'_>,
    resolution: usize,
    data_home: Option<&Path>,
) -> Result<bool> {
    let (named, directory) = locate(request.section, resolution, data_home)?;
    Ok((named.test_outline)(request, &directory)?.is_some())
}

/// A part that fits the networks, and its images of each class.
fn read_fitting(
    named: &NamedDataset,
    request: &DatasetRequest<'_>,
    directory: &Path,
    resolution: usize,
) -> Result<(Dataset, Vec<usize>)> {
    let place = directory.display().to_string();
    let dataset = (named.read)(request, directory, resolution)?;
    ensure!(!dataset.is_empty(), "{place}: no images");
    let outline = Outline::of(&dataset, place.clone());
    fit::refuse(fit::with_networks(&outline, request.classes, resolution))?;
    let images = fit::images_by_class(&dataset, &place).map_err(|misfit| misfit.error)?;
    Ok((dataset, images))
}

/// Keys of the recipe's section that change the pixels.
const PREPARATION: [&str; 2] = ["fit", "background"];

/// A data set that remembers how it was read.
fn with_source(mut dataset: Dataset, section: &DataSection, resolution: usize) -> Dataset {
    let keys = serde_json::to_value(section).unwrap_or_default();
    let given = |key: &str| Some((key.to_owned(), keys.get(key)?.as_str()?.to_owned()));
    let directory = section.path.as_deref().and_then(Path::file_name);
    dataset.info.source = Some(DataSource {
        dataset: section.dataset.clone(),
        directory: directory.map(|name| name.to_string_lossy().into_owned()),
        resolution,
        preparation: PREPARATION.into_iter().filter_map(given).collect(),
    });
    dataset
}

/// With the names that the recipe gives to its classes.
///
/// # Errors
/// If it does not give each class a name of its own.
fn renamed(mut dataset: Dataset, section: &DataSection) -> Result<Dataset> {
    if let Some(names) = &section.class_names {
        let classes = dataset.class_names.len();
        fit::refuse(fit::names(names, classes, &dataset.info.name))?;
        dataset.class_names.clone_from(names);
    }
    Ok(dataset)
}
