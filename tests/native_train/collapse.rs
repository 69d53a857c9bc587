//! A training that collapses: what it leaves behind, and how it goes on.

use std::path::PathBuf;

use native_train::recipe::collapse_action::Action;
use native_train::records::alarm::Signal;
use native_train::records::event::Event;
use native_train::records::intervention::Intervention;

use crate::support::runs::{NERVOUS, assert_same_bits, content, kept};
use crate::support::setting::{Setting, png_size, refusal, stderr};

/// Collapses within seconds: rates at which the logits of D overflow or G's first layer explodes.
const ABSURD: [&str; 10] = [
    "--set",
    "train.adam_g.lr=0.9",
    "--set",
    "train.adam_d.lr=0.9",
    "--set",
    "train.generator.spectral_norm=false",
    "--set",
    "run.log_every_steps=1",
    "--set",
    "run.checkpoint_every_images=16",
];

const RUN: [&str; 4] = ["--config", "tiny.toml", "--out", "run"];

fn with<'a>(parts: &[&[&'a str]]) -> Vec<&'a str> {
    [&[&RUN[..], &ABSURD[..]], parts].concat().concat()
}

fn events(setting: &Setting, run: &str) -> Vec<Intervention> {
    let text = std::fs::read_to_string(setting.path(run).join("events.jsonl")).unwrap();
    let events = text.lines().map(|line| serde_json::from_str(line).unwrap());
    events
        .map(|event| match event {
            Event::Collapse(collapse) => collapse,
            other => panic!("{other:?}"),
        })
        .collect()
}

fn evidence(setting: &Setting, collapse: &Intervention) -> PathBuf {
    let images = collapse.alarm.images_seen;
    setting.path("run/collapse").join(format!("{images:012}"))
}

#[test]
fn a_collapse_ends_the_run_with_a_good_checkpoint_and_exit_code_3() {
    let setting = Setting::new();
    let said = refusal(
        &setting.run(&with(&[&["--steps", "200"]])),
        3,
        &[
            "training collapsed after",
            "the run ends with checkpoint run/checkpoints/",
            "evidence in run/collapse/",
            "--resume --set run.collapse.action=lower_rates",
            "adam_g.lr 0.9",
        ],
    );
    let events = events(&setting, "run");
    assert_eq!(events.len(), 1, "{events:?}");
    let collapse = &events[0];
    assert_eq!(collapse.action, Action::Stop);
    assert_ne!(collapse.alarm.signal, Signal::NotFinite, "{said}");
    assert!(collapse.alarm.value.is_some() && collapse.alarm.threshold.is_some());
    // back before the trouble, and nothing newer is left
    let newest = *kept(&setting, "run").last().unwrap();
    assert_eq!(newest, collapse.back_to_images);
    assert!(newest < collapse.alarm.images_seen, "{said}");

    let directory = evidence(&setting, collapse);
    let text = std::fs::read_to_string(directory.join("collapse.json")).unwrap();
    let verdict: Intervention = serde_json::from_str(&text).unwrap();
    assert_eq!(verdict, *collapse);
    let sheet = (8 * 34 + 2, 3 * 34 + 2);
    assert_eq!(png_size(&directory.join("live.png")), sheet);
    assert_eq!(png_size(&directory.join("average.png")), sheet);
    let log = std::fs::read_to_string(directory.join("log.jsonl")).unwrap();
    let last: serde_json::Value = serde_json::from_str(log.lines().next_back().unwrap()).unwrap();
    assert_eq!(last["images_seen"], collapse.alarm.images_seen);
    assert!(last["vitals"]["sigma"]["generator.linear.weight"].is_number());
    let (_, counters) = content(&directory.join("checkpoint.safetensors"));
    assert_eq!(counters.images_seen, collapse.alarm.images_seen);

    // the same again would end the same way
    let refused = with(&[&["--resume", "--steps", "1"]]);
    setting.refused(
        2,
        &refused,
        &["ended by collapse at", "lower_rates", "enabled=false"],
    );
    // as the message says
    let lower = [
        "--resume",
        "--steps",
        "3",
        "--set",
        "run.collapse.action.kind=lower_rates",
    ];
    let output = setting.run(&with(&[
        &lower,
        &["--set", "run.collapse.action.factor_g=0.001"],
    ]));
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains("learning rate of G times 0.001"));
    assert_eq!(crate::collapse::events(&setting, "run").len(), 2);
    // and what has gone on is not stopped again
    setting.ok(&with(&[&["--resume", "--steps", "0"]]));
}

#[test]
fn a_value_that_is_not_finite_is_a_collapse() {
    let setting = Setting::new();
    let args = ["--set", "run.checkpoint_every_images=8", "--steps", "9"];
    setting.train("run", 2, &args[..2]);
    let bad = ["--resume", "--set", "run.images=1000"];
    // weights of NaN, as a broken disk or driver may leave them
    let path = setting.newest_checkpoint("run");
    let bytes = std::fs::read(&path).unwrap();
    let mut checkpoint = native_train::run::checkpoint::Checkpoint::decode(&bytes).unwrap();
    let weight = checkpoint
        .tensors
        .0
        .get_mut("generator.linear.weight")
        .unwrap();
    weight.values.fill(f32::NAN);
    std::fs::write(&path, checkpoint.encode().unwrap()).unwrap();
    let output = setting.run(&[&RUN[..], &args, &bad].concat());
    refusal(
        &output,
        3,
        &["is NaN at generator step 2", "checkpoints/000000000008"],
    );
    let events = events(&setting, "run");
    assert_eq!(events[0].alarm.signal, Signal::NotFinite);
    let directory = evidence(&setting, &events[0]);
    assert!(directory.join("collapse.json").exists());
    assert!(
        !directory.join("checkpoint.safetensors").exists(),
        "it is not finite"
    );
}

