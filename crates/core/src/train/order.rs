//! The order in which a run sees the images of a data set; it depends only on the seed.

use crate::random::{Stream, permutation};

/// Image `i` of a run is image `i % n` of the permutation of epoch `i / n`, so that a resumed run needs
/// no state.
#[derive(Debug, Clone)]
pub struct Order {
    seed: u64,
    /// Images of the data set.
    count: usize,
    /// Permutation of the epoch that was used last.
    epoch: Option<(u64, Vec<u32>)>,
}

impl Order {
    /// The order of a run over a data set of `count` images.
    pub fn new(seed: u64, count: usize) -> Self {
        Self {
            seed,
            count,
            epoch: None,
        }
    }

    /// Indices in the data set of images of the run.
    pub fn indices(&mut self, numbers: impl Iterator<Item = u64>) -> Vec<usize> {
        numbers.map(|image| self.index(image)).collect()
    }

    fn index(&mut self, image: u64) -> usize {
        let count = self.count as u64;
        let (epoch, place) = (image / count, (image % count) as usize);
        if let Some((of, order)) = &self.epoch
            && *of == epoch
        {
            return order[place] as usize;
        }
        let order = permutation(self.seed, Stream::DataOrder, epoch, self.count);
        let index = order[place] as usize;
        self.epoch = Some((epoch, order));
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_epoch_shows_each_image_once_in_an_order_of_its_own() {
        let mut order = Order::new(3, 5);
        let epochs: Vec<Vec<usize>> = (0..4)
            .map(|epoch| order.indices(epoch * 5..epoch * 5 + 5))
            .collect();
        for epoch in &epochs {
            let mut sorted = epoch.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3, 4]);
        }
        assert!(epochs.windows(2).any(|pair| pair[0] != pair[1]));
        let across = Order::new(3, 5).indices(3..7);
        assert_eq!(across, [&epochs[0][3..], &epochs[1][..2]].concat());
    }
}
