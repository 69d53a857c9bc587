//! Upsampling and pooling against Burn's.

use burn::tensor::module::{avg_pool2d, max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions};
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
        // rounded, so that there are equal values; what is rounded has no gradient
        let halves = |t: &[Tensor<1>]| -> Tensor<4> {
            let x = t[0].clone();
            let rounded = ((x.clone() * 2.0).round() * 0.5).detach();
            (x.clone() - x.detach() + rounded).reshape([n, c, 2 * h, 2 * w])
        };
        check(
            &format!("max_pool_2x2 {:?}", [n, c, h, w]),
            &|t| max_pool_2x2(halves(t)),
            &|t| max_pool2d(halves(t), MaxPoolOptions::new([2, 2])),
            &[n * c * 4 * h * w],
        );
    }
}

#[test]
fn the_maximum_of_a_nan_is_a_nan() {
    for place in 0..4 {
        let mut values = [1.0, 2.0, 3.0, -1.0];
        values[place] = f32::NAN;
        let x = Tensor::<1>::from_floats(values, &Device::flex()).reshape([1, 1, 2, 2]);
        assert!(vector(max_pool_2x2(x))[0].is_nan());
    }
}

#[test]
#[should_panic(expected = "even height and width, not 3x4")]
fn odd_height_cannot_be_pooled() {
    let _ = avg_pool_2x2(Tensor::zeros([1, 1, 3, 4], &Device::flex()));
}
