//! Changes of resolution by a factor of two.

use burn::tensor::Tensor;

/// Nearest-neighbour upsampling: every value becomes a 2x2 square.
///
/// # Shapes
/// - x: `[n, c, h, w]`
/// - returns `[n, c, 2 h, 2 w]`
pub fn upsample_nearest_2x(x: Tensor<4>) -> Tensor<4> {
    let [n, c, h, w] = x.dims();
    x.reshape([n, c, h, 1, w, 1])
        .expand([n, c, h, 2, w, 2])
        .reshape([n, c, 2 * h, 2 * w])
}

/// Mean of every 2x2 square.
///
/// # Shapes
/// - x: `[n, c, h, w]` with even h and w
/// - returns `[n, c, h / 2, w / 2]`
pub fn avg_pool_2x2(x: Tensor<4>) -> Tensor<4> {
    let [n, c, h, w] = x.dims();
    x.reshape([n * c * h, w / 2, 2])
        .mean_dim(2) // [n c h, w / 2, 1]
        .reshape([n * c * h / 2, 2, w / 2])
        .mean_dim(1) // [n c h / 2, 1, w / 2]
        .reshape([n, c, h / 2, w / 2])
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    #[test]
    fn up_then_down_is_the_identity() {
        let device = Device::flex();
        let values: Vec<f32> = (0..24).map(|i| i as f32).collect();
        let x = Tensor::<4>::from_data(TensorData::new(values.clone(), [2, 2, 2, 3]), &device);
        let up = upsample_nearest_2x(x);
        assert_eq!(up.dims(), [2, 2, 4, 6]);
        let first: Vec<f32> = up.clone().into_data().try_to_vec().unwrap()[..12].to_vec();
        assert_eq!(first, [0., 0., 1., 1., 2., 2., 0., 0., 1., 1., 2., 2.]);
        let down: Vec<f32> = avg_pool_2x2(up).into_data().try_to_vec().unwrap();
        assert_eq!(down, values);
    }
}
