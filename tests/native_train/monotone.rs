//! The Frechet distance in the shipped classifier's features grows with what makes pictures worse, on
//! real pictures: 30 of each class of Fashion-MNIST's test set (`fixtures/fashion-mnist-300`).

use std::path::Path;

use biggan::metrics::{Classifier, Moments, frechet_distance};
use biggan::named::read_values;
use biggan::random::{Draws, Stream};
use burn::tensor::{Device, Tensor, TensorData};
use native_train::dataset::{self, Dataset, DatasetRequest, Split};
use native_train::plan::DataSection;

const SIDE: usize = 32;
const IMAGE: usize = 3 * SIDE * SIDE;

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

struct Bench {
    classifier: Classifier,
    /// `[300, 3, 32, 32]` in [-1, 1]
    pixels: Vec<f32>,
    labels: Vec<u16>,
    clean: Moments,
}

impl Bench {
    fn new() -> Self {
        let device = Device::flex();
        let bytes = std::fs::read(root().join("models/fashion-cnn.safetensors")).unwrap();
        let (classifier, _) = Classifier::decode(&bytes, &device).unwrap();
        let section = DataSection::of("idx", Some(root().join("tests/fixtures/fashion-mnist-300")));
        let request = DatasetRequest {
            section: &section,
            split: Split::Test,
            classes: 10,
        };
        let data: Dataset = dataset::load(&request, SIDE, None).unwrap();
        assert_eq!(data.len(), 300);
        let mut pixels = Vec::new();
        (0..data.len()).for_each(|index| data.push_pm1(index, SIDE, &mut pixels));
        let mut bench = Self {
            classifier,
            pixels,
            labels: data.labels,
            clean: Moments::new(0),
        };
        bench.clean = bench.moments(&bench.pixels);
        bench
    }

    fn moments(&self, pixels: &[f32]) -> Moments {
        let shape = [pixels.len() / IMAGE, 3, SIDE, SIDE];
        let images = Tensor::from_data(TensorData::new(pixels.to_vec(), shape), &Device::flex());
        let features = self.classifier.forward(images).features;
        let mut moments = Moments::new(features.dims()[1]);
        moments.add(&pollster::block_on(read_values(features)).unwrap());
        moments
    }

    fn distance(&self, pixels: &[f32]) -> f64 {
        frechet_distance(&self.moments(pixels), &self.clean)
    }

    /// Distances at rising levels: 0 without, and each at least `factor` of the one before.
    fn rises(&self, what: &str, factor: f64, levels: &[Vec<f32>]) {
        let found: Vec<f64> = levels.iter().map(|pixels| self.distance(pixels)).collect();
        println!("{what}: {found:.3?}");
        assert!(found[0].abs() < 1e-6, "{what}: {found:?}");
        assert!(found[1] > 0.1, "{what}: {found:?}");
        for pair in found[1..].windows(2) {
            assert!(pair[1] > factor * pair[0], "{what}: {found:?}");
        }
    }
}

fn noisy(pixels: &[f32], deviation: f64) -> Vec<f32> {
    let mut draws = Draws::new(1, Stream::Evaluation, 0, 0);
    let noise = |&v: &f32| (f64::from(v) + deviation * draws.normal()).clamp(-1.0, 1.0) as f32;
    pixels.iter().map(noise).collect()
}

/// Means of 3x3, so many times; black beyond the edge, as the padding is.
fn blurred(pixels: &[f32], times: usize) -> Vec<f32> {
    let mut pixels = pixels.to_vec();
    for _ in 0..times {
        let planes = pixels.chunks_exact(SIDE * SIDE).flat_map(|plane| {
            let at = |y: usize, x: usize| -> f32 {
                let inside = (1..=SIDE).contains(&y) && (1..=SIDE).contains(&x);
                if inside {
                    plane[(y - 1) * SIDE + x - 1]
                } else {
                    -1.0
                }
            };
            (0..SIDE * SIDE).map(move |p| {
                let (y, x) = (p / SIDE, p % SIDE);
                let nine = (0..9).map(|k| at(y + k / 3, x + k % 3));
                nine.sum::<f32>() / 9.0
            })
        });
        pixels = planes.collect();
    }
    pixels
}

#[test]
fn the_distance_grows_with_noise_blur_and_missing_classes() {
    let bench = Bench::new();
    let noise = [0.0, 0.1, 0.2, 0.4, 0.8].map(|deviation| noisy(&bench.pixels, deviation));
    bench.rises("noise of deviation 0, 0.1, 0.2, 0.4, 0.8", 1.1, &noise);
    let blur = [0, 1, 2, 4, 8].map(|times| blurred(&bench.pixels, times));
    bench.rises("blurred 0, 1, 2, 4, 8 times", 1.1, &blur);
    let kept = [10u16, 8, 6, 4, 2, 1].map(|classes| {
        let images = bench.pixels.chunks_exact(IMAGE).zip(&bench.labels);
        let kept = images.filter(|&(_, &label)| label < classes);
        kept.flat_map(|(image, _)| image).copied().collect()
    });
    bench.rises("10, 8, 6, 4, 2 classes and 1", 1.1, &kept);
}
