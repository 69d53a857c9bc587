//! Several ranks train as one process with the whole batch does.

use burn::tensor::{Device, Tensor, TensorData};
use pollster::FutureExt;

use super::*;
use crate::collective::{Group, threads};
use crate::latent::one_hot;
use crate::named::{HostTensors, read_values};
use crate::random::{Draws, Stream};

/// What three rounds of a rank computed; gradients, losses and statistics are those of the first.
struct Rounds {
    losses: Vec<f32>,
    gradients: Vec<(String, Vec<f32>)>,
    statistics: Vec<(String, Vec<f32>)>,
    state: HostTensors,
    /// Sums over ranks in one round, and values in them.
    traffic: [u64; 2],
}

fn config(batch_size: usize, techniques: &str) -> TrainConfig {
    let mut config = check_config(3);
    config.batch_size = batch_size;
    config.techniques = serde_json::from_str(techniques).unwrap();
    config.validate().unwrap();
    config
}

fn reals(config: &TrainConfig, ranks: &Ranks, step: u64) -> RealBatch {
    let r = config.generator.resolution;
    let numbers: Vec<usize> = ranks.rows(config).into_iter().flatten().collect();
    let pixels = numbers.iter().flat_map(|&number| {
        let mut draws = Draws::new(7, Stream::DataOrder, step, number as u64);
        (0..3 * r * r).map(move |_| (2.0 * draws.uniform() - 1.0) as f32)
    });
    let data = TensorData::new(pixels.collect::<Vec<_>>(), [numbers.len(), 3, r, r]);
    let classes: Vec<usize> = numbers.iter().map(|number| number % 3).collect();
    RealBatch {
        images: Tensor::from_data(data, &Device::flex()),
        class_weights: one_hot(&classes, config.generator.classes, &Device::flex()),
    }
}

fn read(t: Tensor<1>) -> Vec<f32> {
    read_values(t).block_on().unwrap()
}

fn rounds(config: &TrainConfig, ranks: &Ranks) -> Rounds {
    let device = Device::flex();
    let mut state = TrainState::new(config, &device).unwrap();
    let mut first = None;
    for step in 0..3 {
        let real = reals(config, ranks, step);
        let fakes = |stream| config.fakes(stream, step, ranks, &device);
        let (next, d) = discriminator_step(
            state,
            config,
            ranks,
            real.clone(),
            fakes(Stream::DiscriminatorFakes),
        )
        .unwrap();
        let pairs = config.techniques.objective.pairs().then_some(&real);
        let fakes = fakes(Stream::GeneratorFakes);
        let (next, g) = generator_step(next, config, ranks, fakes, pairs).unwrap();
        state = next;
        first.get_or_insert_with(|| {
            let of = |prefix: &'static str, gradients: Gradient| {
                let named = move |(name, values)| (format!("{prefix}.{name}"), read(values));
                gradients.into_iter().map(named)
            };
            let penalties = d.penalties.iter().flatten().cloned().flat_map(read);
            let losses = [d.loss.clone(), g.loss.clone()].into_iter().flat_map(read);
            let tensors = state.to_host().block_on().unwrap().0;
            let is_statistic = |name: &str| name.ends_with("mean") || name.ends_with("variance");
            let statistics = tensors.into_iter().filter(|(name, _)| is_statistic(name));
            (
                losses.chain(penalties).collect::<Vec<f32>>(),
                of("d", d.gradients).chain(of("g", g.gradients)).collect(),
                statistics.map(|(name, t)| (name, t.values)).collect(),
            )
        });
    }
    let (losses, gradients, statistics) = first.unwrap();
    Rounds {
        losses,
        gradients,
        statistics,
        state: state.to_host().block_on().unwrap(),
        traffic: ranks.world().traffic().map(|count| count / 3),
    }
}

/// The first value that is further away than `1e-5 + 1e-4 max |expected|`.
fn apart(found: &[(String, Vec<f32>)], expected: &[(String, Vec<f32>)]) -> Option<String> {
    let names = |all: &[(String, Vec<f32>)]| all.iter().map(|(n, _)| n.clone()).collect::<Vec<_>>();
    assert_eq!(names(found), names(expected));
    found
        .iter()
        .zip(expected)
        .find_map(|((name, found), (_, expected))| {
            let largest = expected.iter().fold(0.0f32, |most, v| most.max(v.abs()));
            let allowed = 1e-5 + 1e-4 * largest;
            let mut pairs = found.iter().zip(expected);
            let pair = pairs.find(|(a, b)| (**a - **b).abs() > allowed || a.is_nan())?;
            Some(format!("{name}: {pair:?} with {allowed} allowed"))
        })
}

