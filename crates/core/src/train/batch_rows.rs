//! The images of a batch that a process reads.

use std::ops::Range;

use super::{Ranks, TrainConfig};

/// Indices in a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchRows {
    /// Images of the whole batch.
    pub batch_size: usize,
    /// The images to read, in this order.
    pub own: Vec<Range<usize>>,
}

impl BatchRows {
    /// A whole batch.
    pub fn all(batch_size: usize) -> Self {
        Self {
            batch_size,
            own: std::iter::once(0..batch_size).collect(),
        }
    }

    /// A rank's part of a batch.
    pub fn new(config: &TrainConfig, ranks: &Ranks) -> Self {
        Self {
            batch_size: config.batch_size,
            own: ranks.rows(config),
        }
    }

    /// Images that are read.
    pub fn count(&self) -> usize {
        self.own.iter().map(Range::len).sum()
    }

    /// Indices in the run of the images of the batch that begins with index `first`.
    pub fn numbers(&self, first: u64) -> impl Iterator<Item = u64> {
        let rows = self.own.iter().cloned().flatten();
        rows.map(move |row| first + row as u64)
    }
}
