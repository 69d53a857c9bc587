//! Attention against the whole table in Burn's operations.

use burn::tensor::{DType, Device, Tensor, TensorData, activation};

use super::*;

/// `[n, k, c, queries, keys]`: parts of blocks, more keys than a block, many images.
const ATTENTION_SHAPES: [[usize; 5]; 9] = [
    [1, 1, 1, 1, 2],
    [2, 3, 5, 7, 5],
    [1, 8, 32, 49, 17],
    [2, 24, 96, 50, 131],
    [3, 8, 32, 48, 128],
    [1, 3, 1, 97, 1027],
    [17, 3, 5, 16, 4],
    [70, 1, 9, 3, 25],
    [1, 24, 32, 200, 289],
];
/// Logits of 80 have a rounding error of 80 2^-24 a term of their sum, which is the relative error of a weight.
const BIG_LOGIT_TOLERANCE: f32 = 1e-4;

fn reference(theta: Tensor<3>, phi: Tensor<3>, g: Tensor<3>) -> Tensor<3> {
    let weights = activation::softmax(theta.transpose().matmul(phi), 2); // [n, queries, keys]
    g.matmul(weights.transpose())
}

/// theta times `factor`, phi and g.
fn parts(t: &[Tensor<1>], shape: [usize; 5], factor: f32) -> [Tensor<3>; 3] {
    let [n, k, c, queries, keys] = shape;
    [
        t[0].clone().reshape([n, k, queries]) * factor,
        t[1].clone().reshape([n, k, keys]),
        t[2].clone().reshape([n, c, keys]),
    ]
}

fn check_attention(shape: [usize; 5], factor: f32, tolerance: f32) {
    let [n, k, c, queries, keys] = shape;
    check_within(
        tolerance,
        &format!("attention {shape:?}, theta times {factor}"),
        &|t| {
            let [theta, phi, g] = parts(t, shape, factor);
            attention(theta, phi, g).reshape([n, c, queries, 1])
        },
        &|t| {
            let [theta, phi, g] = parts(t, shape, factor);
            reference(theta, phi, g).reshape([n, c, queries, 1])
        },
        &[n * k * queries, n * k * keys, n * c * keys],
    );
}

#[test]
fn attention_matches_burn() {
    for shape in ATTENTION_SHAPES {
        check_attention(shape, 1.0, TOLERANCE);
    }
}

#[test]
fn attention_of_equal_logits_is_the_mean() {
    for shape in ATTENTION_SHAPES {
        check_attention(shape, 0.0, TOLERANCE);
    }
}

/// The gradient of the logits is 0, but `dp - sum p dp` in f32 only nearly so.
#[test]
fn attention_to_one_key_is_its_value() {
    let shape = [2, 3, 5, 100, 1];
    let inputs = inputs(&[600, 6, 10]);
    let operation = |t: &[Tensor<1>]| {
        let [theta, phi, g] = parts(t, shape, 1.0);
        attention(theta, phi, g).reshape([2, 5, 100, 1])
    };
    let results = run(&operation, &inputs);
    for (y, g) in results[0].chunks_exact(100).zip(&inputs[2]) {
        assert!(y.iter().all(|y| y == g), "{y:?} for {g}");
    }
    for grads in &results[1..3] {
        assert!(grads.iter().all(|grad| grad.abs() < 1e-5), "{grads:?}");
    }
    for (dg, dy) in results[3].iter().zip(values(1000, 99).chunks_exact(100)) {
        assert!((dg - dy.iter().sum::<f32>()).abs() < 1e-4);
    }
}

#[test]
fn attention_survives_big_logits() {
    for shape in ATTENTION_SHAPES {
        // the sum of k products of two values in [-1, 1) has a standard deviation of sqrt(k) / 3
        check_attention(shape, 100.0 / (shape[1] as f32).sqrt(), BIG_LOGIT_TOLERANCE);
    }
}

