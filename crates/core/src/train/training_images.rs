//! Images of one size in memory, as a browser passes them in.

use std::io::{self, Cursor, Seek, Write};

use burn::tensor::{Device, Tensor, TensorData};

use super::{BatchRows, Order, RealBatch, Reals};
use crate::error::{Error, Result};
use crate::file::{DatasetInfo, PackWriter};
use crate::image::from_u8;
use crate::latent::one_hot;

/// Images with a class each.
#[derive(Debug, Clone)]
pub struct TrainingImages {
    name: String,
    class_names: Vec<String>,
    resolution: usize,
    /// `[n, 3, r, r]`
    images_u8: Vec<u8>,
    labels: Vec<u16>,
    info: DatasetInfo,
}

impl TrainingImages {
    /// Images from RGB bytes, image after image, row by row.
    ///
    /// # Shapes
    /// - rgb: `[n, r, r, 3]`
    /// - labels: `[n]`, each below the number of class names
    ///
    /// # Errors
    /// If there is no image, the pixels do not match the labels, or a label has no class.
    pub fn new(
        name: String,
        class_names: Vec<String>,
        resolution: usize,
        rgb: &[u8],
        labels: Vec<u16>,
    ) -> Result<Self> {
        let classes = class_names.len();
        if labels.is_empty() || resolution == 0 {
            return Err(Error::request("the data")
                .found(format_args!(
                    "{} images of {resolution}x{resolution} pixels",
                    labels.len()
                ))
                .expected("1 or more")
                .within(&name));
        }
        if let Some(place) = labels
            .iter()
            .position(|&label| usize::from(label) >= classes)
        {
            return Err(Error::request(format_args!("the class of image {place}"))
                .found(labels[place])
                .expected(format_args!("0 to {}", classes.saturating_sub(1)))
                .remedy("repair the labels")
                .within(&name));
        }
        let expected = labels.len() * 3 * resolution * resolution;
        if rgb.len() != expected {
            return Err(Error::request(format_args!(
                "the pixels of {} images of 3x{resolution}x{resolution}",
                labels.len()
            ))
            .found(format_args!("{} bytes", rgb.len()))
            .expected(format_args!("{expected} bytes"))
            .within(&name));
        }
        let mut images_u8 = Vec::with_capacity(rgb.len());
        for image in rgb.chunks(3 * resolution * resolution) {
            for channel in 0..3 {
                images_u8.extend(image.iter().skip(channel).step_by(3));
            }
        }
        let mut images = Self {
            info: DatasetInfo {
                name: name.clone(),
                images: labels.len(),
                sha256: vec![],
                source: None,
            },
            name,
            class_names,
            resolution,
            images_u8,
            labels,
        };
        (images.info, _) = images.pack(io::empty())?;
        Ok(images)
    }

    fn pack<W: Write + Seek>(&self, out: W) -> Result<(DatasetInfo, W)> {
        let shape = [3, self.resolution, self.resolution];
        let count = Some(self.len());
        let mut writer = PackWriter::new(out, &self.name, &self.class_names, shape, count)?;
        let images = self.images_u8.chunks(shape.iter().product());
        for (image, &label) in images.zip(&self.labels) {
            writer.push(image, &[label])?;
        }
        writer.finish()
    }

    /// As `train.pack` of `native-train`.
    ///
    /// # Errors
    /// As the writer of packed data sets.
    pub fn packed(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        // pixels, labels and digests; a wasm memory keeps what a growing vector leaves behind
        bytes.reserve_exact(self.images_u8.len() + 16 * self.len() + 4096);
        Ok(self.pack(Cursor::new(bytes))?.1.into_inner())
    }

    /// What a checkpoint says about them.
    pub fn info(&self) -> &DatasetInfo {
        &self.info
    }

    /// A name for each class.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// Side in pixels.
    pub fn resolution(&self) -> usize {
        self.resolution
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Always false: construction requires an image.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The images in the order in which a run with this seed sees them.
    pub fn in_order(self, seed: u64) -> InOrder {
        InOrder {
            order: Order::new(seed, self.len()),
            images: self,
        }
    }

    /// Class of an image.
    ///
    /// # Panics
    /// If there is none of that index.
    pub fn label(&self, index: usize) -> usize {
        usize::from(self.labels[index])
    }

    /// RGBA bytes of an image.
    ///
    /// # Panics
    /// If there is none of that index.
    pub fn rgba(&self, index: usize) -> Vec<u8> {
        let plane = self.resolution * self.resolution;
        let image = &self.images_u8[index * 3 * plane..][..3 * plane];
        (0..plane)
            .flat_map(|p| [image[p], image[plane + p], image[2 * plane + p], 255])
            .collect()
    }

    /// Images of these indices, in [-1, 1], with their classes.
    ///
    /// # Panics
    /// If an index is out of range.
    pub fn batch(&self, indices: &[usize], device: &Device) -> RealBatch {
        let len = 3 * self.resolution * self.resolution;
        let values: Vec<f32> = indices
            .iter()
            .flat_map(|&index| &self.images_u8[index * len..][..len])
            .map(|&byte| from_u8(byte))
            .collect();
        let labels: Vec<usize> = indices.iter().map(|&index| self.label(index)).collect();
        let shape = [indices.len(), 3, self.resolution, self.resolution];
        RealBatch {
            images: Tensor::from_data(TensorData::new(values, shape), device),
            class_weights: one_hot(&labels, self.class_names.len(), device),
        }
    }
}

/// Images in the order of a run.
#[derive(Debug, Clone)]
pub struct InOrder {
    images: TrainingImages,
    order: Order,
}

impl InOrder {
    /// The images.
    pub fn images(&self) -> &TrainingImages {
        &self.images
    }
}

impl<E> Reals<E> for InOrder {
    fn batch(
        &mut self,
        images_seen: u64,
        rows: &BatchRows,
        device: &Device,
    ) -> std::result::Result<RealBatch, E> {
        let indices = self.order.indices(rows.numbers(images_seen));
        Ok(self.images.batch(&indices, device))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(rgb: &[u8], labels: Vec<u16>) -> Result<TrainingImages> {
        let names = vec!["a".to_owned(), "b".to_owned()];
        TrainingImages::new("two".to_owned(), names, 1, rgb, labels)
    }

    #[test]
    fn pixels_become_planes_and_values() {
        let device = Device::flex();
        let two = images(&[0, 51, 255, 1, 2, 3], vec![0, 1]).unwrap();
        assert_eq!(two.rgba(0), [0, 51, 255, 255]);
        let batch = two.batch(&[1, 0], &device);
        let values: Vec<f32> = batch.images.into_data().try_to_vec().unwrap();
        assert_eq!(values[3..], [-1.0, from_u8(51), 1.0]);
        let classes: Vec<f32> = batch.class_weights.into_data().try_to_vec().unwrap();
        assert_eq!(classes, [0.0, 1.0, 1.0, 0.0]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let refused = |rgb: &[u8], labels: Vec<u16>, part: &str| {
            let message = images(rgb, labels).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        };
        refused(&[], vec![], "0 images");
        refused(&[1, 2, 3], vec![2], "class of image 0 is 2");
        refused(&[1, 2, 3, 4, 5, 6], vec![1], "is 6 bytes");
    }
}
