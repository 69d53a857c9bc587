//! The kernels of GPUs against those of the CPU, which have Burn's own operations as their reference: values and
//! gradients, over odd shapes, with maps in memory as they are and as convolutions leave them.

use biggan::kernels::{
    AdamStep, adam_step, avg_pool_2x2, batch_norm_train, conv2d, conv3x3_after_upsample,
    conv3x3_then_pool, orthogonal_term, relu, scale_shift_relu, spectral_normalise,
    upsample_nearest_2x, weighted_sum,
};
use burn::tensor::{Device, Tensor};

use crate::gpu::gpu;

/// Difference of two f32 sums in different orders, relative to the largest value of the result.
const TOLERANCE: f32 = 2e-5;
/// Images, channels, height and width.
const SHAPES: [[usize; 4]; 6] = [
    [1, 1, 2, 2],
    [2, 3, 5, 7],
    [3, 5, 4, 4],
    [4, 8, 33, 31],
    [2, 70, 6, 2],
    [9, 2, 40, 36],
];

type Operation<'a> = &'a dyn Fn(&[Tensor<1>]) -> Tensor<1>;

/// Repeatable values in `[-1, 1)`.
fn values(len: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9) ^ 0x85eb_ca6b;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..len).map(|_| next()).collect()
}

fn flat<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    let len = tensor.shape().num_elements();
    tensor.reshape([len])
}

fn host(tensor: Tensor<1>) -> Vec<f32> {
    tensor.into_data().try_into_vec().expect("f32 values")
}

/// The output, and the gradient of `sum(output * random)` for each input.
fn run(operation: Operation, lens: &[usize], device: &Device) -> Vec<Vec<f32>> {
    let device = device.clone().autodiff();
    let leaves: Vec<Tensor<1>> = (1..)
        .zip(lens)
        .map(|(seed, &len)| Tensor::from_floats(values(len, seed).as_slice(), &device))
        .map(Tensor::require_grad)
        .collect();
    let y = operation(&leaves);
    let weights = values(y.dims()[0], 99);
    let weights = Tensor::<1>::from_floats(weights.as_slice(), &device);
    let grads = (y.clone() * weights).sum().backward();
    let grads = leaves
        .iter()
        .map(|leaf| leaf.grad(&grads).expect("a gradient"));
    std::iter::once(y.without_autodiff())
        .chain(grads)
        .map(host)
        .collect()
}

fn check(name: &str, operation: Operation, lens: &[usize]) {
    let found = run(operation, lens, &gpu());
    let expected = run(operation, lens, &Device::flex());
    for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert_eq!(found.len(), expected.len(), "{name}: length of result {i}");
        let scale = expected.iter().fold(1e-3f32, |max, v| max.max(v.abs()));
        for (at, (a, b)) in found.iter().zip(expected).enumerate() {
            assert!(
                (a - b).abs() <= TOLERANCE * scale,
                "{name}: result {i} at {at}: {a} for {b}, scale {scale}"
            );
        }
    }
    assert!(
        found == run(operation, lens, &gpu()),
        "{name}: two runs differ"
    );
}

/// A map of the inputs: as it is, or what a 1x1 convolution with the unit matrix leaves.
fn map(x: &Tensor<1>, [n, c, h, w]: [usize; 4], convolved: bool) -> Tensor<4> {
    let x = x.clone().reshape([n, c, h, w]);
    match convolved {
        true => {
            let unit = Tensor::<2>::eye(c, &x.device()).reshape([c, c, 1, 1]);
            conv2d(x, unit, None, 0)
        }
        false => x,
    }
}

#[test]
fn batch_norm_and_scale_shift() {
    for shape in SHAPES {
        let [n, c, h, w] = shape;
        for (rows, relu, convolved) in [(n, true, true), (1, true, false), (n, false, false)] {
            let table = |t: &Tensor<1>| t.clone().reshape([rows, c]);
            let lens = [n * c * h * w, rows * c, rows * c];
            let name = format!("{shape:?}, {rows} rows, ReLU {relu}, convolved {convolved}");
            let normalised = |t: &[Tensor<1>]| {
                let x = map(&t[0], shape, convolved);
                let (y, mean, var) =
                    batch_norm_train(x, table(&t[1]), table(&t[2]), 1e-3, relu, None);
                Tensor::cat(vec![flat(y), mean, var], 0)
            };
            check(&format!("batch norm {name}"), &normalised, &lens);
            let scaled = |t: &[Tensor<1>]| {
                let x = map(&t[0], shape, convolved);
                flat(scale_shift_relu(x, table(&t[1]), table(&t[2]), relu))
            };
            check(&format!("scale and shift {name}"), &scaled, &lens);
        }
    }
}

