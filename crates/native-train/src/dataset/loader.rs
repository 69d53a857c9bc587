//! Batches in an order that depends on nothing but the seed and the images seen.

use biggan::random::{Draws, Stream, permutation};
use biggan::train::RealBatch;
use burn::tensor::{Device, Tensor, TensorData};

use super::Dataset;

/// Cuts a data set into batches. Image `i` of a run is image `i % n` of the permutation of epoch
/// `i / n`, so that a resumed run needs no state.
#[derive(Debug)]
pub struct Loader {
    dataset: Dataset,
    seed: u64,
    resolution: usize,
    /// Whether every second image is mirrored.
    flip: bool,
    /// Permutation of the epoch that was used last.
    order: Option<(u64, Vec<u32>)>,
}

impl Loader {
    /// A loader for networks of a resolution.
    pub fn new(dataset: Dataset, seed: u64, resolution: usize) -> Self {
        Self {
            dataset,
            seed,
            resolution,
            flip: false,
            order: None,
        }
    }

    /// With every image mirrored left to right in half of the times it is seen, drawn by its number in
    /// the run.
    pub fn with_flips(self, flip: bool) -> Self {
        Self { flip, ..self }
    }

    /// The data set.
    pub fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// The batch that follows `images_seen` images.
    pub fn batch(&mut self, images_seen: u64, batch_size: usize, device: &Device) -> RealBatch {
        let classes = self.dataset.class_names.len();
        let mut images = Vec::with_capacity(batch_size * 3 * self.resolution * self.resolution);
        let mut weights = vec![0.0f32; batch_size * classes];
        for (image, row) in (images_seen..).zip(weights.chunks_exact_mut(classes)) {
            let index = self.index(image);
            let start = images.len();
            self.dataset.push_pm1(index, self.resolution, &mut images);
            if self.flip && Draws::new(self.seed, Stream::Flip, image, 0).uniform() < 0.5 {
                for line in images[start..].chunks_exact_mut(self.resolution) {
                    line.reverse();
                }
            }
            let labels = self.dataset.labels_of(index);
            for &label in labels {
                row[usize::from(label)] += 1.0 / labels.len() as f32;
            }
        }
        let shape = [batch_size, 3, self.resolution, self.resolution];
        RealBatch {
            images: Tensor::from_data(TensorData::new(images, shape), device),
            class_weights: Tensor::from_data(
                TensorData::new(weights, [batch_size, classes]),
                device,
            ),
        }
    }

    /// Place in the data set of the run's image number `image`.
    fn index(&mut self, image: u64) -> usize {
        let count = self.dataset.len();
        let (epoch, place) = (image / count as u64, (image % count as u64) as usize);
        if let Some((of, order)) = &self.order
            && *of == epoch
        {
            return order[place] as usize;
        }
        let order = permutation(self.seed, Stream::DataOrder, epoch, count);
        let index = order[place] as usize;
        self.order = Some((epoch, order));
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::label_rows::LabelRows;
    use biggan::file::DatasetInfo;

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
            },
        };
        Loader::new(dataset, 3, 4)
    }

    #[test]
    fn every_epoch_shows_each_image_once_in_an_order_of_its_own() {
        let mut loader = loader();
        let epochs: Vec<Vec<usize>> = (0..4)
            .map(|epoch| (0..5).map(|i| loader.index(epoch * 5 + i)).collect())
            .collect();
        for epoch in &epochs {
            let mut sorted = epoch.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3, 4]);
        }
        assert!(epochs.windows(2).any(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn a_batch_depends_on_the_images_seen_alone() {
        let device = Device::flex();
        let read = |batch: RealBatch| batch.images.into_data().try_to_vec::<f32>().unwrap();
        let mut first = loader();
        first.batch(0, 3, &device);
        let continued = read(first.batch(3, 4, &device)); // crosses an epoch
        assert_eq!(continued, read(loader().batch(3, 4, &device)));
    }

    #[test]
    fn images_are_mirrored_in_half_of_the_cases() {
        let device = Device::flex();
        let read = |loader: Loader| {
            let images = { loader }.batch(0, 400, &device).images;
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
        let weights = loader.batch(0, 5, &Device::flex()).class_weights;
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
        loader().dataset().push_pm1(1, 4, &mut image);
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
