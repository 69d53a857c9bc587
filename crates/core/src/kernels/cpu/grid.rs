//! The packed image: how a convolution sees its input.
//!
//! Every image row is followed by a zero and every image by a row of zeros, so the value at a tap
//! `(dy, dx)` of position `p` is always at `p + dy * stride + dx`: the zero after a row is at once the
//! right border of that row and the left border of the next. The batch is then one long list of rows,
//! cut into items of about a thousand positions: a few rows of a large image or several small images.
//! The cut depends on the shape alone, never on the number of threads.
//!
//! Rows of 1, 2, 4 or 8 pixels do not fill a register of [`MAX_LANES`]. There, several images are
//! interleaved: the "pixel" of a row is that pixel of each of them. Rows that fill registers are
//! *dense*: results and output gradients are stored without the zeros. Rows that do not (an odd width,
//! a single small image) are computed with their zeros.

use super::simd::MAX_LANES;

/// Positions of one item, unless the whole batch is small.
const ITEM_POSITIONS: usize = 1024;
/// Items into which a small batch is cut, so that every core gets work, unless [`Grid::coarse`].
const MIN_ITEMS: usize = 8;
/// Below this an item costs more to pack than it gains in parallelism.
const MIN_POSITIONS: usize = 192;

/// The rows of a batch of images of one channel.
#[derive(Clone, Copy)]
pub struct Grid {
    pub images: usize,
    /// Height and width as the kernels address them: without borders, an image may be one row.
    pub height: usize,
    pub width: usize,
    /// Zero pixels and rows after each row and image: 1 for 3x3, 0 for 1x1.
    pub border: usize,
    /// Images whose pixels alternate.
    pub interleaved: usize,
    positions: usize,
    min_items: usize,
}

/// The memory layout of a packed item: row `r` starts at `r * pitch`, position 0 at `origin` after it.
#[derive(Clone, Copy)]
pub struct Packed {
    pub pitch: usize,
    pub origin: usize,
}

/// Some consecutive grid rows.
#[derive(Clone, Copy)]
pub struct Item {
    pub start: usize,
    pub rows: usize,
}

/// An image row and where it is in dense storage.
pub struct DenseRow {
    /// First of the interleaved images.
    pub image: usize,
    pub y: usize,
    pub at: usize,
}

impl Grid {
    pub fn new(images: usize, height: usize, width: usize, border: usize) -> Self {
        // Without borders the rows of an image are one row.
        let (height, width) = if border == 0 && height * width <= ITEM_POSITIONS {
            (1, height * width)
        } else {
            (height, width)
        };
        let interleaved = match MAX_LANES / width.max(1) {
            fit if border > 0 && width * fit == MAX_LANES && images >= fit => fit,
            _ => 1,
        };
        Self {
            images,
            height,
            width,
            border,
            interleaved,
            positions: ITEM_POSITIONS,
            min_items: MIN_ITEMS,
        }
    }

    /// The same grid in items as long as possible.
    pub fn coarse(self) -> Self {
        Self {
            min_items: 1,
            ..self
        }
    }

    /// The same grid in items of at most so many positions, where a row is not longer.
    pub fn in_items_of(self, positions: usize) -> Self {
        Self { positions, ..self }
    }

    /// The same images one after another without borders, in one item; `None` where rows fill registers with their borders,
    /// or there are many images.
    pub fn without_borders(self) -> Option<Self> {
        let small = self.images * self.height * self.width <= MIN_POSITIONS;
        (self.border == 1 && self.interleaved == 1 && small && !self.is_dense()).then_some(Self {
            border: 0,
            min_items: 1,
            positions: MIN_POSITIONS,
            ..self
        })
    }

    /// Distance from a pixel to its right neighbour.
    pub fn step(&self) -> usize {
        self.interleaved
    }

    /// Distance from a pixel to its lower neighbour.
    pub fn stride(&self) -> usize {
        (self.width + self.border) * self.interleaved
    }

    fn is_dense(&self) -> bool {
        (self.width * self.interleaved).is_multiple_of(MAX_LANES)
    }

    /// Length of a row in dense storage.
    fn dense_stride(&self) -> usize {
        if self.is_dense() {
            self.width * self.interleaved
        } else {
            self.stride()
        }
    }

    fn rows_per_image(&self) -> usize {
        self.height + self.border
    }

