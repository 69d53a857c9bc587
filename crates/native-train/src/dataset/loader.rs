//! Batches in an order that depends only on the seed and the images seen.

use std::borrow::Cow;
use std::thread::available_parallelism;

use anyhow::{Error, Result};
use biggan::random::{Draws, Stream};
use biggan::train::{BatchRows, Order, RealBatch, Reals};
use burn::tensor::{Device, Tensor, TensorData};

use super::Dataset;
use super::read_ahead::ReadAhead;

/// Cuts a data set into batches, in its [`Order`]. Picture files are decoded ahead of training, which
/// does not change the batches.
#[derive(Debug)]
pub struct Loader {
    dataset: Dataset,
    seed: u64,
    resolution: usize,
    /// Whether images are mirrored with probability 1/2.
    flip: bool,
    order: Order,
    /// Threads that decode picture files.
    threads: usize,
    /// Decodes the next batches, if there are files to decode.
    ahead: Option<ReadAhead>,
}

impl Loader {
    /// A loader for networks of a resolution.
    pub fn new(dataset: Dataset, seed: u64, resolution: usize) -> Self {
        Self {
            order: Order::new(seed, dataset.len()),
            dataset,
            seed,
            resolution,
            flip: false,
            threads: available_parallelism().map_or(1, |threads| threads.get()),
            ahead: None,
        }
    }

    /// With every image mirrored left to right with probability 1/2, drawn by its index in
    /// the run.
    pub fn with_flips(self, flip: bool) -> Self {
        Self { flip, ..self }
    }

    /// With this many threads to decode picture files instead of one per core.
    pub fn with_threads(self, threads: usize) -> Self {
        Self { threads, ..self }
    }

    /// The data set.
    pub fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// The images of a batch if they are picture files; `None` if their bytes are in memory.
    fn decoded_ahead(
        &mut self,
        images_seen: u64,
        rows: &BatchRows,
    ) -> Result<Option<Vec<Vec<u8>>>> {
        let Some(files) = self.dataset.images_u8.files() else {
            return Ok(None);
        };
        // the batch differs at the start, after a collapse, and when its size changes
        let ahead = self.ahead.take();
        let ahead = match ahead.filter(|ahead| ahead.is_at(images_seen, rows)) {
            Some(ahead) => ahead,
            None => {
                let (files, order) = (files.clone(), self.order.clone());
                ReadAhead::start(files, order, images_seen, rows.clone(), self.threads)?
            }
        };
        let (images, ahead) = ahead.next()?;
        self.ahead = Some(ahead);
        Ok(Some(images))
    }

