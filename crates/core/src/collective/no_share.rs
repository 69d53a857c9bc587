//! Programs that only sample have no ranks: an uninhabited [`Share`] removes the code for ranks, some kilobytes of
//! a page's download.

use std::convert::Infallible;

use super::Group;

/// A rank's part of a batch; none exist without the feature `train`.
#[derive(Debug, Clone)]
pub struct Share(Infallible);

impl Share {
    /// The ranks with the other parts.
    pub fn group(&self) -> &Group {
        match self.0 {}
    }

    /// Images of the whole batch.
    pub fn images(&self) -> usize {
        match self.0 {}
    }

    /// Whether the images of this rank count.
    pub fn counts(&self) -> bool {
        match self.0 {}
    }

    /// Each rank's share of the batch.
    pub fn weights(&self) -> std::iter::Empty<f64> {
        match self.0 {}
    }

    /// Mean and biased variance of each channel over the batch.
    pub fn merge(&self, _: &[f32], _: &[f32]) -> (Vec<f32>, Vec<f32>) {
        match self.0 {}
    }

    /// Sums of each channel over the batch.
    pub fn sum(&self, _: &mut [Vec<f64>; 2]) {
        match self.0 {}
    }
}
