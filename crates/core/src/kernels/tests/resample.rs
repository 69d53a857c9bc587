//! Upsampling and pooling against Burn's.

use burn::tensor::module::avg_pool2d;
use burn::tensor::ops::AvgPoolOptions;
use burn::tensor::{Device, Tensor};

use super::*;

pub fn reference_upsample(x: Tensor<4>) -> Tensor<4> {
    let [n, c, h, w] = x.dims();
    let x: Tensor<6> = x.reshape([n, c, h, 1, w, 1]);
    x.repeat(&[1, 1, 1, 2, 1, 2]).reshape([n, c, 2 * h, 2 * w])
}

pub fn reference_pool(x: Tensor<4>) -> Tensor<4> {
    avg_pool2d(x, AvgPoolOptions::new([2, 2]))
}

#[test]
fn resampling_matches_burn() {
    for [n, _, c, h, w] in SHAPES {
        check(
            &format!("upsample_nearest_2x {:?}", [n, c, h, w]),
            &|t| upsample_nearest_2x(t[0].clone().reshape([n, c, h, w])),
            &|t| reference_upsample(t[0].clone().reshape([n, c, h, w])),
            &[n * c * h * w],
        );
        check(
            &format!("avg_pool_2x2 {:?}", [n, c, h, w]),
            &|t| avg_pool_2x2(t[0].clone().reshape([n, c, 2 * h, 2 * w])),
            &|t| reference_pool(t[0].clone().reshape([n, c, 2 * h, 2 * w])),
            &[n * c * 4 * h * w],
        );
    }
}

#[test]
#[should_panic(expected = "even height and width, not 3x4")]
fn odd_height_cannot_be_pooled() {
    let _ = avg_pool_2x2(Tensor::zeros([1, 1, 3, 4], &Device::flex()));
}