/// Sums of squares about a mean that is large beside the deviations.
#[test]
fn batch_statistics_survive_a_large_mean() {
    let x = values(4 * 2 * 33 * 33, 5);
    let far: Vec<f32> = x.iter().map(|v| 1000.0 + v).collect();
    let [near, far] = [x, far].map(|x| {
        let x = Tensor::<1>::from_floats(x.as_slice(), &gpu()).reshape([4, 2, 33, 33]);
        let table = Tensor::<2>::ones([1, 2], &x.device());
        host(batch_norm_train(x, table.clone(), table, 1e-5, false, None).2)
    });
    for (near, far) in near.iter().zip(&far) {
        assert!((far / near - 1.0).abs() < 1e-4, "{far} for {near}");
    }
}

#[test]
fn upsampling_and_pooling() {
    for shape in SHAPES {
        let [n, c, h, w] = shape;
        for convolved in [false, true] {
            let name = format!("{shape:?}, convolved {convolved}");
            let small = [n * c * h * w];
            let up = |t: &[Tensor<1>]| flat(upsample_nearest_2x(map(&t[0], shape, convolved)));
            check(&format!("upsampling {name}"), &up, &small);
            let wide = [n, c, 2 * h, 2 * w];
            let large = [4 * small[0]];
            let pool = |t: &[Tensor<1>]| flat(avg_pool_2x2(map(&t[0], wide, convolved)));
            check(&format!("pooling {name}"), &pool, &large);
        }
    }
}

#[test]
fn convolutions_with_upsampling_and_pooling() {
    for shape in SHAPES {
        let [n, c, h, w] = shape;
        let outputs = 3;
        let lens = |area: usize| [n * c * area, outputs * c * 9, outputs];
        let layer = |t: &[Tensor<1>]| {
            let weight = t[1].clone().reshape([outputs, c, 3, 3]);
            (weight, Some(t[2].clone()))
        };
        let up = |t: &[Tensor<1>]| {
            let (weight, bias) = layer(t);
            flat(conv3x3_after_upsample(
                map(&t[0], shape, false),
                weight,
                bias,
            ))
        };
        check(&format!("after upsampling {shape:?}"), &up, &lens(h * w));
        let pool = |t: &[Tensor<1>]| {
            let (weight, bias) = layer(t);
            let x = map(&t[0], [n, c, 2 * h, 2 * w], false);
            flat(conv3x3_then_pool(x, weight, bias))
        };
        check(
            &format!("before pooling {shape:?}"),
            &pool,
            &lens(4 * h * w),
        );
    }
}

#[test]
fn spectral_norm() {
    for [out, rest] in [[1, 1], [3, 5], [64, 27], [5, 700], [300, 20], [130, 1153]] {
        let normalised = |t: &[Tensor<1>]| {
            let weight = t[0].clone().reshape([out, rest]);
            let u = t[1].clone().without_autodiff();
            let device = t[0].device();
            let u = Tensor::from_data(u.into_data(), &device);
            let (y, next) = spectral_normalise(weight, u, 1e-6);
            // the other input has a gradient, too
            Tensor::cat(vec![flat(y), next, t[1].clone()], 0)
        };
        check(&format!("[{out}, {rest}]"), &normalised, &[out * rest, out]);
    }
}

#[test]
fn relus() {
    for shape in SHAPES {
        for convolved in [false, true] {
            let positive = |t: &[Tensor<1>]| flat(relu(map(&t[0], shape, convolved)));
            let name = format!("ReLU {shape:?}, convolved {convolved}");
            check(&name, &positive, &[shape.iter().product()]);
        }
    }
}

#[test]
fn the_orthogonal_term() {
    for [out, rest] in [[1, 1], [5, 3], [64, 270], [300, 20]] {
        for modified in [true, false] {
            let [found, expected] = [gpu(), Device::flex()].map(|device| {
                let matrix = |seed| {
                    let values = values(out * rest, seed);
                    Tensor::<1>::from_floats(values.as_slice(), &device).reshape([out, rest])
                };
                host(flat(orthogonal_term(matrix(1), matrix(2), 0.3, modified)))
            });
            for (a, b) in found.iter().zip(&expected) {
                assert!((a - b).abs() < 1e-4, "{a} for {b}, [{out}, {rest}]");
            }
        }
    }
}

#[test]
fn adam_and_the_average() {
    let step = AdamStep::new(0.01, [0.5, 0.9], 1e-6, 3);
    for len in [1, 255, 70_001] {
        let results = [gpu(), Device::flex()].map(|device| {
            let tensor = |seed| Tensor::<1>::from_floats(values(len, seed).as_slice(), &device);
            let moments = [tensor(3), tensor(4).abs()];
            let (value, [first, second]) = adam_step(tensor(1), tensor(2), moments.clone(), step);
            // what others hold is left alone
            let before = host(moments[0].clone());
            assert_eq!(before, values(len, 3));
            let average = weighted_sum(tensor(5), 0.99, value.clone(), 0.01);
            [value, first, second, average].map(host)
        });
        for (found, expected) in results[0].iter().zip(&results[1]) {
            for (a, b) in found.iter().zip(expected) {
                assert!((a - b).abs() < 1e-6, "{a} for {b}, of {len}");
            }
        }
    }
}
