//! Sums over ranks against closed forms, batch norm against the whole batch.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::backend::ops::FloatTensorOps;
use burn::tensor::{Device, Tensor, TensorData, read_sync};

use super::super::ops::plain;
use super::*;
use crate::collective::{Share, threads};

const CHANNELS: usize = 3;
const AREA: usize = 4;

#[test]
fn the_gradient_of_a_sum_over_ranks_is_the_sum_of_the_gradients() {
    // y = x_0 + x_1 on both ranks, L = sum_r w_r y: dL/dx_r = w_0 + w_1
    let found = threads::run(2, |group| {
        let device = Device::flex();
        let own = group.rank() as f32;
        let x = Tensor::<1>::from_data([1.0 + own, 10.0], &device)
            .autodiff()
            .require_grad();
        let y = all_reduce_sum(x.clone(), &group);
        let weight = Tensor::<1>::from_data([2.0 + own, 5.0], &device).autodiff();
        let gradients = (y.clone() * weight).sum().backward();
        let vector = |t: Tensor<1>| t.into_data().try_to_vec::<f32>().unwrap();
        (
            vector(y.without_autodiff()),
            vector(x.grad(&gradients).unwrap()),
        )
    });
    assert_eq!(found, vec![(vec![3.0, 20.0], vec![5.0, 10.0]); 2]);
}

/// `(y, dx, dgain, mean, var)` of some images, by the kernel or by Burn's operations.
type Found = [Vec<f32>; 5];

fn batch_norm(images: std::ops::Range<usize>, share: Option<Share>, by_plain: bool) -> Found {
    let n = images.len();
    let all = values(5 * CHANNELS * AREA, 9);
    let counts = share.as_ref().is_none_or(Share::counts);
    // an image that does not count has no gradient either
    let scale = if counts { 1.0 } else { 0.0 };
    let part = |change: &dyn Fn(f32) -> f32| {
        let part = &all[images.start * CHANNELS * AREA..images.end * CHANNELS * AREA];
        let part: Vec<f32> = part.iter().map(|v| change(*v)).collect();
        FlexTensor::from_data(TensorData::new(part, [n, CHANNELS, 2, 2]))
    };
    let (x, dy) = (part(&|v| 50.0 + 3.0 * v), part(&|v| scale * v));
    let row = |values: [f32; CHANNELS]| {
        FlexTensor::from_data(TensorData::new(values.to_vec(), [1, CHANNELS]))
    };
    let (gain, bias) = (row([1.0, 0.5, 2.0]), row([0.0; CHANNELS]));
    let forward = match by_plain {
        true => plain::batch_norm::<Flex>,
        false => <Flex as KernelOps>::batch_norm_relu,
    };
    let (y, mean, var) = forward(
        x.clone(),
        gain.clone(),
        bias.clone(),
        1e-5,
        true,
        share.clone(),
    );
    let backward = match by_plain {
        true => plain::batch_norm_grad::<Flex>,
        false => <Flex as KernelOps>::batch_norm_relu_grad,
    };
    let (dx, dgain, _) = backward(
        x,
        mean.clone(),
        var.clone(),
        gain,
        bias,
        dy,
        1e-5,
        true,
        share,
    );
    [y, dx, dgain, mean, var].map(|tensor| {
        let data = read_sync(Flex::float_into_data(tensor));
        let values = data.expect("a tensor is read").try_into_vec();
        values.expect("f32 values")
    })
}

#[test]
fn batch_norm_of_parts_is_that_of_the_whole() {
    for parts in [vec![0..2, 2..5], vec![0..1, 1..2, 2..5], vec![0..5, 0..1]] {
        for by_plain in [false, true] {
            let whole = batch_norm(0..5, None, by_plain);
            let counts: Vec<usize> = match parts.as_slice() {
                [_, last] if *last == (0..1) => vec![5, 0],
                parts => parts.iter().map(|part| part.len()).collect(),
            };
            let found = threads::run(parts.len(), |group| {
                let images = parts[group.rank()].clone();
                batch_norm(images, Some(Share::new(group, counts.clone())), by_plain)
            });
            let counted = || {
                found
                    .iter()
                    .zip(&counts)
                    .filter(|(_, n)| **n > 0)
                    .map(|(f, _)| f)
            };
            for (place, name) in ["y", "dx"].into_iter().enumerate() {
                let joined: Vec<f32> = counted().flat_map(|f| f[place].clone()).collect();
                close(name, &joined, &whole[place]);
            }
            let mut dgain = vec![0.0; CHANNELS];
            for rank in &found {
                dgain
                    .iter_mut()
                    .zip(&rank[2])
                    .for_each(|(sum, d)| *sum += d);
                close("mean", &rank[3], &whole[3]);
                close("var", &rank[4], &whole[4]);
            }
            close("dgain", &dgain, &whole[2]);
        }
    }
}

fn close(name: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{name}");
    let largest = expected.iter().fold(0.0f32, |most, v| most.max(v.abs()));
    for (a, b) in found.iter().zip(expected) {
        assert!(
            (a - b).abs() <= 1e-5 + 1e-4 * largest,
            "{name}: {a} and {b}"
        );
    }
}
