use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

use super::*;
use crate::named::HostTensors;
use crate::train::{CheckpointInfo, Objective, Operation, TrainConfig};

fn recipe() -> ShortRecipe {
    ShortRecipe {
        width: 2,
        z_dim: 6,
        embedding: 64,
        batch_size: 4,
        rate_g: 2e-4,
        rate_d: 2e-4,
        d_steps: 2,
        orthogonal: 1e-4,
        ema_decay: 0.9,
        ema_start: 0,
        augment: vec![],
        attention: false,
        seed: 3,
    }
}

fn images(brightness: u8) -> TrainingImages {
    let rgb: Vec<u8> = (0..9 * 16 * 16 * 3)
        .map(|i: usize| (i * i % 251) as u8 / 2 + brightness)
        .collect();
    let labels = (0..9).map(|i| i % 2).collect();
    let names = vec!["a".to_owned(), "b".to_owned()];
    TrainingImages::new("nine".to_owned(), names, 16, &rgb, labels).unwrap()
}

fn session() -> Session {
    Session::start(recipe(), images(0), Device::flex()).unwrap()
}

fn checkpoint(session: &Session) -> Vec<u8> {
    pollster::block_on(session.checkpoint(Map::new())).unwrap()
}

fn step(session: &mut Session, which: Which) -> RoundReport {
    pollster::block_on(session.step(which)).unwrap()
}

#[test]
fn single_steps_are_the_parts_of_a_round() {
    let (mut whole, mut parts) = (session(), session());
    let round = step(&mut whole, Which::Both);
    let first = step(&mut parts, Which::D);
    let second = step(&mut parts, Which::D);
    let last = step(&mut parts, Which::G);
    assert_eq!((first.g_step, first.d_step, first.images_seen), (0, 1, 4));
    assert_eq!((round.g_step, round.d_step, round.images_seen), (1, 2, 8));
    let mean = (first.loss_d.unwrap() + second.loss_d.unwrap()) / 2.0;
    assert!((round.loss_d.unwrap() - mean).abs() < 1e-12);
    assert_eq!((first.loss_g, round.loss_g), (None, last.loss_g));
}

fn whole_state(session: &Session) -> HostTensors {
    pollster::block_on(session.state().unwrap().to_host()).unwrap()
}

/// Also where G is paired with the reals that D saw last, and where gradients are measured or kept.
#[test]
fn rounds_alone_in_parts_and_of_a_session_take_the_same_bits() {
    for objective in [Objective::Hinge, Objective::RelativisticPairing] {
        let (mut whole, mut parts) = (session(), session());
        for session in [&mut whole, &mut parts] {
            session.config.techniques.objective = objective;
        }
        let config = whole.config.clone();
        let mut state = TrainState::new(&config, &Device::flex()).unwrap();
        let mut reals = images(0).in_order(config.seed);
        let mut kept = BTreeMap::new();
        for measured in [true, false, true] {
            let gradients = match measured {
                true => Gradients::Measured,
                false => Gradients::Kept(&mut kept),
            };
            let report;
            (state, report) = pollster::block_on(round::<Error>(
                state,
                &config,
                &Ranks::single(),
                &mut reals,
                Which::Both,
                gradients,
                &Device::flex(),
            ))
            .unwrap();
            let expected = step(&mut whole, Which::Both);
            assert!(report.values().eq(expected.values()), "{report:?}");
            assert_eq!(report.gradient_norm_d.is_some(), measured);
            assert_eq!(report.gradient_norm_g.is_some(), measured);
            for which in [Which::D, Which::D, Which::G] {
                step(&mut parts, which);
            }
        }
        let expected = pollster::block_on(state.to_host()).unwrap();
        assert!(expected == whole_state(&whole), "{objective:?}");
        assert!(expected == whole_state(&parts), "{objective:?}, in parts");
        assert_eq!(
            kept.into_keys().collect::<Vec<_>>(),
            ["discriminator", "generator"]
        );
    }
}

#[test]
fn a_resumed_session_goes_on_to_the_last_bit() {
    let mut straight = session();
    step(&mut straight, Which::Both);
    let saved = checkpoint(&straight);
    let expected = step(&mut straight, Which::Both);
    let mut resumed = session();
    resumed.resume(&saved).unwrap();
    assert_eq!(step(&mut resumed, Which::Both), expected);
    let ends = [&straight, &resumed].map(checkpoint);
    assert!(ends[0] == ends[1], "the checkpoints differ");
}

