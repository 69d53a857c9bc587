//! Settings with a model, with test images, and a classifier of them.

use std::path::Path;

use biggan::file::decode;
use biggan::named::HostTensor;

use super::setting::Setting;

/// A setting with a small exported model.
pub fn with_model() -> Setting {
    let setting = Setting::new();
    setting.train("run", 8, &[]); // 0.5^8 = 0.4 % initial weights
    setting.ok(&[
        "export",
        "run",
        "--out",
        "model.safetensors",
        "--passes",
        "2",
    ]);
    setting
}

/// The tensor `image` of a file.
pub fn image(path: &Path) -> HostTensor {
    let stored = decode(&std::fs::read(path).unwrap()).unwrap();
    stored.tensors.0["image"].clone()
}

/// A setting with a model and test images.
pub fn with_test_images() -> Setting {
    let setting = with_model();
    write_test_images(&setting);
    setting
}

/// Adds test images to the tiny data set.
pub fn write_test_images(setting: &Setting) {
    let labels: Vec<u8> = (0..12).map(|i| (i % 3) as u8).collect();
    let pixels: Vec<u8> = (0..12 * 28 * 28).map(|i| (i % 240) as u8).collect();
    setting.write_idx("t10k-images-idx3-ubyte", &[12, 28, 28], &pixels);
    setting.write_idx("t10k-labels-idx1-ubyte", &[12], &labels);
}

/// Trains the classifier `tiny.safetensors`.
pub const CLASSIFIER: [&str; 11] = [
    "classifier",
    "--dataset",
    "idx",
    "--data",
    "data",
    "--classes",
    "3",
    "--epochs",
    "2",
    "--out",
    "tiny.safetensors",
];