    /// Images of the run by their indices, in [-1, 1] and mirrored where drawn.
    fn pm1(&self, numbers: impl Iterator<Item = u64>, images_u8: &[Cow<'_, [u8]>]) -> Vec<f32> {
        let mut images = Vec::with_capacity(images_u8.len() * 3 * self.resolution.pow(2));
        for (number, image) in numbers.zip(images_u8) {
            let start = images.len();
            self.dataset.push_pm1(image, self.resolution, &mut images);
            if self.flip && Draws::new(self.seed, Stream::Flip, number, 0).uniform() < 0.5 {
                for line in images[start..].chunks_exact_mut(self.resolution) {
                    line.reverse();
                }
            }
        }
        images
    }
}

impl Reals<Error> for Loader {
    fn batch(&mut self, images_seen: u64, rows: &BatchRows, device: &Device) -> Result<RealBatch> {
        let batch_size = rows.count();
        let indices = self.order.indices(rows.numbers(images_seen));
        let images = match self.decoded_ahead(images_seen, rows)? {
            Some(images) => images.into_iter().map(Cow::Owned).collect(),
            None => self.dataset.read(&indices)?,
        };
        let images = self.pm1(rows.numbers(images_seen), &images);
        let classes = self.dataset.class_names.len();
        let weights = self.dataset.class_weights(&indices);
        let shape = [batch_size, 3, self.resolution, self.resolution];
        Ok(RealBatch {
            images: Tensor::from_data(TensorData::new(images, shape), device),
            class_weights: Tensor::from_data(
                TensorData::new(weights, [batch_size, classes]),
                device,
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use biggan::file::DatasetInfo;
    use biggan::file::LabelRows;

    fn loader() -> Loader {
        let dataset = Dataset {
            images_u8: (0..5 * 4).collect::<Vec<u8>>().into(),
            shape: [1, 2, 2],
            labels: vec![0, 1, 2, 3, 4],
            label_rows: None,
            class_names: (0..5).map(|c| c.to_string()).collect(),
            info: DatasetInfo {
                name: "five".into(),
                images: 5,
                sha256: vec![],
                source: None,
            },
        };
        Loader::new(dataset, 3, 4)
    }

    #[test]
    fn a_batch_depends_on_the_images_seen_alone() {
        let device = Device::flex();
        let read = |batch: RealBatch| batch.images.into_data().try_to_vec::<f32>().unwrap();
        let mut first = loader();
        first.batch(0, &BatchRows::all(3), &device).unwrap();
        let continued = read(first.batch(3, &BatchRows::all(4), &device).unwrap()); // crosses an epoch
        assert_eq!(
            continued,
            read(loader().batch(3, &BatchRows::all(4), &device).unwrap())
        );
    }

    #[test]
    #[allow(clippy::single_range_in_vec_init)]
    fn parts_of_a_batch_are_its_rows() {
        let device = Device::flex();
        let read = |batch: RealBatch| batch.images.into_data().try_to_vec::<f32>().unwrap();
        let whole = read(
            loader()
                .with_flips(true)
                .batch(2, &BatchRows::all(8), &device)
                .unwrap(),
        );
        let own = vec![1..3, 6..7];
        let rows = BatchRows { batch_size: 8, own };
        let part = read(loader().with_flips(true).batch(2, &rows, &device).unwrap());
        assert_eq!(part, [&whole[48..144], &whole[288..336]].concat());
    }

    #[test]
    fn images_are_mirrored_in_half_of_the_cases() {
        let device = Device::flex();
        let read = |loader: Loader| {
            let images = { loader }
                .batch(0, &BatchRows::all(400), &device)
                .unwrap()
                .images;
            images.into_data().try_to_vec::<f32>().unwrap()
        };
        let (plain, mirrored) = (read(loader()), read(loader().with_flips(true)));
        assert_eq!(mirrored, read(loader().with_flips(true)));
        let mut flips = 0;
        for (before, after) in plain.chunks(48).zip(mirrored.chunks(48)) {
            let mirror: Vec<f32> = before
                .chunks(4)
                .flat_map(|line| line.iter().rev().copied())
                .collect();
            assert!(after == before || after == mirror);
            flips += usize::from(after == mirror);
        }
        // five standard deviations
        assert!((150..=250).contains(&flips), "{flips} of 400");
    }

    #[test]
    fn several_labels_share_the_weight() {
        let mut loader = loader();
        let mut rows = LabelRows::default();
        for row in [&[0u16][..], &[1, 3], &[2], &[3], &[4]] {
            rows.push(row);
        }
        loader.dataset.label_rows = Some(rows);
        let weights = loader
            .batch(0, &BatchRows::all(5), &Device::flex())
            .unwrap()
            .class_weights;
        let mut weights = weights.into_data().try_to_vec::<f32>().unwrap();
        assert_eq!(
            weights.chunks(5).filter(|row| row.contains(&0.5)).count(),
            1
        );
        weights.sort_by(f32::total_cmp);
        assert_eq!(weights[19..], [0.5, 0.5, 1.0, 1.0, 1.0, 1.0]);
    }

    #[test]
    fn images_are_padded_with_black_and_grey_is_repeated() {
        let mut image = Vec::new();
        let loader = loader();
        let images_u8 = loader.dataset().read(&[1]).unwrap();
        loader.dataset().push_pm1(&images_u8[0], 4, &mut image);
        assert_eq!(image.len(), 3 * 16);
        let grey = |byte: u8| biggan::image::from_u8(byte);
        let expected = [
            [-1.0; 4],
            [-1.0, grey(4), grey(5), -1.0],
            [-1.0, grey(6), grey(7), -1.0],
            [-1.0; 4],
        ]
        .concat();
        assert_eq!(image, expected.repeat(3));
    }
}
