//! Batches in an order that depends on nothing but the seed and the images seen.

use biggan::latent::one_hot;
use biggan::random::{Stream, permutation};
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
            order: None,
        }
    }

    /// The data set.
    pub fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// The batch that follows `images_seen` images.
    pub fn batch(&mut self, images_seen: u64, batch_size: usize, device: &Device) -> RealBatch {
        let mut images = Vec::with_capacity(batch_size * 3 * self.resolution * self.resolution);
        let mut labels = Vec::with_capacity(batch_size);
        for offset in 0..batch_size as u64 {
            let index = self.index(images_seen + offset);
            self.dataset.push_pm1(index, self.resolution, &mut images);
            labels.push(usize::from(self.dataset.labels[index]));
        }
        let shape = [batch_size, 3, self.resolution, self.resolution];
        RealBatch {
            images: Tensor::from_data(TensorData::new(images, shape), device),
            class_weights: one_hot(&labels, self.dataset.class_names.len(), device),
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
    use biggan::file::DatasetInfo;

    fn loader() -> Loader {
        let dataset = Dataset {
            images_u8: (0..5 * 4).collect(),
            shape: [1, 2, 2],
            labels: vec![0, 1, 2, 3, 4],
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
