//! Images as planes `(n, c)`, and sums over them.
//!
//! All sums over positions are computed per plane, in f32 within blocks of [`BLOCK`] and in f64 across
//! blocks, and planes are combined in the order of `n`.

use super::parallel::{Output, for_each_plane};

/// Values summed in f32.
pub const BLOCK: usize = 512;
/// Independent partial sums, for the vector unit.
const LANES: usize = 16;

/// Shape `[images, channels, height * width]`.
#[derive(Clone, Copy)]
pub struct PlaneShape {
    pub images: usize,
    pub channels: usize,
    pub area: usize,
}

impl PlaneShape {
    pub fn planes(&self) -> usize {
        self.images * self.channels
    }

    /// Index in a table `[images, channels]` or, shared by the images, `[1, channels]`.
    pub fn entry(&self, table: &[f32], plane: usize) -> usize {
        if table.len() == self.channels {
            plane % self.channels
        } else {
            plane
        }
    }

    pub fn plane<'a>(&self, values: &'a [f32], plane: usize) -> &'a [f32] {
        &values[plane * self.area..][..self.area]
    }

    /// Sum a table `[images, channels]` to the length of `like`.
    pub fn reduce(&self, table: Vec<f32>, like: &[f32]) -> Vec<f32> {
        if like.len() == table.len() {
            return table;
        }
        self.sum_images(&table)
            .iter()
            .map(|&sum| sum as f32)
            .collect()
    }

    pub fn sum_images(&self, table: &[f32]) -> Vec<f64> {
        let mut sums = vec![0.0; self.channels];
        for row in table.chunks_exact(self.channels.max(1)) {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += f64::from(value);
            }
        }
        sums
    }
}

/// `sum_i f(a[i], b[i])` for two quantities at once.
#[inline(always)]
pub fn sum_pairs(a: &[f32], b: &[f32], f: impl Fn(f32, f32) -> [f32; 2]) -> [f64; 2] {
    let mut total = [0.0; 2];
    for (a, b) in a.chunks(BLOCK).zip(b.chunks(BLOCK)) {
        let mut sums = [[0.0f32; LANES]; 2];
        let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
        for (a, b) in a.iter().zip(b) {
            for i in 0..LANES {
                let [first, second] = f(a[i], b[i]);
                sums[0][i] += first;
                sums[1][i] += second;
            }
        }
        for (i, (&a, &b)) in a_rest.iter().zip(b_rest).enumerate() {
            let [first, second] = f(a, b);
            sums[0][i] += first;
            sums[1][i] += second;
        }
        for (total, sums) in total.iter_mut().zip(sums) {
            *total += f64::from(sums.iter().sum::<f32>());
        }
    }
    total
}

/// Sum of each channel over images and positions: the gradient of a convolution's bias.
pub fn channel_sums(shape: PlaneShape, x: &[f32]) -> Vec<f32> {
    let sums = Output::new(shape.planes());
    for_each_plane(shape.planes(), shape.area, |plane| {
        let values = shape.plane(x, plane);
        let [sum, _] = sum_pairs(values, values, |v, _| [v, 0.0]);
        // SAFETY: one entry a plane.
        unsafe { sums.slice(plane, 1)[0] = sum as f32 };
    });
    // SAFETY: every plane is written.
    let sums = unsafe { sums.finish() };
    shape
        .sum_images(&sums)
        .iter()
        .map(|&sum| sum as f32)
        .collect()
}
