//! Times the fused kernels against Burn's own operations on `flex`, and the fused resampling
//! convolutions against the separate kernels: medians of 9 alternating runs.
//!
//! `cargo run -p biggan-tests --bin kernels`

use std::time::Instant;

use biggan::kernels::{
    attention, avg_pool_2x2, batch_norm_train, conv2d, conv3x3_after_upsample, conv3x3_then_pool,
    max_pool_2x2, scale_shift_relu, upsample_nearest_2x,
};
use burn::tensor::module::{avg_pool2d, conv2d as burn_conv2d, max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, ConvOptions, MaxPoolOptions};
use burn::tensor::{Device, Distribution, Tensor, activation};

const REPEATS: usize = 9;

type Operation<'a> = &'a dyn Fn(&[Tensor<4>]) -> Tensor<4>;

fn milliseconds(operation: Operation, inputs: &[Tensor<4>], backward: bool) -> f64 {
    let start = Instant::now();
    let y = operation(inputs);
    if backward {
        let grads = y.backward();
        std::hint::black_box(&grads);
    } else {
        std::hint::black_box(&y);
    }
    start.elapsed().as_secs_f64() * 1e3
}

/// Prints the medians of the reference and of ours, forward and forward + backward.
fn compare(name: &str, reference: Operation, ours: Operation, shapes: &[[usize; 4]]) {
    print!("{name:<44}");
    for backward in [false, true] {
        let device = if backward {
            Device::flex().autodiff()
        } else {
            Device::flex()
        };
        let inputs: Vec<Tensor<4>> = shapes
            .iter()
            .map(|&shape| {
                let x = Tensor::random(shape, Distribution::Normal(0.0, 1.0), &device);
                if backward { x.require_grad() } else { x }
            })
            .collect();
        let mut times = [Vec::new(), Vec::new()];
        for repeat in 0..=REPEATS {
            for (times, operation) in times.iter_mut().zip([reference, ours]) {
                let time = milliseconds(operation, &inputs, backward);
                if repeat > 0 {
                    times.push(time);
                }
            }
        }
        let [reference, ours] = times.map(|mut times| {
            times.sort_by(f64::total_cmp);
            times[REPEATS / 2]
        });
        print!(" |{reference:>9.2}{ours:>9.2}{:>7.2}x", reference / ours);
    }
    println!();
}

fn plain_conv(t: &[Tensor<4>]) -> Tensor<4> {
    let padding = t[1].dims()[2] / 2;
    let options = ConvOptions::new([1, 1], [padding, padding], [1, 1], 1);
    let bias = t[2].clone().reshape([-1]);
    burn_conv2d(t[0].clone(), t[1].clone(), Some(bias), options)
}

fn our_conv(t: &[Tensor<4>]) -> Tensor<4> {
    let padding = t[1].dims()[2] / 2;
    conv2d(
        t[0].clone(),
        t[1].clone(),
        Some(t[2].clone().reshape([-1])),
        padding,
    )
}

fn plain_batch_norm(t: &[Tensor<4>]) -> Tensor<4> {
    let x = t[0].clone();
    let centred = x.clone() - x.mean_dims(&[0, 2, 3]);
    let var = centred.clone().square().mean_dims(&[0, 2, 3]);
    activation::relu(centred / (var + 1e-5).sqrt() * t[1].clone() + t[2].clone())
}

fn table(t: &Tensor<4>) -> Tensor<2> {
    let [n, c, _, _] = t.dims();
    t.clone().reshape([n, c])
}

fn plain_upsample(x: &Tensor<4>) -> Tensor<4> {
    let [n, c, h, w] = x.dims();
    let x: Tensor<6> = x.clone().reshape([n, c, h, 1, w, 1]);
    x.expand([n, c, h, 2, w, 2]).reshape([n, c, 2 * h, 2 * w])
}

/// Queries, keys and values `[n, channels, positions]`.
fn flat(t: &[Tensor<4>]) -> [Tensor<3>; 3] {
    [0, 1, 2].map(|i| {
        let [n, c, h, w] = t[i].dims();
        t[i].clone().reshape([n, c, h * w])
    })
}

fn plain_attention(t: &[Tensor<4>]) -> Tensor<4> {
    let [theta, phi, g] = flat(t);
    let weights = activation::softmax(theta.transpose().matmul(phi), 2);
    unflat(g.matmul(weights.transpose()), t)
}

fn our_attention(t: &[Tensor<4>]) -> Tensor<4> {
    let [theta, phi, g] = flat(t);
    unflat(attention(theta, phi, g), t)
}

fn unflat(y: Tensor<3>, t: &[Tensor<4>]) -> Tensor<4> {
    let [_, _, h, w] = t[0].dims();
    let [n, c, _] = y.dims();
    y.reshape([n, c, h, w])
}

