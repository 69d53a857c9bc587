//! Tensors that are written into the storage described by [`super::grid`].

/// A tensor `[images, channels, height, width]` on a grid. With `halved`, the tensor is
/// `[images, channels, 2 height, 2 width]` and each channel is four rows of the packed image, one for
/// each parity `(y % 2, x % 2)`.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    pub values: &'a [f32],
    pub channels: usize,
    pub halved: bool,
    /// What the values go through while they are packed.
    pub norm: Option<Norm<'a>>,
}

/// `relu(x * scale + shift)`: `[images, 2, channels]`, of each image its scales and then its shifts.
#[derive(Clone, Copy)]
pub struct Norm<'a>(pub &'a [f32]);

impl<'a> Source<'a> {
    /// A tensor of the grid's own resolution.
    pub fn whole(values: &'a [f32], channels: usize) -> Self {
        Self {
            values,
            channels,
            halved: false,
            norm: None,
        }
    }

    /// A tensor of twice the grid's resolution.
    pub fn halved(values: &'a [f32], channels: usize) -> Self {
        Self {
            halved: true,
            ..Self::whole(values, channels)
        }
    }

    /// The tensor after a normalisation.
    pub fn normed(self, norm: Option<Norm<'a>>) -> Self {
        Self { norm, ..self }
    }

    /// Rows of the packed image of a channel.
    pub fn parities(&self) -> usize {
        if self.halved { 4 } else { 1 }
    }

    /// Rows of the packed image.
    pub fn rows(&self) -> usize {
        self.channels * self.parities()
    }
}
