//! Convolutions against Burn's.

use burn::tensor::module::conv2d as burn_conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor};

use super::resample::{reference_pool, reference_upsample};
use super::*;

fn reference_conv(x: Tensor<4>, weight: Tensor<4>, bias: Tensor<1>) -> Tensor<4> {
    let padding = weight.dims()[2] / 2;
    let options = ConvOptions::new([1, 1], [padding, padding], [1, 1], 1);
    burn_conv2d(x, weight, Some(bias), options)
}

#[test]
fn conv2d_matches_burn() {
    for [n, i, o, h, w] in SHAPES {
        for kernel in [1, 3] {
            let parts = |t: &[Tensor<1>]| {
                let x: Tensor<4> = t[0].clone().reshape([n, i, h, w]);
                let weight: Tensor<4> = t[1].clone().reshape([o, i, kernel, kernel]);
                (x, weight, t[2].clone())
            };
            check(
                &format!("conv2d {kernel} {:?}", [n, i, o, h, w]),
                &|t| {
                    let (x, weight, bias) = parts(t);
                    conv2d(x, weight, Some(bias), kernel / 2)
                },
                &|t| {
                    let (x, weight, bias) = parts(t);
                    reference_conv(x, weight, bias)
                },
                &[n * i * h * w, o * i * kernel * kernel, o],
            );
        }
    }
}

#[test]
fn conv_with_resampling_matches_burn() {
    for [n, i, o, h, w] in SHAPES {
        let parts = |t: &[Tensor<1>], scale: usize| {
            let x: Tensor<4> = t[0].clone().reshape([n, i, scale * h, scale * w]);
            let weight: Tensor<4> = t[1].clone().reshape([o, i, 3, 3]);
            (x, weight, t[2].clone())
        };
        check(
            &format!("conv3x3_after_upsample {:?}", [n, i, o, h, w]),
            &|t| {
                let (x, weight, bias) = parts(t, 1);
                conv3x3_after_upsample(x, weight, Some(bias))
            },
            &|t| {
                let (x, weight, bias) = parts(t, 1);
                reference_conv(reference_upsample(x), weight, bias)
            },
            &[n * i * h * w, o * i * 9, o],
        );
        check(
            &format!("conv3x3_then_pool {:?}", [n, i, o, h, w]),
            &|t| {
                let (x, weight, bias) = parts(t, 2);
                conv3x3_then_pool(x, weight, Some(bias))
            },
            &|t| {
                let (x, weight, bias) = parts(t, 2);
                reference_pool(reference_conv(x, weight, bias))
            },
            &[4 * n * i * h * w, o * i * 9, o],
        );
    }
}

#[test]
fn untracked_inputs_get_no_gradient() {
    let device = Device::flex().autodiff();
    let x = Tensor::<4>::ones([2, 3, 4, 4], &device);
    let weight = Tensor::<4>::ones([5, 3, 3, 3], &device);
    let grads = conv2d(x.clone(), weight.clone().require_grad(), None, 1)
        .sum()
        .backward();
    assert!(x.grad(&grads).is_none());
    let tracked = x.require_grad();
    let grads = conv2d(tracked.clone(), weight.clone(), None, 1)
        .sum()
        .backward();
    assert!(weight.grad(&grads).is_none());
    // An inner pixel sees all 9 taps of 5 outputs.
    let dx = vector(tracked.grad(&grads).expect("a gradient for x"));
    assert_eq!(dx[5], 45.0);
}
