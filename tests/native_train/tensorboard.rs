//! `run.tensorboard`: events, and what TensorBoard's own reader finds in them.

use std::path::{Path, PathBuf};
use std::process::Command;

use native_train::records::log_record::LogRecord;
use serde_json::Value;

use crate::support::setting::Setting;

const PYTHON: &str = "BIGGAN_READERS_PYTHON";
const SCRIPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/peer/read_events.py"
);
const RECIPE: [&str; 8] = [
    "--set",
    "run.tensorboard=true",
    "--set",
    "run.log_every_steps=1",
    "--set",
    "run.watch_every_steps=2",
    "--set",
    "run.watch_images=6",
];

fn resumed() -> Vec<&'static str> {
    [&RECIPE[..], &["--resume"]].concat()
}

fn files(setting: &Setting, run: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(setting.path(run).join("tensorboard"))
        .into_iter()
        .flatten()
        .flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

#[test]
fn events_are_written_where_they_are_asked_for() {
    let setting = Setting::new();
    setting.train("plain", 2, &[]);
    assert!(files(&setting, "plain").is_empty());
    setting.train("run", 2, &RECIPE);
    let first = files(&setting, "run");
    assert_eq!(first.len(), 1);
    assert!(
        first[0].to_str().unwrap().contains("events.out.tfevents."),
        "{first:?}"
    );
    setting.train("run", 1, &resumed());
    let both = files(&setting, "run");
    assert_eq!(both.len(), 2, "each start has a file of its own");
    assert_eq!(both[0], first[0]);
    // training goes on without it
    std::fs::remove_dir_all(setting.path("run/tensorboard")).unwrap();
    setting.train("run", 1, &resumed());
    assert_eq!(files(&setting, "run").len(), 1);
}

#[test]
fn tensorboard_reads_the_numbers_of_the_log() {
    let Some(python) = std::env::var_os(PYTHON) else {
        eprintln!("{PYTHON} names no Python with tensorboard: skipped");
        return;
    };
    let setting = Setting::new();
    setting.train(
        "run",
        4,
        &[&RECIPE[..], &["--set", "run.sample_every_images=16"]].concat(),
    );
    // a run that is taken back to an earlier checkpoint says other things of the same steps
    let newest = setting.newest_checkpoint("run");
    setting.train("run", 4, &resumed());
    for path in crate::support::setting::checkpoints(&setting.path("run")) {
        if path > newest {
            std::fs::remove_file(path).unwrap();
        }
    }
    setting.train("run", 2, &resumed());
    let seen = read(python.as_ref(), &setting.path("run/tensorboard"));
    let log = std::fs::read_to_string(setting.path("run/log.jsonl")).unwrap();
    let log: Vec<LogRecord> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(log.len(), 6);
    for (tag, of) in [
        (
            "loss/D",
            (|record: &LogRecord| record.loss_d) as fn(&LogRecord) -> f64,
        ),
        ("loss/G", |record| record.loss_g),
        ("logit/real", |record| record.d_real),
        ("logit/fake", |record| record.d_fake),
        ("run/images_seen", |record| record.images_seen as f64),
    ] {
        let expected: Vec<Value> = log
            .iter()
            .map(|record| serde_json::json!([record.g_step, f64::from(of(record) as f32)]))
            .collect();
        assert_eq!(seen["scalars"][tag], Value::from(expected), "{tag}");
    }
    for tag in ["singular_values/generator", "singular_values/discriminator"] {
        let found = seen["histograms"][tag].as_array().unwrap();
        assert_eq!(
            found
                .iter()
                .map(|at| at[0].as_u64().unwrap())
                .collect::<Vec<_>>(),
            [2, 4, 6],
            "{tag}"
        );
        assert!(
            found
                .iter()
                .all(|at| at[1] == at[2] && at[1].as_f64() > Some(3.0)),
            "{found:?}"
        );
    }
    let samples = seen["images"]["samples"].as_array().unwrap();
    assert!(!samples.is_empty());
    // eight samples of three classes, as a PNG file
    assert_eq!(
        samples[0].as_array().unwrap()[1..],
        [
            Value::from(8 * 34 + 2),
            (3 * 34 + 2).into(),
            "89504e470d0a1a0a".into()
        ]
    );
}

fn read(python: &Path, directory: &Path) -> Value {
    let mut reader = Command::new(python);
    // no compiled files among the sources
    reader
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(SCRIPT)
        .arg(directory);
    let output = reader.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}
