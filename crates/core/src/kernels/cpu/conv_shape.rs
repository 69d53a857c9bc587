//! The shape of a convolution, its grid and its taps.

use super::grid::Grid;
use super::taps::Tap;

/// Shape of a convolution: `x: [images, inputs, h, w]`, `weight: [outputs, inputs, kernel, kernel]`.
#[derive(Debug, Clone, Copy)]
pub struct ConvShape {
    pub images: usize,
    pub inputs: usize,
    pub outputs: usize,
    pub height: usize,
    pub width: usize,
    /// 1 or 3
    pub kernel: usize,
}

impl ConvShape {
    pub fn grid(&self) -> Grid {
        Grid::new(self.images, self.height, self.width, self.kernel / 2)
    }

    /// The convolution that carries the output gradient back to the input.
    pub fn transposed(&self) -> Self {
        Self {
            inputs: self.outputs,
            outputs: self.inputs,
            ..*self
        }
    }

    /// One tap for each `(input, ky, kx)`, in the order of the weight.
    pub fn taps(&self) -> Vec<Tap> {
        let reach = (self.kernel / 2) as isize;
        let mut taps = Vec::with_capacity(self.inputs * self.kernel * self.kernel);
        for row in 0..self.inputs {
            for dy in -reach..=reach {
                for dx in -reach..=reach {
                    taps.push(Tap { row, dy, dx });
                }
            }
        }
        taps
    }
}
