//! Scores while training.

use native_train::records::score_record::ScoreRecord;

use crate::support::models::{CLASSIFIER, write_test_images};
use crate::support::runs::{assert_same_bits, kept};
use crate::support::setting::Setting;

const SCORED: [&str; 6] = [
    "--set",
    "run.score.every_images=64",
    "--set",
    "run.score.classifier=tiny.safetensors",
    "--set",
    "run.score.samples=12",
];

fn with_classifier() -> Setting {
    let setting = Setting::new();
    write_test_images(&setting);
    setting.ok(&CLASSIFIER);
    setting
}

fn scores(setting: &Setting, run: &str) -> Vec<ScoreRecord> {
    let text = std::fs::read_to_string(setting.path(run).join("scores.jsonl")).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_score_changes_nothing_and_the_best_checkpoint_stays() {
    let setting = with_classifier();
    setting.train("plain", 40, &[]);
    let one = ["--set", "run.keep_checkpoints=1"];
    setting.train("scored", 40, &[&SCORED[..], &one].concat());
    assert_same_bits(
        &setting.newest_checkpoint("plain"),
        &setting.newest_checkpoint("scored"),
    );
    let scores = scores(&setting, "scored");
    let images: Vec<u64> = scores.iter().map(|score| score.images_seen).collect();
    assert_eq!(images, [64, 128, 192, 256, 320]);
    for score in &scores {
        assert!(score.frechet > 0.0 && (0.0..=1.0).contains(&score.recognised));
        assert_eq!(
            score.protocol,
            "tiny: n=12, ref=train n=24, spread by class, average of G, BN statistics of batches of 100, truncation \
             off, classes at random, seed 3"
        );
    }
    let best = scores
        .iter()
        .min_by(|a, b| a.frechet.total_cmp(&b.frechet))
        .unwrap();
    let mut expected = vec![best.images_seen, 320];
    expected.dedup();
    assert_eq!(kept(&setting, "scored"), expected);
}

#[test]
fn a_resumed_run_has_the_scores_of_a_whole_one() {
    let setting = with_classifier();
    setting.train("whole", 40, &SCORED);
    setting.train("parts", 20, &SCORED);
    // what a killed process wrote beyond its last checkpoint is made again
    let path = setting.path("parts/scores.jsonl");
    let mut text = std::fs::read_to_string(&path).unwrap();
    text += &text
        .lines()
        .next_back()
        .unwrap()
        .replace("\"g_step\":16", "\"g_step\":21");
    std::fs::write(&path, text + "\n{\"g_st").unwrap();
    setting.train("parts", 20, &[&SCORED[..], &["--resume"]].concat());
    assert_eq!(scores(&setting, "whole"), scores(&setting, "parts"));
}

#[test]
fn a_score_that_cannot_be_made_is_refused_before_training() {
    let setting = with_classifier();
    let args = ["--config", "tiny.toml", "--out", "run"];
    let with = |more: &[&'static str]| [&args[..], &SCORED[..], more].concat();
    let none = with(&["--set", "run.score.classifier=none.safetensors"]);
    setting.refused(1, &none, &["classifier none.safetensors"]);
    let few = with(&["--set", "run.score.samples=1"]);
    setting.refused(2, &few, &["run.score.samples is 1", "2 to 100000"]);
    let wide = with(&[
        "--set",
        "train.generator.resolution=64",
        "--set",
        "train.discriminator.resolution=64",
        "--set",
        "train.generator.z_dim=10",
    ]);
    setting.refused(1, &wide, &["64x64 images", "32x32 of 3"]);
    assert!(kept(&setting, "run").is_empty());
}

#[test]
fn a_score_that_gets_worse_again_is_a_collapse() {
    let setting = with_classifier();
    setting.train("run", 40, &SCORED);
    // as if the third score had been far better than the next one will be
    let path = setting.path("run/scores.jsonl");
    let mut scores = scores(&setting, "run");
    scores[2].frechet = 1e-3;
    let lines = scores.iter().map(serde_json::to_string);
    let text: String = lines.map(|line| line.unwrap() + "\n").collect();
    std::fs::write(&path, text).unwrap();
    let on = ["--config", "tiny.toml", "--out", "run", "--resume"];
    let on = [&on[..], &["--steps", "10"], &SCORED].concat();
    setting.refused(
        3,
        &on,
        &[
            "after 48 generator steps and 384 images",
            "the Frechet distance got worse again",
            "against a threshold of 0.002",
        ],
    );
}

#[test]
fn scores_of_another_protocol_are_not_compared() {
    let setting = with_classifier();
    setting.train("run", 40, &SCORED);
    // far better ones, as an earlier version with classes in turn would write them
    let path = setting.path("run/scores.jsonl");
    let mut old = scores(&setting, "run");
    for score in &mut old {
        score.frechet = 1e-3;
        score.protocol = score.protocol.replace(", classes at random", "");
    }
    let lines = old.iter().map(serde_json::to_string);
    let text: String = lines.map(|line| line.unwrap() + "\n").collect();
    std::fs::write(&path, text).unwrap();
    let on = [
        "--config",
        "tiny.toml",
        "--out",
        "run",
        "--resume",
        "--steps",
        "10",
    ];
    let output = setting.run(&[&on[..], &SCORED].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("5 scores of scores.jsonl are of another protocol"),
        "{said}"
    );
    let all = scores(&setting, "run");
    assert_eq!(all[..5], old[..], "they stay");
    setting.ok(&["report", "run", "--out", "report.html"]);
    let html = std::fs::read_to_string(setting.path("report.html")).unwrap();
    let drawn = html.contains("5 scores of another protocol are not drawn");
    assert_eq!(drawn, all.len() > 5);
}

#[test]
fn a_count_too_small_for_the_features_is_remarked_while_training() {
    let setting = with_classifier();
    setting.train("run", 8, &SCORED);
    let remarks = &scores(&setting, "run")[0].remarks;
    let said = |part: &str| remarks.iter().any(|remark| remark.contains(part));
    assert!(
        said("12 samples are too few for the covariance of 128 features"),
        "{remarks:?}"
    );
    assert!(said("24 real images are too few"), "{remarks:?}");
}
