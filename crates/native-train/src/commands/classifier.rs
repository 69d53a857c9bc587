//! `native-train classifier`: trains the classifier in whose features `evaluate` measures.
//!
//! It sees real images only, and no generator is trained against it.

use anyhow::{Context, Result, ensure};
use biggan::file::Dtype;
use biggan::metrics::{Classifier, ClassifierConfig, ClassifierInfo};
use biggan::named::read_values;
use biggan::random::{Stream, permutation};
use biggan::train::{AdamConfig, AdamMoments, Order};
use burn::tensor::Device;
use pollster::block_on;

use crate::args::ClassifierArgs;
use crate::dataset::parts::Layout;
use crate::dataset::{self, Dataset, DatasetRequest, Split, class_folders, packed};
use crate::environment::Environment;
use crate::error::{Outcome, bad_usage};
use crate::recipe::data_section::DataSection;
use crate::run::atomic_file;
use crate::terminal::Bar;

/// Width of the first convolution.
const CHANNELS: usize = 16;
/// Length of the feature vector.
const FEATURES: usize = 128;
/// Images per step.
const BATCH: usize = 64;
/// Of so many training images one is held out, if there is no test part.
const HELD_OUT: usize = 10;
/// Step of the choice of those that are held out.
const SPLIT_STEP: u64 = u64::MAX - 1;
/// Learning rate of the first epoch; it falls to a tenth for the last third.
const LR: f64 = 1e-3;

/// Runs the command.
///
/// # Errors
/// If the data cannot be read or the file cannot be written.
pub fn run(args: &ClassifierArgs, environment: &Environment) -> Result<Outcome> {
    if args.resolution == 0 || !args.resolution.is_multiple_of(8) {
        return Err(bad_usage(format!(
            "--resolution is {}; it must be a multiple of 8, and that of the models to judge",
            args.resolution
        )));
    }
    let device = Device::flex();
    let section = DataSection {
        fit: args.square.fit,
        background: args.square.background,
        ..DataSection::named(&args.dataset, args.data.clone())
    };
    let classes = match args.classes {
        Some(classes) => classes,
        None => classes_of(&section)?,
    };
    let (resolution, data_home) = (args.resolution, environment.data_home.as_deref());
    let request = |split| DatasetRequest {
        section: &section,
        split,
        classes,
    };
    let train = dataset::load_to_train(&request(Split::Train), resolution, data_home)?;
    let config = ClassifierConfig {
        name: name(args)?,
        resolution: args.resolution,
        classes,
        channels: CHANNELS,
        features: FEATURES,
    };
    let network = Classifier::new(&config, args.seed, &device)?;
    let of_test = request(Split::Test);
    // what is fetched has a test part
    let fetched = dataset::by_name(&args.dataset)?.fetch.is_some();
    let (kept, test) = match fetched || dataset::has_test_part(&of_test, resolution, data_home)? {
        true => {
            let part = dataset::load(&of_test, resolution, data_home)?;
            ((0..train.len()).collect(), Test::Part(Box::new(part)))
        }
        false => {
            let [kept, held_out] = split(train.len(), args.seed)?;
            note!(
                "note: {} has no test part: {} of its {} images are held out, chosen by the seed",
                train.info.name,
                held_out.len(),
                train.len()
            );
            (kept, Test::HeldOut(held_out))
        }
    };
    let network = fit(network, &train, &kept, args, &device)?;
    let (tested, indices) = match &test {
        Test::Part(part) => (&**part, (0..part.len()).collect()),
        Test::HeldOut(indices) => (&train, indices.clone()),
    };
    let test_accuracy = accuracy(&network, tested, &indices, &device)?;
    let of = match &test {
        Test::Part(_) => "the real test images".to_owned(),
        Test::HeldOut(indices) => format!("{} real images that were held out", indices.len()),
    };
    let info = ClassifierInfo {
        classifier: config,
        class_names: train.class_names,
        dataset: train.info,
        epochs: args.epochs,
        seed: args.seed,
        test_accuracy,
        held_out: match test {
            Test::Part(_) => None,
            Test::HeldOut(indices) => Some(indices.len()),
        },
    };
    let bytes = block_on(network.encode(&info, Dtype::F16))?;
    // what was trained must be readable before it takes a place
    Classifier::decode(&bytes, &device)?;
    atomic_file::write(&args.out, &bytes)?;
    say!(
        "{}: {:.2} % of {of} classified rightly after {} epochs",
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

/// Real images that the classifier does not train on.
enum Test {
    /// The data set's own part.
    Part(Box<Dataset>),
    /// Some of the training images.
    HeldOut(Vec<usize>),
}

/// Number of classes of a data set.
fn classes_of(section: &DataSection) -> Result<usize> {
    let directory = section.path.as_deref();
    match (&*section.dataset, directory) {
        ("image-folder", Some(directory)) => {
            let parts = Layout::find(directory)?;
            Ok(class_folders::list(parts.part(Split::Train)?)?.0.len())
        }
        ("packed", Some(directory)) => {
            let path = directory.join(packed::file_name(Split::Train));
            let opened = packed::open(&path).with_context(|| path.display().to_string())?;
            Ok(opened.class_names.len())
        }
        ("cifar100", _) => Ok(100),
        _ => Ok(10),
    }
}

/// Training images and images to test on, chosen by a permutation: files are in the order of their classes.
fn split(images: usize, seed: u64) -> Result<[Vec<usize>; 2]> {
    ensure!(
        images >= 2,
        "{images} images; a classifier needs one to train on and one to test on"
    );
    let order = permutation(seed, Stream::EvaluationChoice, SPLIT_STEP, images);
    let mut order = order.into_iter().map(|index| index as usize);
    let held_out: Vec<usize> = order.by_ref().take(images.div_ceil(HELD_OUT)).collect();
    let mut kept: Vec<usize> = order.collect();
    kept.sort_unstable();
    Ok([kept, held_out])
}

fn fit(
    mut network: Classifier,
    train: &Dataset,
    kept: &[usize],
    args: &ClassifierArgs,
    device: &Device,
) -> Result<Classifier> {
    let steps = (kept.len() * args.epochs).div_ceil(BATCH) as u64;
    let mut order = Order::new(args.seed, kept.len());
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
        let first = step * BATCH as u64;
        let places = order.indices(first..first + BATCH as u64);
        let indices: Vec<usize> = places.into_iter().map(|place| kept[place]).collect();
        let batch = train.reals(&indices, args.resolution, device)?;
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

fn accuracy(
    network: &Classifier,
    data: &Dataset,
    indices: &[usize],
    device: &Device,
) -> Result<f64> {
    let side = network.config().resolution;
    let mut right = 0;
    for indices in indices.chunks(BATCH) {
        let images = data.reals(indices, side, device)?.images;
        let predicted = crate::evaluation::features::predictions(network, images)?;
        let known = indices.iter().map(|&index| usize::from(data.labels[index]));
        right += known
            .zip(predicted)
            .filter(|(label, class)| label == class)
            .count();
    }
    Ok(right as f64 / indices.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_that_are_held_out_are_of_the_whole_set() {
        let [kept, held_out] = split(1000, 1).unwrap();
        assert_eq!((kept.len(), held_out.len()), (900, 100));
        let mut all = [kept, held_out.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, (0..1000).collect::<Vec<_>>());
        let of_first_half = held_out.iter().filter(|&&index| index < 500).count();
        assert!((25..75).contains(&of_first_half), "{of_first_half}");
        assert!(split(1, 1).is_err());
    }
}
