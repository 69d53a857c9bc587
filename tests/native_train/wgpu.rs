//! `--device wgpu` computes what the CPU computes, on any adapter: a GPU, or a software driver such
//! as lavapipe (Debian's mesa-vulkan-drivers).

use std::path::Path;

use biggan::named::HostTensors;
use biggan::train::{CheckRun, check_run};
use burn::tensor::Device;
use pollster::block_on;

use crate::gpu::gpu;
use crate::support::models::{image, with_model};
use crate::support::setting::stderr;

/// Losses and first gradients: this, and this share of the tensor's largest value; ten times what
/// one CPU must agree with another to, since a GPU sums in another order.
const ABSOLUTE: f32 = 1e-4;
const RELATIVE: f32 = 1e-3;
/// Weights after three Adam steps. With beta1 = 0 Adam turns the rounding of a tiny gradient into a
/// step, so a share of them is required.
const WEIGHT: f32 = 1e-4;
const WEIGHT_SHARE: f64 = 0.995;
/// Pixels of a trained model's samples, 2/255 of the range from -1 to 1.
const PIXEL: f32 = 2.0 * 2.0 / 255.0;

fn close(what: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(0.0f32, |max, v| max.max(v.abs()));
    let allowed = ABSOLUTE + RELATIVE * largest;
    for (index, (a, b)) in found.iter().zip(expected).enumerate() {
        let difference = (a - b).abs();
        assert!(difference <= allowed, "{what}[{index}]: {a} and {b}");
    }
}

fn assert_weights(found: &HostTensors, expected: &HostTensors) {
    let pairs = expected.0.iter().flat_map(|(name, tensor)| {
        let others = &found.0[name].values;
        tensor.values.iter().zip(others)
    });
    let (mut all, mut within) = (0usize, 0usize);
    for (a, b) in pairs {
        all += 1;
        within += usize::from((a - b).abs() <= WEIGHT);
    }
    println!("{within} of {all} weights within {WEIGHT}");
    assert!(
        within as f64 >= WEIGHT_SHARE * all as f64,
        "{within} of {all}"
    );
}

#[test]
fn wgpu_trains_like_the_cpu() {
    // the seed of the page's comparison
    let run = |device: &Device| -> CheckRun { block_on(check_run(3, 3, device)).unwrap() };
    let expected = run(&Device::flex());
    let found = run(&gpu());
    let flat = |losses: &[[f32; 2]]| losses.concat();
    close("losses", &flat(&found.losses), &flat(&expected.losses));
    for (name, gradient) in &expected.gradients.0 {
        close(name, &found.gradients.0[name].values, &gradient.values);
    }
    assert_weights(&found.weights, &expected.weights);
}

#[test]
fn wgpu_samples_like_the_cpu() {
    let setting = with_model();
    let sample = |device: &str, out: &str| {
        let request = [
            "sample",
            "model.safetensors",
            "--class",
            "1",
            "--truncation",
            "0.5",
            "--seed",
            "7",
            "--count",
            "4",
            "--raw",
            out,
            "--device",
            device,
        ];
        let output = setting.run(&request);
        assert!(output.status.success(), "{}", stderr(&output));
        (image(Path::new(&setting.path(out))).values, stderr(&output))
    };
    let (expected, _) = sample("cpu", "cpu.safetensors");
    let (found, said) = sample("wgpu", "wgpu.safetensors");
    assert!(said.contains("device wgpu: "), "{said}");
    for (a, b) in found.iter().zip(&expected) {
        assert!((a - b).abs() <= PIXEL, "{a} and {b}");
    }
}

#[test]
fn wgpu_trains_a_recipe_and_resumes_it() {
    let setting = crate::support::setting::Setting::new();
    setting.train("run", 3, &["--device", "wgpu"]);
    setting.train("run", 2, &["--device", "wgpu", "--resume"]);
    let inspected = setting.ok(&["inspect", "run"]);
    assert!(
        inspected.contains("5 generator and 10 discriminator steps"),
        "{inspected}"
    );
}