#[test]
fn other_checkpoints_are_refused_and_the_state_stays() {
    let mut one = session();
    step(&mut one, Which::Both);
    let saved = checkpoint(&one);
    let refused = |other: ShortRecipe, brightness: u8, bytes: &[u8], part: &str| {
        let mut session = Session::start(other, images(brightness), Device::flex()).unwrap();
        let message = session.resume(bytes).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
        assert_eq!(step(&mut session, Which::G).g_step, 1);
    };
    refused(recipe(), 1, &saved, "of other images");
    let wider = ShortRecipe {
        width: 3,
        ..recipe()
    };
    refused(wider, 0, &saved, "of other networks");
    refused(recipe(), 0, &saved[..saved.len() - 1], "not a whole");
    let version = br#""format_version":"1""#;
    let at = saved.windows(version.len()).position(|w| w == version);
    let mut newer = saved.clone();
    newer[at.unwrap() + version.len() - 2] = b'9';
    refused(recipe(), 0, &newer, "format_version is 9, expected 1");
    // rates may change
    let mut slower = Session::start(
        ShortRecipe {
            rate_g: 1e-5,
            ..recipe()
        },
        images(0),
        Device::flex(),
    )
    .unwrap();
    slower.resume(&saved).unwrap();
}

/// A checkpoint with the configuration and plan of a run of `native-train`.
fn native(bytes: &[u8], change: impl FnOnce(&mut TrainConfig, &mut Map<String, Value>)) -> Vec<u8> {
    let (mut info, tensors) = CheckpointInfo::<Map<String, Value>>::decode(bytes).unwrap();
    info.more.clear();
    change(&mut info.config, &mut info.plan);
    info.encode(&tensors).unwrap()
}