#[test]
fn the_first_step_may_collapse() {
    let setting = Setting::new();
    let overflow = ["--steps", "9", "--set", "train.orthogonal=1e38"];
    let args = [&RUN[..], &overflow].concat();
    setting.refused(3, &args, &["is NaN", "no checkpoint is from before it"]);
    assert!(kept(&setting, "run").is_empty());
    // and the directory may be used again
    setting.train("run", 1, &[]);

    // with another action training begins again, as often as allowed
    let again = ["--out", "again", "--set", "run.collapse.action=other_seed"];
    let args = [&["--config", "tiny.toml"], &overflow[..], &again].concat();
    let error = setting.refused(3, &args, &["collapse 4 of this run", "max_rollbacks=4"]);
    assert!(error.contains("000000000000"), "{error}");
    assert_eq!(events(&setting, "again").len(), 4);
}

#[test]
fn an_action_survives_a_kill() {
    let setting = Setting::new();
    let lower = [
        "--set",
        "run.collapse.action.kind=lower_rates",
        "--set",
        "run.collapse.action.factor_g=0.001",
        "--set",
        "run.collapse.action.factor_d=0.001",
        "--set",
        "run.keep_checkpoints=100",
    ];
    let output = setting.run(&[&RUN[..], &NERVOUS, &lower, &["--steps", "40"]].concat());
    let text = stderr(&output);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("training collapsed after"), "{text}");
    let first = &events(&setting, "run")[0];
    let newest = setting.newest_checkpoint("run");
    let at_end = setting.path("end.safetensors");
    std::fs::copy(&newest, &at_end).unwrap();
    let bytes = std::fs::read(&newest).unwrap();
    let checkpoint = native_train::run::checkpoint::Checkpoint::decode(&bytes).unwrap();
    assert_eq!(checkpoint.interventions, events(&setting, "run"));

    // killed some steps after going back: the checkpoints since then are lost, and the event's line
    let back_to = first.back_to_images;
    for path in crate::support::setting::checkpoints(&setting.path("run")) {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        if stem.parse::<u64>().unwrap() > back_to + 16 {
            std::fs::remove_file(path).unwrap();
        }
    }
    std::fs::remove_file(setting.path("run/events.jsonl")).unwrap();
    let (_, counters) = content(&setting.newest_checkpoint("run"));
    let steps = (40 - counters.g_step).to_string();
    let output =
        setting.run(&[&RUN[..], &NERVOUS, &lower, &["--resume", "--steps", &steps]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    assert_same_bits(&at_end, &setting.newest_checkpoint("run"));
    assert_eq!(events(&setting, "run")[0], *first);
}

#[test]
fn going_back_beyond_an_amendment_keeps_it() {
    let setting = Setting::new();
    let calm = ["--set", "run.checkpoint_every_images=16"];
    setting.train("run", 4, &calm);
    // none is written in between
    let seldom = ["--set", "run.checkpoint_every_images=100000"];
    let nervous = [&RUN[..], &NERVOUS, &seldom].concat();
    let args = [&nervous[..], &["--resume", "--amend", "--steps", "20"]].concat();
    setting.refused(3, &args, &["jumped"]);
    assert_eq!(
        setting.newest_checkpoint("run").file_name().unwrap(),
        "000000000032.safetensors"
    );
    // without --amend: the recipe is that of the checkpoint
    setting.refused(
        2,
        &[&nervous[..], &["--resume"]].concat(),
        &["ended by collapse at"],
    );
}

#[test]
fn a_frozen_generator_does_not_move() {
    let setting = Setting::new();
    let freeze = [
        "--set",
        "run.collapse.action.kind=freeze_generator",
        "--set",
        "run.collapse.action.images=1000000",
        "--set",
        "run.collapse.sigma_ratio=100",
    ];
    let nervous = [&RUN[..], &NERVOUS].concat();
    let output = setting.run(&[&nervous[..], &["--steps", "20"]].concat());
    refusal(&output, 3, &[]);
    let (before, _) = content(&setting.newest_checkpoint("run"));
    setting.ok(&[&nervous[..], &freeze, &["--resume", "--steps", "2"]].concat());
    let (after, _) = content(&setting.newest_checkpoint("run"));
    for name in ["linear.weight", "blocks.0.conv1.weight", "shared.weight"] {
        let of = |network: &str| format!("{network}.{name}");
        assert_eq!(
            before.0[&of("generator")],
            after.0[&of("generator")],
            "{name}"
        );
    }
    let of_d = "discriminator.blocks.0.conv1.weight";
    assert_ne!(before.0[of_d], after.0[of_d]);
}

#[test]
fn thresholds_that_mean_nothing_are_refused() {
    let setting = Setting::new();
    for (value, parts) in [
        (
            "run.collapse.sigma_ratio=0.5",
            ["sigma_ratio is 0.5", "above 1"],
        ),
        (
            "run.collapse.action.kind=pray",
            ["run.collapse.action", "pray"],
        ),
        ("run.collapse.enable=false", ["run.collapse", "`enable`"]),
    ] {
        setting.refused(2, &[&RUN[..], &["--set", value]].concat(), &parts);
    }
}
