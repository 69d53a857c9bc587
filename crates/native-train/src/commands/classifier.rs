//! `native-train classifier`: trains the classifier in whose features `evaluate` measures.
//!
//! It sees real images only, and no generator is trained against it.

use anyhow::{Context, Result, ensure};
use biggan::file::Dtype;
use biggan::metrics::{Classifier, ClassifierConfig, ClassifierInfo};
use biggan::named::read_values;
use biggan::train::{AdamConfig, AdamMoments, BatchRows, Reals};
use burn::tensor::Device;
use pollster::block_on;

use crate::args::ClassifierArgs;
use crate::dataset::{self, Dataset, DatasetRequest, Loader, Split};
use crate::environment::Environment;
use crate::error::Outcome;
use crate::recipe::data_section::DataSection;
use crate::run::atomic_file;
use crate::terminal::Bar;

/// Side of its input in pixels.
const RESOLUTION: usize = 32;
/// Width of the first convolution.
const CHANNELS: usize = 16;
/// Length of the feature vector.
const FEATURES: usize = 128;
/// Images per step.
const BATCH: usize = 64;
/// Learning rate of the first epoch; it falls to a tenth for the last third.
const LR: f64 = 1e-3;

/// Runs the command.
///
/// # Errors
/// If the data cannot be read or the file cannot be written.
pub fn run(args: &ClassifierArgs, environment: &Environment) -> Result<Outcome> {
    let device = Device::flex();
    let train = load(args, Split::Train, environment)?;
    let test = load(args, Split::Test, environment)?;
    let config = ClassifierConfig {
        name: name(args)?,
        resolution: RESOLUTION,
        classes: train.class_names.len(),
        channels: CHANNELS,
        features: FEATURES,
    };
    let dataset = train.info.clone();
    let network = Classifier::new(&config, args.seed, &device)?;
    let network = fit(network, train, args, &device)?;
    let test_accuracy = accuracy(&network, test, &device)?;
    let info = ClassifierInfo {
        classifier: config,
        dataset,
        epochs: args.epochs,
        seed: args.seed,
        test_accuracy,
    };
    atomic_file::write(&args.out, &block_on(network.encode(&info, Dtype::F16))?)?;
    say!(
        "{}: {:.2} % of the real test images classified rightly after {} epochs",
        info.classifier.name,
        info.test_accuracy * 100.0,
        args.epochs
    );
    Ok(Outcome::Done)
}

/// The given name, or that of the file.
fn name(args: &ClassifierArgs) -> Result<String> {
    let of_file = || Some(args.out.file_stem()?.to_str()?.to_owned());
    let name = args.name.clone().or_else(of_file);
    name.with_context(|| format!("{} names no classifier; give --name", args.out.display()))
}

fn load(args: &ClassifierArgs, split: Split, environment: &Environment) -> Result<Dataset> {
    let section = DataSection::named(&args.dataset, args.data.clone());
    let request = DatasetRequest {
        section: &section,
        split,
        classes: args.classes,
    };
    let load = match split {
        Split::Train => dataset::load_to_train,
        Split::Test => dataset::load,
    };
    load(&request, RESOLUTION, environment.data_home.as_deref())
}

fn fit(
    mut network: Classifier,
    train: Dataset,
    args: &ClassifierArgs,
    device: &Device,
) -> Result<Classifier> {
    let steps = (train.len() * args.epochs).div_ceil(BATCH) as u64;
    let mut loader = Loader::new(train, args.seed, RESOLUTION);
    let mut adam = AdamMoments::default();
    let bar = Bar::new(
        steps as usize,
        "classifier {bar:24} {pos}/{len} steps  loss {msg}  {eta} left",
    );
    for step in 0..steps {
        let rule = AdamConfig {
            lr: if step * 3 < steps * 2 { LR } else { LR / 10.0 },
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
        };
        let batch = loader.batch(step * BATCH as u64, &BatchRows::all(BATCH), device)?;
        let (next, loss) =
            network.train_step(&mut adam, &rule, batch.images, batch.class_weights)?;
        network = next;
        if step % 50 == 0 {
            let loss = block_on(read_values(loss))?[0];
            ensure!(
                loss.is_finite(),
                "the classifier's loss is {loss} at step {step}"
            );
            bar.set_message(&format!("{loss:.3}"));
        }
        bar.inc(1);
    }
    Ok(network)
}

fn accuracy(network: &Classifier, test: Dataset, device: &Device) -> Result<f64> {
    let mut right = 0;
    let count = test.len();
    for first in (0..count).step_by(BATCH) {
        let indices = first..(first + BATCH).min(count);
        let images = test.images_pm1(indices.clone(), RESOLUTION, device)?;
        let predicted = crate::evaluation::features::predictions(network, images)?;
        right += indices
            .zip(predicted)
            .filter(|&(index, class)| usize::from(test.labels[index]) == class)
            .count();
    }
    Ok(right as f64 / count as f64)
}
