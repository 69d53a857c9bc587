//! The Frechet distance in the features of a network grows with what makes pictures worse, on real
//! pictures: 30 of each class of Fashion-MNIST's test set (`fixtures/fashion-mnist-300`).

use biggan::metrics::{
    Classifier, EfficientNet, FeatureNetwork, Moments, NamedClassifier, frechet_distance,
};
use biggan::named::read_values;
use biggan::random::{Draws, Stream};
use burn::tensor::{Device, Tensor, TensorData};
use native_train::dataset::{self, Dataset, DatasetRequest, Split};
use native_train::recipe::data_section::DataSection;

use crate::support::fixtures::{fixture, root};

const SIDE: usize = 32;
const IMAGE: usize = 3 * SIDE * SIDE;
/// Names the file of EfficientNet-Lite0; `cargo xtask test` fetches it where it may.
const EFFICIENTNET: &str = "BIGGAN_EFFICIENTNET_LITE0";

struct Bench {
    network: Box<dyn FeatureNetwork>,
    /// `[n, 3, 32, 32]` in [-1, 1]
    pixels: Vec<f32>,
    labels: Vec<u16>,
    clean: Moments,
}

impl Bench {
    /// With the first `of_a_class` pictures of each class.
    fn new(network: impl FeatureNetwork + 'static, of_a_class: usize) -> Self {
        let section = DataSection::named("idx", Some(fixture("fashion-mnist-300")));
        let request = DatasetRequest {
            section: &section,
            split: Split::Test,
            classes: 10,
        };
        let data: Dataset = dataset::load(&request, SIDE, None).unwrap();
        assert_eq!(data.len(), 300);
        let (mut pixels, mut labels, mut taken) = (Vec::new(), Vec::new(), [0; 10]);
        for (index, &label) in data.labels.iter().enumerate() {
            let taken = &mut taken[usize::from(label)];
            if *taken < of_a_class {
                *taken += 1;
                let image_u8 = &data.read(&[index]).unwrap()[0];
                data.push_pm1(image_u8, SIDE, &mut pixels);
                labels.push(label);
            }
        }
        let mut bench = Self {
            network: Box::new(network),
            pixels,
            labels,
            clean: Moments::new(0),
        };
        bench.clean = bench.moments(&bench.pixels);
        bench
    }

    fn moments(&self, pixels: &[f32]) -> Moments {
        let info = self.network.info();
        let mut moments = Moments::new(info.features);
        for pixels in pixels.chunks(info.at_once * IMAGE) {
            let shape = [pixels.len() / IMAGE, 3, SIDE, SIDE];
            let images =
                Tensor::from_data(TensorData::new(pixels.to_vec(), shape), &Device::flex());
            let features = self.network.extract(images).features;
            moments.add(&pollster::block_on(read_values(features)).unwrap());
        }
        moments
    }

    /// Distances at rising levels, and each at least `factor` of the one before.
    fn rises(&self, what: &str, factor: f64, levels: &[Vec<f32>]) {
        let distance = |pixels: &Vec<f32>| frechet_distance(&self.moments(pixels), &self.clean);
        let found: Vec<f64> = levels.iter().map(distance).collect();
        println!("{} {what}: {found:.3?}", self.network.info().score("FD"));
        for pair in found.windows(2) {
            assert!(pair[1] > factor * pair[0], "{what}: {found:?}");
        }
    }

    /// The pictures of the first classes.
    fn of_classes(&self, classes: u16) -> Vec<f32> {
        let images = self.pixels.chunks_exact(IMAGE).zip(&self.labels);
        let kept = images.filter(|&(_, &label)| label < classes);
        kept.flat_map(|(image, _)| image).copied().collect()
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
    let bytes = std::fs::read(root().join("models/fashion-cnn.safetensors")).unwrap();
    let (classifier, _) = Classifier::decode(&bytes, &Device::flex()).unwrap();
    let bench = Bench::new(NamedClassifier::new(classifier, String::new()), 30);
    let same = frechet_distance(&bench.clean, &bench.clean);
    // the root of rounding, 1e-8, of a trace of some hundred
    assert!(same.abs() < 1e-5, "{same}");
    let noise = [0.1, 0.2, 0.4, 0.8].map(|deviation| noisy(&bench.pixels, deviation));
    bench.rises("noise of deviation 0.1, 0.2, 0.4, 0.8", 1.1, &noise);
    let blur = [1, 2, 4, 8].map(|times| blurred(&bench.pixels, times));
    bench.rises("blurred 1, 2, 4, 8 times", 1.1, &blur);
    let kept = [8, 6, 4, 2, 1].map(|classes| bench.of_classes(classes));
    bench.rises("8, 6, 4, 2 classes and 1", 1.1, &kept);
}

/// An ImageNet network on grey pictures of 32x32 resized to 224: whether its distance tells is not plain.
#[test]
fn efficientnets_distance_grows_with_noise_blur_and_missing_classes() {
    let Some(path) = std::env::var_os(EFFICIENTNET) else {
        eprintln!("{EFFICIENTNET} names no file: skipped");
        return;
    };
    let network = EfficientNet::decode(&std::fs::read(path).unwrap(), &Device::flex()).unwrap();
    let bench = Bench::new(network, 10);
    let noise = [0.1, 0.3, 0.9].map(|deviation| noisy(&bench.pixels, deviation));
    bench.rises("noise of deviation 0.1, 0.3, 0.9", 1.1, &noise);
    let blur = [1, 3, 9].map(|times| blurred(&bench.pixels, times));
    bench.rises("blurred 1, 3, 9 times", 1.1, &blur);
    let kept = [8, 4, 2].map(|classes| bench.of_classes(classes));
    bench.rises("8, 4, 2 classes", 1.1, &kept);
}
