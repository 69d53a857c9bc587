//! Each kernel against Burn's own operations, and its gradients also against finite differences.

mod attention;
mod batch_norm;
mod conv;
mod ranks;
mod resample;

use burn::tensor::{Device, Tensor};

use super::*;

/// Difference of two f32 sums in different orders, relative to the largest value of the result.
const TOLERANCE: f32 = 1e-5;
/// Finite differences of step `STEP` in f32: the rounding of the loss divided by the step.
const DIFFERENCE_TOLERANCE: f64 = 2e-2;
const STEP: f32 = 1e-2;

/// A network of one operation: flat inputs to an output of rank 4.
type Operation<'a> = &'a dyn Fn(&[Tensor<1>]) -> Tensor<4>;

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

fn inputs(lens: &[usize]) -> Vec<Vec<f32>> {
    lens.iter()
        .zip(1..)
        .map(|(&len, seed)| values(len, seed))
        .collect()
}

fn vector<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec().expect("f32 values")
}

/// The output, and the gradient of `sum(output * random)` for each input.
fn run(operation: Operation, inputs: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let device = Device::flex().autodiff();
    let leaves: Vec<Tensor<1>> = inputs
        .iter()
        .map(|input| Tensor::from_floats(input.as_slice(), &device).require_grad())
        .collect();
    let y = operation(&leaves);
    let weights = values(y.shape().num_elements(), 99);
    let weights = Tensor::<1>::from_floats(weights.as_slice(), &device).reshape(y.dims());
    let grads = (y.clone() * weights).sum().backward();
    let mut results = vec![vector(y)];
    for leaf in &leaves {
        results.push(vector(
            leaf.grad(&grads).expect("a gradient for every input"),
        ));
    }
    results
}

fn assert_close(name: &str, ours: &[Vec<f32>], reference: &[Vec<f32>], tolerance: f32) {
    for (i, (ours, reference)) in ours.iter().zip(reference).enumerate() {
        assert_eq!(ours.len(), reference.len(), "{name}: length of result {i}");
        let scale = reference
            .iter()
            .fold(1e-3f32, |max, value| max.max(value.abs()));
        for (at, (a, b)) in ours.iter().zip(reference).enumerate() {
            let error = (a - b).abs();
            assert!(
                error <= tolerance * scale,
                "{name}: result {i} at {at}: {a} for {b}, scale {scale}"
            );
        }
    }
}

/// Same values as the reference, and the same bits twice and on one thread.
fn check(name: &str, ours: Operation, reference: Operation, lens: &[usize]) {
    check_within(TOLERANCE, name, ours, reference, lens);
}

fn check_within(tolerance: f32, name: &str, ours: Operation, reference: Operation, lens: &[usize]) {
    let inputs = inputs(lens);
    let results = run(ours, &inputs);
    assert_close(name, &results, &run(reference, &inputs), tolerance);
    assert!(results == run(ours, &inputs), "{name}: two runs differ");
    for threads in [1, 3] {
        assert!(
            results == on_threads(threads, || run(ours, &inputs)),
            "{name}: {threads} threads differ"
        );
    }
}

#[cfg(feature = "rayon")]
fn on_threads<R: Send>(threads: usize, body: impl FnOnce() -> R) -> R {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    // The tensors of a run stay inside it, so it may run on another thread.
    struct Movable<T>(T);
    // SAFETY: `body` captures only test functions and numbers and the call waits for its end.
    unsafe impl<T> Send for Movable<T> {}
    let body = Movable(body);
    pool.expect("a thread pool").install(move || {
        let body = body;
        (body.0)()
    })
}

#[cfg(not(feature = "rayon"))]
fn on_threads<R>(_threads: usize, body: impl FnOnce() -> R) -> R {
    body()
}