/// The derivative of the softmax by the product rule, with whole tables.
fn along_reference(theta: Tensor<3>, phi: Tensor<3>, g: Tensor<3>) -> Tensor<3> {
    let halves = |both: Tensor<3>| {
        let n = both.dims()[0] / 2;
        [0, 1].map(|half| both.clone().narrow(0, half * n, n))
    };
    let ([theta, dtheta], [phi, dphi], [g, h]) = (halves(theta), halves(phi), halves(g));
    let slope = dtheta.transpose().matmul(phi.clone()) + theta.clone().transpose().matmul(dphi);
    let beta = activation::softmax(theta.transpose().matmul(phi), 2);
    let weighted = beta.clone() * slope;
    let changed = weighted.clone() - beta.clone() * weighted.sum_dim(2);
    h.matmul(beta.transpose()) + g.matmul(changed.transpose())
}

#[test]
fn attention_along_a_direction_follows_the_product_rule() {
    for shape in ATTENTION_SHAPES {
        let [n, k, c, queries, keys] = shape;
        let pairs = [2 * n, k, c, queries, keys];
        for factor in [1.0, 3.0] {
            check_within(
                TOLERANCE * 3.0,
                &format!("attention along {shape:?}, theta times {factor}"),
                &|t| {
                    let [theta, phi, g] = parts(t, pairs, factor);
                    attention_along(theta, phi, g).reshape([n, c, queries, 1])
                },
                &|t| {
                    let [theta, phi, g] = parts(t, pairs, factor);
                    along_reference(theta, phi, g).reshape([n, c, queries, 1])
                },
                &[2 * n * k * queries, 2 * n * k * keys, 2 * n * c * keys],
            );
        }
    }
}

/// Logits of +80 and -80, and of equal size: no sum of exponentials overflows or is zero.
#[test]
fn attention_chooses_the_largest_logit() {
    let device = Device::flex();
    let row = |values: &[f32]| -> Tensor<3> {
        Tensor::<1>::from_floats(values, &device).reshape([1, 1, values.len()])
    };
    let theta = row(&[80.0, -80.0, 1e4, 0.0]);
    let y = attention(theta, row(&[-1.0, 1.0]), row(&[3.0, 5.0]));
    assert_eq!(vector(y), [5.0, 3.0, 5.0, 4.0]);
}

#[test]
fn a_nan_stays_in_its_query() {
    let device = Device::flex();
    let row = |values: &[f32]| -> Tensor<3> {
        Tensor::<1>::from_floats(values, &device).reshape([1, 1, values.len()])
    };
    let y = attention(row(&[0.0, f32::NAN]), row(&[1.0, 2.0]), row(&[3.0, 5.0]));
    let y = vector(y);
    assert!(y[0] == 4.0 && y[1].is_nan(), "{y:?}");
}

#[test]
fn f64_is_not_computed_in_f32() {
    let device = Device::flex();
    let tensor = |seed, shape: [usize; 3]| -> Tensor<3> {
        let values = values(shape.iter().product(), seed);
        let values: Vec<f64> = values.iter().map(|&v| f64::from(v)).collect();
        Tensor::from_data(TensorData::new(values, shape), (&device, DType::F64))
    };
    let (theta, phi, g) = (
        tensor(1, [2, 3, 7]),
        tensor(2, [2, 3, 5]),
        tensor(3, [2, 4, 5]),
    );
    let read = |t: Tensor<3>| -> Vec<f64> { t.into_data().try_into_vec().expect("f64 values") };
    let ours = read(attention(theta.clone(), phi.clone(), g.clone()));
    for (a, b) in ours.iter().zip(read(reference(theta, phi, g))) {
        assert!((a - b).abs() < 1e-14, "{a} for {b}");
    }
}

#[test]
#[should_panic(expected = "keys [1, 2, 3] and values [1, 1, 4] do not fit")]
fn as_many_values_as_keys() {
    let zeros = |shape: [usize; 3]| Tensor::zeros(shape, &Device::flex());
    let _ = attention(zeros([1, 2, 5]), zeros([1, 2, 3]), zeros([1, 1, 4]));
}