#[test]
fn a_native_checkpoint_with_techniques_that_a_session_drops_is_refused_by_name() {
    let mut one = session();
    step(&mut one, Which::Both);
    let saved = checkpoint(&one);
    let mut resumed = session();
    // rates, batch and average are the recipe's in a session
    let faster = native(&saved, |config, _| {
        config.adam_g.lr = 1e-3;
        config.batch_size = 8;
        config.ema.decay = 0.5;
    });
    resumed.resume(&faster).unwrap();
    let techniques = |json: &str| {
        let techniques = serde_json::from_str(json).unwrap();
        native(&saved, |config, _| config.techniques = techniques)
    };
    let flipped = native(&saved, |_, plan| {
        plan.insert("data".to_owned(), json!({"flip": true}));
    });
    let slower_moments = native(&saved, |config, _| config.adam_d.beta2 = 0.99);
    let half_of_orthogonal = native(&saved, |config, _| config.orthogonal_factor = 2.0);
    for (bytes, part) in [
        (
            techniques(r#"{"r1": {"gamma": 10.0}}"#),
            "techniques.r1 {\"every\":1,\"gamma\":10.0}",
        ),
        (techniques(r#"{"r2": {"gamma": 1.0}}"#), "techniques.r2"),
        (
            techniques(r#"{"lecam": {"strength": 0.3}}"#),
            "techniques.lecam",
        ),
        (
            techniques(r#"{"objective": "wasserstein"}"#),
            "techniques.objective \"wasserstein\"",
        ),
        (
            techniques(r#"{"augment": {"operations": ["color"], "ada_target": 0.6}}"#),
            "ada_target",
        ),
        (
            techniques(r#"{"augment": {"operations": ["color"]}}"#),
            "techniques.augment",
        ),
        (
            techniques(r#"{"micro_batch": 2}"#),
            "techniques.micro_batch 2",
        ),
        (flipped, "data.flip true"),
        (
            slower_moments,
            "adam_d.beta2 0.99, expected adam_d.beta2 0.999",
        ),
        (half_of_orthogonal, "orthogonal_factor 2"),
    ] {
        let message = resumed.resume(&bytes).unwrap_err().to_string();
        assert!(message.contains(part), "{message} lacks {part}");
        assert!(
            message.contains("continue it with native-train"),
            "{message}"
        );
    }
    // the state is that of the last checkpoint that was read
    assert_eq!(step(&mut resumed, Which::G).g_step, 2);
}

#[test]
fn a_checkpoint_of_a_session_goes_on_with_other_augmentations() {
    let saved = checkpoint(&session());
    let augmented = ShortRecipe {
        augment: vec![Operation::Color],
        ..recipe()
    };
    let mut other = Session::start(augmented, images(0), Device::flex()).unwrap();
    other.resume(&saved).unwrap();
}

#[test]
fn a_probe_changes_nothing_and_a_model_loads() {
    let mut session = session();
    step(&mut session, Which::Both);
    let before = checkpoint(&session);
    let probe = pollster::block_on(session.probe(3, 5)).unwrap();
    assert_eq!(probe.grid.classes, [0, 0, 0, 1, 1, 1]);
    assert_eq!(probe.real.rgba.len(), 5);
    assert_eq!(probe.fake.scores.len(), 5);
    assert!(
        probe.sigmas.contains_key("generator.linear.weight"),
        "{:?}",
        probe.sigmas
    );
    assert!(before == checkpoint(&session));
    let model = pollster::block_on(session.model("test 1", "test")).unwrap();
    let open = crate::file::OpenModel::file(&model).unwrap();
    crate::sampler::Sampler::open(open, &Device::flex()).unwrap();
}

#[test]
fn a_diverged_training_says_so_and_can_go_back() {
    let fast = ShortRecipe {
        rate_d: 1.0,
        rate_g: 1.0,
        ..recipe()
    };
    let mut session = Session::start(fast, images(0), Device::flex()).unwrap();
    let start = checkpoint(&session);
    let mut state = session.state.take().unwrap();
    state.generator =
        crate::named::map_tensors(state.generator, |_, t| Ok(t.values * f64::NAN)).unwrap();
    session.state = Some(state);
    let message = pollster::block_on(session.step(Which::D))
        .unwrap_err()
        .to_string();
    assert!(message.contains("diverged"), "{message}");
    let message = pollster::block_on(session.step(Which::D))
        .unwrap_err()
        .to_string();
    assert!(message.contains("load a checkpoint"), "{message}");
    session.resume(&start).unwrap();
    step(&mut session, Which::Both);
}

#[test]
fn a_run_starts_from_the_networks_of_a_checkpoint_or_a_model() {
    let mut trained = session();
    step(&mut trained, Which::Both);
    let start =
        |networks: &[u8], images| Session::start_from(networks, recipe(), images, Device::flex());
    let begun = start(&checkpoint(&trained), images(0)).unwrap();
    let [before, after] = [&trained, &begun].map(whole_state);
    for (name, tensor) in &after.0 {
        let is_network = !(name.starts_with("adam") || name.starts_with("controls"));
        // found anew where classes were rearranged
        if is_network && !name.ends_with("embed.u") {
            assert_eq!(*tensor, before.0[name], "{name}");
        }
    }
    assert_eq!(begun.counters().unwrap().g_step, 0);

    let model = pollster::block_on(trained.model("tests", "tests")).unwrap();
    let mut from_model = start(&model, images(0)).unwrap();
    let mut seeded = recipe();
    seeded.seed += 1;
    let stranger = Session::start(seeded, images(0), Device::flex()).unwrap();
    let stranger = start(&checkpoint(&stranger), images(0)).unwrap();
    let [same, other] = [&trained, &stranger].map(|other| distance(&from_model, other));
    assert!(same < 0.1 * other, "{same} {other}");
    step(&mut from_model, Which::Both);

    let says = |result: Result<Session>, text: &str| {
        let message = result.unwrap_err().to_string();
        assert!(message.contains(text), "{message}");
    };
    let mut wider = recipe();
    wider.width = 3;
    let other = Session::start_from(&model, wider, images(0), Device::flex());
    says(other, "generator.channels");
    says(start(&model[..model.len() - 1], images(0)), "");
    says(start(b"no networks", images(0)), "");
}

/// Mean distance of what two sessions draw of the same latents.
fn distance(one: &Session, other: &Session) -> f32 {
    let [one, other] = [one, other].map(|session| {
        let report = pollster::block_on(session.probe(8, 1)).unwrap();
        report.grid.rgba.concat()
    });
    let gaps = one
        .iter()
        .zip(&other)
        .map(|(a, b)| f32::from(a.abs_diff(*b)));
    gaps.sum::<f32>() / one.len() as f32
}
