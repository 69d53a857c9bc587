//! Data sets by name: each has a row in [`TABLE`] and its own file.

pub mod broken;
pub mod check;
pub mod check_pictures;
pub mod cifar;
mod cifar_batch;
pub mod class_folders;
pub mod fashion_mnist;
pub mod fetch;
pub mod idx;
pub mod idx_folder;
pub mod image_folder;
mod listing;
pub mod loader;
pub mod npm;
pub mod packed;
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

use anyhow::{Context, Result, bail, ensure};
use biggan::file::{DatasetInfo, LabelRows};
use burn::tensor::{Device, Tensor, TensorData};

use crate::error::bad_usage;
use crate::recipe::data_section::DataSection;

pub use biggan_pictures::{area, picture};
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
    /// Puts its files into a directory; `None` if only the user can.
    pub fetch: Option<fn(&Path) -> Result<()>>,
    /// Whether all of its files are in a directory; their content is checked when they are read.
    pub is_complete: fn(&Path) -> bool,
}

/// The data sets that recipes can name.
pub const TABLE: [&NamedDataset; 6] = [
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

/// The directory of a fetched data set.
pub fn directory_of(dataset: &NamedDataset, data_home: Option<&Path>) -> Result<PathBuf> {
    let home = data_home.context(
        "no directory for data: neither XDG_DATA_HOME nor HOME is set; set one, or data.path",
    )?;
    Ok(home.join(dataset.name))
}

/// Reads a data set, and fetches it first if it is missing and the recipe names no path.
///
/// # Errors
/// If it cannot be fetched, is damaged, or does not match the resolution and classes.
pub fn load(
    request: &DatasetRequest<'_>,
    resolution: usize,
    data_home: Option<&Path>,
) -> Result<Dataset> {
    let named = by_name(&request.section.dataset)?;
    let of_pictures = [image_folder::IMAGE_FOLDER.name, packed::PACKED.name];
    if !of_pictures.contains(&named.name) {
        let section = request.section;
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
    let directory = match &request.section.path {
        Some(path) => path.clone(),
        None => {
            let directory = directory_of(named, data_home)?;
            if !(named.is_complete)(&directory) {
                let Some(fetch) = named.fetch else {
                    return Err(bad_usage(format!(
                        "data.dataset {:?} has no default directory; set data.path to its directory",
                        named.name
                    )));
                };
                fetch(&directory)?;
            }
            directory
        }
    };
    let dataset = (named.read)(request, &directory, resolution)?;
    check(&dataset, request.classes, resolution, &directory)?;
    Ok(dataset)
}

fn check(dataset: &Dataset, classes: usize, resolution: usize, directory: &Path) -> Result<()> {
    ensure!(!dataset.is_empty(), "{}: no images", directory.display());
    if dataset.class_names.len() != classes {
        return Err(bad_usage(format!(
            "train.generator.classes is {classes}, but the data set {} has {} classes; they must agree",
            dataset.info.name,
            dataset.class_names.len()
        )));
    }
    let [_, height, width] = dataset.shape;
    if height > resolution || width > resolution {
        return Err(bad_usage(format!(
            "images of {} are {width}x{height}, larger than train.generator.resolution {resolution}; \
             choose a larger resolution",
            dataset.info.name
        )));
    }
    let bad = dataset
        .labels
        .iter()
        .position(|&label| usize::from(label) >= classes);
    if let Some(index) = bad {
        bail!(
            "{}: label {} of image {index} is out of range; there are {classes} classes, 0 to {}; \
             repair the labels, or set train.generator.classes",
            directory.display(),
            dataset.labels[index],
            classes - 1
        );
    }
    Ok(())
}