fn named(losses: &[f32]) -> Vec<(String, Vec<f32>)> {
    vec![("losses".to_owned(), losses.to_vec())]
}

/// Share of weights and averages that are within 1e-4.
fn close(found: &HostTensors, expected: &HostTensors) -> f64 {
    let (mut all, mut close) = (0u32, 0u32);
    for (name, tensor) in &expected.0 {
        if name.starts_with("adam") || name.starts_with("controls") {
            continue;
        }
        for (a, b) in tensor.values.iter().zip(&found.0[name].values) {
            all += 1;
            close += u32::from((a - b).abs() <= 1e-4);
        }
    }
    f64::from(close) / f64::from(all)
}

fn of_ranks(config: &TrainConfig, world: usize) -> Vec<Rounds> {
    threads::run(world, |group| {
        rounds(config, &Ranks::new(group.clone(), group))
    })
}

#[test]
fn ranks_train_as_one_process() {
    // even, uneven, and empty parts
    for (batch_size, world) in [(6, 2), (6, 3), (4, 3), (2, 3)] {
        for techniques in [
            "{}",
            r#"{"objective": "relativistic_pairing", "r1": {"gamma": 1.0}, "r2": {"gamma": 1.0}}"#,
            r#"{"lecam": {"strength": 0.3}, "augment": {"operations": ["color", "translation"], "ada_target": 0.6}}"#,
            r#"{"top_k": {"gamma": 0.5, "floor": 0.5, "interval_steps": 1}}"#,
            r#"{"micro_batch": 2, "sigma_clamp": {"kind": "fixed", "sigma": 0.9}}"#,
        ] {
            let config = config(batch_size, techniques);
            let one = rounds(&config, &Ranks::single());
            let all = of_ranks(&config, world);
            let what = format!("{world} ranks, {batch_size} images, {techniques}");
            for rank in &all {
                assert_eq!(
                    apart(&named(&rank.losses), &named(&one.losses)),
                    None,
                    "{what}"
                );
                assert_eq!(apart(&rank.gradients, &one.gradients), None, "{what}");
                assert_eq!(apart(&rank.statistics, &one.statistics), None, "{what}");
                let close = close(&rank.state, &one.state);
                assert!(close >= 0.995, "{what}: {close} of the weights agree");
                // bit for bit
                assert_eq!(rank.state, all[0].state, "{what}");
                let expected = RoundTraffic::count(&config, world, world).unwrap();
                assert_eq!(rank.traffic, expected.total(), "{what}");
            }
        }
    }
}

#[test]
fn statistics_of_each_rank_alone_are_another_training() {
    let config = config(6, "{}");
    let one = rounds(&config, &Ranks::single());
    let local = threads::run(2, |group| {
        rounds(&config, &Ranks::new(group, Group::single()))
    });
    assert!(apart(&local[0].gradients, &one.gradients).is_some());
    assert!(apart(&local[0].statistics, &one.statistics).is_some());
    // and yet one state
    assert_eq!(local[0].state, local[1].state);
}

#[test]
fn groups_of_batch_norm_have_the_statistics_of_their_images() {
    let config = config(8, r#"{"bn_group": 2}"#);
    let norm = [threads::groups(2), threads::groups(2)].concat();
    let norm = std::sync::Mutex::new(norm.into_iter().enumerate().collect::<Vec<_>>());
    let groups = threads::run(4, |world| {
        let at = |all: &mut Vec<(usize, Group)>| {
            let place = all.iter().position(|(rank, _)| *rank == world.rank());
            all.swap_remove(place.unwrap()).1
        };
        let ranks = Ranks::new(world.clone(), at(&mut norm.lock().unwrap()));
        ranks.check(&config).unwrap();
        rounds(&config, &ranks)
    });
    // two ranks with the halves, each with its own statistics, are the same groups
    let halves = threads::run(2, |group| {
        rounds(&config, &Ranks::new(group, Group::single()))
    });
    for rank in &groups {
        assert_eq!(apart(&rank.gradients, &halves[0].gradients), None);
        assert_eq!(apart(&rank.statistics, &halves[0].statistics), None);
        assert_eq!(rank.state, groups[0].state);
    }
}
