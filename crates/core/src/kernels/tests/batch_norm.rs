//! Batch normalisation and the affine map against Burn's operations.

use burn::tensor::{Device, Tensor, activation};

use super::*;

/// Batch normalisation as written in [`batch_norm_train`].
fn reference_batch_norm(x: Tensor<4>, gain: Tensor<2>, bias: Tensor<2>, relu: bool) -> Tensor<4> {
    let centred = x.clone() - x.mean_dims(&[0, 2, 3]);
    let var = centred.clone().square().mean_dims(&[0, 2, 3]);
    reference_scale_shift(centred / (var + 1e-5).sqrt(), gain, bias, relu)
}

fn reference_scale_shift(
    x: Tensor<4>,
    scale: Tensor<2>,
    shift: Tensor<2>,
    relu: bool,
) -> Tensor<4> {
    let [rows, channels] = scale.dims();
    let wide = [rows, channels, 1, 1];
    let y = x * scale.reshape(wide) + shift.reshape(wide);
    if relu { activation::relu(y) } else { y }
}

#[test]
fn batch_norm_and_scale_shift_match_burn() {
    for [n, _, c, h, w] in SHAPES {
        if n * h * w == 1 {
            continue; // the variance of one value is zero
        }
        for (rows, relu) in [(n, true), (1, true), (n, false)] {
            let parts = |t: &[Tensor<1>]| {
                let x: Tensor<4> = t[0].clone().reshape([n, c, h, w]);
                (
                    x,
                    t[1].clone().reshape([rows, c]),
                    t[2].clone().reshape([rows, c]),
                )
            };
            let lens = [n * c * h * w, rows * c, rows * c];
            check(
                &format!("batch_norm_train {:?} {rows} {relu}", [n, c, h, w]),
                &|t| {
                    let (x, gain, bias) = parts(t);
                    batch_norm_train(x, gain, bias, 1e-5, relu, None).0
                },
                &|t| {
                    let (x, gain, bias) = parts(t);
                    reference_batch_norm(x, gain, bias, relu)
                },
                &lens,
            );
            check(
                &format!("scale_shift_relu {:?} {rows} {relu}", [n, c, h, w]),
                &|t| {
                    let (x, scale, shift) = parts(t);
                    scale_shift_relu(x, scale, shift, relu)
                },
                &|t| {
                    let (x, scale, shift) = parts(t);
                    reference_scale_shift(x, scale, shift, relu)
                },
                &lens,
            );
        }
    }
}

#[test]
fn batch_statistics_survive_a_large_mean() {
    let x: Vec<f32> = values(4 * 2 * 33 * 33, 5)
        .iter()
        .map(|v| 1000.0 + v)
        .collect();
    let exact = |channel: usize| {
        let of_channel = || x.chunks_exact(33 * 33).skip(channel).step_by(2).flatten();
        let count = of_channel().count() as f64;
        let mean = of_channel().map(|&v| f64::from(v)).sum::<f64>() / count;
        let var = of_channel()
            .map(|&v| (f64::from(v) - mean).powi(2))
            .sum::<f64>()
            / count;
        (mean, var)
    };
    let device = Device::flex();
    let table = Tensor::<2>::ones([1, 2], &device);
    let tensor = Tensor::<1>::from_floats(x.as_slice(), &device).reshape([4, 2, 33, 33]);
    let (_, mean, var) = batch_norm_train(tensor, table.clone(), table, 1e-5, false, None);
    let (mean, var) = (vector(mean), vector(var));
    for channel in 0..2 {
        let (exact_mean, exact_var) = exact(channel);
        assert!(
            (f64::from(mean[channel]) - exact_mean).abs() < 1e-4,
            "{mean:?}"
        );
        assert!(
            (f64::from(var[channel]) / exact_var - 1.0).abs() < 1e-4,
            "{var:?}"
        );
    }
}
