//! How often a GPU is given work: launches of kernels in a round of training and in a sampled picture. They are the same
//! on every driver, so lavapipe counts them for all GPUs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use biggan::Error;
use biggan::train::{Gradients, Noise, Ranks, TrainState, Which, round};
use cubecl_runtime::logging::{LaunchObservation, LaunchObserver};
use native_train::recipe::plan::Plan;
use pollster::block_on;

use crate::gpu::gpu;

/// Launches by the name of the kernel.
#[derive(Debug, Default)]
struct Launches(Mutex<BTreeMap<&'static str, usize>>);

impl LaunchObserver for Launches {
    fn launched(&self, kernel: &'static str) {
        *self.0.lock().unwrap().entry(kernel).or_default() += 1;
    }
}

/// What a piece of work launches, the most frequent first.
fn launches(work: impl FnOnce()) -> Vec<(usize, &'static str)> {
    let counted = Arc::new(Launches::default());
    let observation = LaunchObservation::new(counted.clone());
    work();
    drop(observation);
    let counts = std::mem::take(&mut *counted.0.lock().unwrap());
    let mut counts: Vec<_> = counts
        .into_iter()
        .map(|(name, count)| (count, name))
        .collect();
    counts.sort_by(|a, b| b.cmp(a));
    counts
}

/// Launches of a round of a recipe that ships, after one that warms up; widths and batch change none of them.
fn of_a_round(recipe: &str, settings: &[&str]) -> usize {
    let settings: Vec<String> = settings.iter().map(|s| (*s).to_owned()).collect();
    let plan = Plan::parse(recipe, &settings).unwrap();
    let config = plan.train();
    let device = gpu();
    let mut state = Some(TrainState::new(config, &device).unwrap());
    let (ranks, mut reals) = (Ranks::single(), Noise::new(config));
    let mut one = || {
        let before = state.take().unwrap();
        let round = round::<Error>(
            before,
            config,
            &ranks,
            &mut reals,
            Which::Both,
            Gradients::Dropped,
            &device,
        );
        state = Some(block_on(round).unwrap().0);
    };
    one();
    let counts = launches(&mut one);
    let sum = counts.iter().map(|(count, _)| count).sum();
    println!("{}: {sum} launches a round", plan.name());
    for (count, name) in counts.iter().take(40) {
        println!("{count:6}  {name}");
    }
    sum
}

#[test]
fn a_round_of_fashion32() {
    let recipe = include_str!("../../configs/fashion32.toml");
    let small = [
        "train.generator.channels=4",
        "train.discriminator.channels=4",
        "train.batch_size=4",
    ];
    assert!(of_a_round(recipe, &small) <= 1_700);
}

#[test]
fn a_round_of_biggan_128() {
    let recipe = include_str!("../../configs/biggan128.toml");
    let small = [
        "train.generator.channels=2",
        "train.discriminator.channels=2",
        "train.batch_size=4",
        "train.generator.classes=10",
        "train.discriminator.classes=10",
    ];
    assert!(of_a_round(recipe, &small) <= 3_130);
}