/// `d loss / d input` in random directions.
fn check_differences(name: &str, operation: Operation, lens: &[usize]) {
    let inputs = inputs(lens);
    let loss = |inputs: &[Vec<f32>]| -> f64 {
        let y = &run(operation, inputs)[0];
        let weights = values(y.len(), 99);
        y.iter()
            .zip(weights)
            .map(|(&y, w)| f64::from(y) * f64::from(w))
            .sum()
    };
    let grads = run(operation, &inputs);
    for (i, input) in inputs.iter().enumerate() {
        let direction = values(input.len(), 77);
        let moved = |step: f32| {
            let mut inputs = inputs.clone();
            for (value, d) in inputs[i].iter_mut().zip(&direction) {
                *value += step * d;
            }
            loss(&inputs)
        };
        let measured = (moved(STEP) - moved(-STEP)) / f64::from(2.0 * STEP);
        let pairs = grads[i + 1].iter().zip(&direction);
        let expected: f64 = pairs.map(|(&g, &d)| f64::from(g) * f64::from(d)).sum();
        let scale = expected.abs().max(1.0);
        assert!(
            (measured - expected).abs() < DIFFERENCE_TOLERANCE * scale,
            "{name}: input {i}: {measured} measured, {expected} expected"
        );
    }
}

/// `[n, i, o, h, w]`: odd and even sizes, one image and one pixel, few and many channels.
const SHAPES: [[usize; 5]; 15] = [
    [1, 1, 1, 1, 1],
    [2, 3, 5, 3, 3],
    [1, 5, 3, 5, 4],
    [3, 32, 3, 4, 4],
    [5, 3, 32, 8, 8],
    [2, 32, 32, 8, 8],
    [2, 5, 32, 1, 5],
    [1, 32, 5, 32, 32],
    [17, 7, 9, 4, 4],
    [2, 4, 13, 33, 65],
    [2, 20, 17, 6, 32],
    // small images with many outputs
    [1, 3, 130, 4, 4],
    [1, 37, 128, 8, 8],
    [3, 2, 129, 5, 3],
    [2, 4, 144, 1, 1],
];

#[test]
fn gradients_match_finite_differences() {
    let x = |t: &[Tensor<1>]| -> Tensor<4> { t[0].clone().reshape([2, 3, 4, 4]) };
    let weight = |t: &[Tensor<1>]| -> Tensor<4> { t[1].clone().reshape([2, 3, 3, 3]) };
    let table = |t: &Tensor<1>| -> Tensor<2> { t.clone().reshape([2, 3]) };
    let conv_lens = [96, 54, 2];
    check_differences(
        "conv2d",
        &|t| conv2d(x(t), weight(t), Some(t[2].clone()), 1),
        &conv_lens,
    );
    check_differences(
        "conv3x3_after_upsample",
        &|t| conv3x3_after_upsample(x(t), weight(t), Some(t[2].clone())),
        &conv_lens,
    );
    check_differences(
        "conv3x3_then_pool",
        &|t| conv3x3_then_pool(x(t), weight(t), Some(t[2].clone())),
        &conv_lens,
    );
    // Without the ReLU: a step across its kink is no derivative.
    check_differences(
        "batch_norm_train",
        &|t| batch_norm_train(x(t), table(&t[1]), table(&t[2]), 1e-5, false, None).0,
        &[96, 6, 6],
    );
    check_differences(
        "scale_shift_relu",
        &|t| scale_shift_relu(x(t), table(&t[1]), table(&t[2]), false),
        &[96, 6, 6],
    );
    check_differences(
        "attention",
        &|t| {
            let [theta, phi, g] = [(0, 3, 5), (1, 3, 7), (2, 4, 7)]
                .map(|(i, channels, len)| t[i].clone().reshape([2, channels, len]));
            attention(theta, phi, g).reshape([2, 4, 5, 1])
        },
        &[30, 42, 56],
    );
    check_differences("avg_pool_2x2", &|t| avg_pool_2x2(x(t)), &[96]);
    check_differences("upsample_nearest_2x", &|t| upsample_nearest_2x(x(t)), &[96]);
}