    fn total_rows(&self) -> usize {
        self.images.div_ceil(self.interleaved) * self.rows_per_image()
    }

    fn item_rows(&self) -> usize {
        let total = self.total_rows() * self.stride();
        let positions = self
            .positions
            .min((total / self.min_items).max(MIN_POSITIONS));
        let rows = positions / self.stride().max(1);
        rows.min(self.total_rows()).max(1)
    }

    pub fn items(&self) -> usize {
        self.total_rows().div_ceil(self.item_rows())
    }

    pub fn item(&self, index: usize) -> Item {
        let start = index * self.item_rows();
        let rows = self.item_rows().min(self.total_rows() - start);
        Item { start, rows }
    }

    /// Layout of a packed item, with room to read a register past its end.
    pub fn packed(&self) -> Packed {
        let reach = self.border * (self.stride() + self.step());
        let origin = reach.next_multiple_of(MAX_LANES);
        let positions = self.item_rows() * self.stride();
        Packed {
            pitch: odd_lines(origin + positions + MAX_LANES + reach),
            origin,
        }
    }

    /// Length of the dense storage of an item, with room for `spare` values more.
    pub fn dense_pitch(&self, spare: usize) -> usize {
        odd_lines(self.item_rows() * self.dense_stride() + spare)
    }

    /// The first image and the y of a grid row; `None` for a row of zeros.
    pub fn image_row(&self, row: isize) -> Option<(usize, usize)> {
        let row = usize::try_from(row)
            .ok()
            .filter(|&r| r < self.total_rows())?;
        let (group, y) = (row / self.rows_per_image(), row % self.rows_per_image());
        (y < self.height).then_some((group * self.interleaved, y))
    }

    /// The image rows of an item.
    pub fn dense_rows(&self, item: Item) -> impl Iterator<Item = DenseRow> + '_ {
        let mut next = 0;
        (item.start..item.start + item.rows).filter_map(move |row| {
            let at = next;
            let found = self.image_row(row as isize);
            if found.is_some() || !self.is_dense() {
                next += self.dense_stride();
            }
            found.map(|(image, y)| DenseRow { image, y, at })
        })
    }

    /// The position in the packed image of each register of the dense storage.
    pub fn starts(&self, item: Item, lanes: usize, starts: &mut Vec<usize>) {
        starts.clear();
        let is_image = |&row: &usize| self.image_row((item.start + row) as isize).is_some();
        let mut rows = (0..item.rows).filter(is_image);
        if self.is_dense() {
            for row in rows {
                let at = row * self.stride();
                starts.extend((at..at + self.dense_stride()).step_by(lanes));
            }
        } else if let Some(last) = rows.next_back() {
            // up to the last pixel, without the zeros after it
            let end = last * self.stride() + self.width * self.interleaved;
            starts.extend((0..end).step_by(lanes));
        }
    }

    /// The values of image `image + i` in dense rows, one by one to `put(value, values)` with the place that each goes to.
    #[inline(always)]
    pub fn dense_values<T, const N: usize>(
        &self,
        rows: [&[f32]; N],
        i: usize,
        places: &mut [T],
        mut put: impl FnMut(&mut T, [f32; N]),
    ) {
        let places = &mut places[..self.width];
        // slices of one length, which the compiler vectorises without the step
        let step = self.interleaved;
        if step == 1 {
            let mut from = [&[][..]; N];
            for (from, row) in from.iter_mut().zip(rows) {
                *from = &row[..self.width];
            }
            for (x, place) in places.iter_mut().enumerate() {
                let mut values = [0.0; N];
                for (value, from) in values.iter_mut().zip(from) {
                    *value = from[x];
                }
                put(place, values);
            }
        } else {
            for (x, place) in places.iter_mut().enumerate() {
                let mut values = [0.0; N];
                for (value, row) in values.iter_mut().zip(rows) {
                    *value = row[i + x * step];
                }
                put(place, values);
            }
        }
    }

    /// The images of a dense row: `image` and those interleaved with it.
    pub fn dense_images(&self, image: usize) -> core::ops::Range<usize> {
        image..(image + self.interleaved).min(self.images)
    }
}

/// Round a row length up to an odd number of cache lines, so that the rows of many channels do not
/// compete for the same cache sets.
fn odd_lines(len: usize) -> usize {
    (len.div_ceil(16) | 1) * 16
}