fn main() {
    println!(
        "{:<44} |{:^26} |{:^26}",
        "kernel: inputs, outputs, resolution, images",
        "forward: burn ours [ms]",
        "with backward: burn ours"
    );
    for (i, o, r, n) in [
        (32, 32, 32, 64),
        (32, 32, 16, 64),
        (32, 32, 8, 64),
        (64, 64, 32, 64),
        (3, 32, 32, 64),
        (32, 3, 32, 64),
        (16, 16, 64, 16),
        (128, 128, 4, 64),
        (32, 32, 128, 1),
    ] {
        for kernel in [3, 1] {
            let shapes = [[n, i, r, r], [o, i, kernel, kernel], [1, o, 1, 1]];
            let name = format!("conv2d {kernel}x{kernel} {i}, {o}, {r}, {n}");
            compare(&name, &plain_conv, &our_conv, &shapes);
        }
    }
    for (i, o, r, n) in [
        (32, 32, 16, 64),
        (64, 32, 8, 64),
        (32, 32, 4, 64),
        (16, 16, 32, 16),
    ] {
        let weights = [[o, i, 3, 3], [1, o, 1, 1]];
        let small = [[n, i, r, r], weights[0], weights[1]];
        let large = [[n, i, 2 * r, 2 * r], weights[0], weights[1]];
        let bias = |t: &[Tensor<4>]| Some(t[2].clone().reshape([-1]));
        compare(
            &format!("upsample + conv {i}, {o}, {r}, {n}"),
            &|t| plain_conv(&[plain_upsample(&t[0]), t[1].clone(), t[2].clone()]),
            &|t| conv3x3_after_upsample(t[0].clone(), t[1].clone(), bias(t)),
            &small,
        );
        compare(
            "  against our separate kernels",
            &|t| {
                our_conv(&[
                    upsample_nearest_2x(t[0].clone()),
                    t[1].clone(),
                    t[2].clone(),
                ])
            },
            &|t| conv3x3_after_upsample(t[0].clone(), t[1].clone(), bias(t)),
            &small,
        );
        compare(
            &format!("conv + pool {i}, {o}, {r}, {n}"),
            &|t| avg_pool2d(plain_conv(t), AvgPoolOptions::new([2, 2])),
            &|t| conv3x3_then_pool(t[0].clone(), t[1].clone(), bias(t)),
            &large,
        );
        compare(
            "  against our separate kernels",
            &|t| avg_pool_2x2(our_conv(t)),
            &|t| conv3x3_then_pool(t[0].clone(), t[1].clone(), bias(t)),
            &large,
        );
    }
    // widths 16, 32 and 96 of BigGAN-128, whose attention is at 64, and width 16 of BigGAN-64
    for (c, r, n) in [
        (32, 64, 1),
        (64, 64, 1),
        (192, 64, 1),
        (32, 64, 8),
        (32, 32, 32),
    ] {
        let h = r / 2;
        compare(
            &format!("attention {c}, {r}, {n}"),
            &plain_attention,
            &our_attention,
            &[[n, c / 8, r, r], [n, c / 8, h, h], [n, c / 2, h, h]],
        );
        compare(
            &format!("max_pool_2x2 {}, {r}, {n}", c / 2),
            &|t| max_pool2d(t[0].clone(), MaxPoolOptions::new([2, 2])),
            &|t| max_pool_2x2(t[0].clone()),
            &[[n, c / 2, r, r]],
        );
    }
    for (c, r, n) in [(32, 32, 64), (32, 8, 64), (128, 4, 64), (16, 64, 16)] {
        let shapes = [[n, c, r, r], [n, c, 1, 1], [n, c, 1, 1]];
        compare(
            &format!("batch_norm_train {c}, {r}, {n}"),
            &plain_batch_norm,
            &|t| batch_norm_train(t[0].clone(), table(&t[1]), table(&t[2]), 1e-5, true, None).0,
            &shapes,
        );
        compare(
            &format!("scale_shift_relu {c}, {r}, {n}"),
            &|t| activation::relu(t[0].clone() * t[1].clone() + t[2].clone()),
            &|t| scale_shift_relu(t[0].clone(), table(&t[1]), table(&t[2]), true),
            &shapes,
        );
        compare(
            &format!("upsample_nearest_2x {c}, {r}, {n}"),
            &|t| plain_upsample(&t[0]),
            &|t| upsample_nearest_2x(t[0].clone()),
            &shapes[..1],
        );
        compare(
            &format!("avg_pool_2x2 {c}, {r}, {n}"),
            &|t| avg_pool2d(t[0].clone(), AvgPoolOptions::new([2, 2])),
            &|t| avg_pool_2x2(t[0].clone()),
            &shapes[..1],
        );
    }
}
