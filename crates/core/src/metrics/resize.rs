//! Pictures resized to the input of a feature network.

use burn::tensor::{Device, Tensor, TensorData};

/// Bilinear resizing to a square without antialiasing, corners not aligned: PyTorch's
/// `interpolate(mode="bilinear", align_corners=False)`, which pytorch-fid uses (`inception.py`,
/// `InceptionV3.forward`). A result pixel at `i` is read at `(i + 1/2) from / to - 1/2`, clamped at 0.
///
/// clean-fid (Parmar, Zhang and Zhu 2022) uses PIL's bicubic with antialiasing instead, so scores differ
/// for pictures larger than the network's input; smaller pictures are only enlarged by both.
///
/// # Shapes
/// - images: `[n, c, h, w]`
/// - returns `[n, c, side, side]`
pub fn bilinear(images: Tensor<4>, side: usize) -> Tensor<4> {
    let [n, c, h, w] = images.dims();
    let device = images.device();
    // one matrix product per direction: within rows, then within columns
    let columns = taps(w, side, &device).transpose(); // [w, side]
    let wide = images.reshape([n * c * h, w]).matmul(columns); // [n c h, side]
    let turned = wide.reshape([n * c, h, side]).swap_dims(1, 2); // [n c, side, h]
    let rows = taps(h, side, &device).transpose(); // [h, side]
    let tall = turned.reshape([n * c * side, h]).matmul(rows); // [n c side, side]
    let tall = tall.reshape([n * c, side, side]).swap_dims(1, 2);
    tall.reshape([n, c, side, side])
}

/// The matrix `[to, from]` that resizes a line.
fn taps(from: usize, to: usize, device: &Device) -> Tensor<2> {
    let mut values = vec![0.0f32; to * from];
    let scale = from as f64 / to as f64;
    for (index, row) in values.chunks_exact_mut(from).enumerate() {
        let at = ((index as f64 + 0.5) * scale - 0.5).max(0.0);
        let low = (at as usize).min(from - 1);
        let share = at - low as f64;
        row[low] += (1.0 - share) as f32;
        row[(low + 1).min(from - 1)] += share as f32;
    }
    Tensor::from_data(TensorData::new(values, [to, from]), device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_stays_a_ramp_between_the_middles_of_its_ends() {
        let device = Device::flex();
        let ramp =
            Tensor::<4>::from_data(TensorData::new(vec![0.0f32, 4.0], [1, 1, 1, 2]), &device);
        let values: Vec<f32> = bilinear(ramp, 4).into_data().try_to_vec().unwrap();
        // positions -1/4 (cut), 1/4, 3/4, 5/4 (cut); the one row four times
        assert_eq!(values, [0.0, 1.0, 3.0, 4.0].repeat(4));
    }

    #[test]
    fn the_same_size_is_the_same_picture() {
        let device = Device::flex();
        let values: Vec<f32> = (0..18).map(|i| (i * 5 % 7) as f32).collect();
        let images = Tensor::<4>::from_data(TensorData::new(values.clone(), [1, 2, 3, 3]), &device);
        let same: Vec<f32> = bilinear(images, 3).into_data().try_to_vec().unwrap();
        assert_eq!(same, values);
    }
}
