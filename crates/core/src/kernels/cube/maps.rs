//! Feature maps in memory: the values of `[n, c, h, w]` in that order, or with the channels last, as convolutions leave
//! them. Kernels take the strides, so that neither is copied.

use burn::backend::TensorMetadata;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::permute_nhwc_to_nchw;
use burn_cubecl::tensor::CubeTensor;

/// The size of a map, and the steps from an image, a channel and a position to the next.
#[derive(CubeType, CubeLaunch, Clone)]
pub struct Layout {
    pub images: u32,
    pub channels: u32,
    pub area: u32,
    per_image: u32,
    per_channel: u32,
    per_position: u32,
}

#[cube]
impl Layout {
    /// Where the value of an image, a channel and a position is.
    pub fn at(&self, image: u32, channel: u32, position: u32) -> usize {
        let at = image * self.per_image + channel * self.per_channel + position * self.per_position;
        at as usize
    }

    /// The image of the value at a place in memory.
    pub fn image(&self, at: u32) -> u32 {
        at / self.per_image
    }

    /// Its channel.
    pub fn channel(&self, at: u32) -> u32 {
        at / self.per_channel % self.channels
    }

    /// Its position.
    pub fn position(&self, at: u32) -> u32 {
        at / self.per_position % self.area
    }
}

/// A map whose values are without gaps in one of the two orders.
#[derive(Clone)]
pub struct Map {
    pub tensor: CubeTensor,
    pub images: usize,
    pub channels: usize,
    pub area: usize,
    channels_last: bool,
}

impl Map {
    /// A tensor `[n, c, h, w]`; copied if its values are in another order.
    pub fn new(tensor: CubeTensor) -> Self {
        let [images, channels, h, w] = tensor.shape().dims();
        let area = h * w;
        let last = [area * channels, 1, w * channels, channels];
        let strides = tensor.meta.strides();
        let dims = [images, channels, h, w];
        let channels_last = (0..4).all(|d| dims[d] == 1 || strides[d] == last[d]);
        let tensor = match channels_last {
            true => tensor,
            false => into_contiguous(tensor),
        };
        Self {
            tensor,
            images,
            channels,
            area,
            channels_last,
        }
    }

    /// Height and width.
    pub fn sides(&self) -> [usize; 2] {
        let [_, _, h, w] = self.tensor.shape().dims();
        [h, w]
    }

    /// A map of the same size and order, to be written.
    pub fn empty_like(&self) -> Self {
        self.resized(self.sides())
    }

    /// A map of another height and width in the same order, to be written.
    pub fn resized(&self, [h, w]: [usize; 2]) -> Self {
        let (n, c) = (self.images, self.channels);
        let tensor = match self.channels_last {
            // made with the channels last, and seen as others are
            true => permute_nhwc_to_nchw(super::empty(&self.tensor, [n, h, w, c])),
            false => super::empty(&self.tensor, [n, c, h, w]),
        };
        Self {
            tensor,
            area: h * w,
            ..self.clone()
        }
    }

    /// The argument of a kernel.
    pub fn layout(&self) -> LayoutLaunch {
        let [images, channels, area] = [self.images, self.channels, self.area].map(|n| n as u32);
        let [per_channel, per_position] = match self.channels_last {
            true => [1, channels],
            false => [area, 1],
        };
        let per_image = channels * area;
        LayoutLaunch::new(images, channels, area, per_image, per_channel, per_position)
    }

    /// The argument of a kernel.
    pub fn values(&self) -> BufferArg {
        self.tensor.clone().into_buffer_arg()
    }
}
