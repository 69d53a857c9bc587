//! Whatever ends a run, it can be continued.

#![cfg(unix)]

use std::process::{Child, Stdio};
use std::time::Instant;

use crate::support::processes::{kill, wait_until};
use crate::support::setting::{RESUME_ONE_STEP, Setting, checkpoints, stderr};

fn start(setting: &Setting, more: &[&str]) -> Child {
    let mut args = vec!["--config", "tiny.toml", "--out", "run"];
    args.extend(more);
    setting
        .command(&args)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn interrupt_and_terminate_write_a_checkpoint_and_exit_130() {
    for name in ["INT", "TERM"] {
        let setting = Setting::new();
        let child = start(&setting, &["--set", "run.checkpoint_every_images=1000000"]);
        let log = setting.path("run/log.jsonl");
        wait_until("a line of the log", || {
            std::fs::metadata(&log).is_ok_and(|file| file.len() > 0)
        });
        assert!(checkpoints(&setting.path("run")).is_empty());
        kill(name, child.id());
        let output = child.wait_with_output().unwrap();
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(130), "{text}");
        assert_eq!(checkpoints(&setting.path("run")).len(), 1, "{text}");
        assert!(text.contains("interrupted after"), "{text}");
        setting.train("run", 1, &["--resume"]);
    }
}

#[test]
fn a_run_killed_at_any_moment_can_be_resumed() {
    let setting = Setting::new();
    // a checkpoint a step, so that most kills come near a write
    let often = [
        "--set",
        "run.checkpoint_every_images=8",
        "--set",
        "run.sample_every_images=8",
        "--set",
        "run.log_every_steps=1",
        // D wins over so small a G within the lines that a collapse needs
        "--set",
        "run.collapse.enabled=false",
    ];
    let started = Instant::now();
    let kill_when = |wait: &dyn Fn()| {
        let mut child = start(&setting, &[&often[..], &["--resume"]].concat());
        wait();
        child.kill().unwrap();
        child.wait().unwrap();
    };
    let run = setting.path("run");
    kill_when(&|| wait_until("a checkpoint", || !checkpoints(&run).is_empty()));
    let whole = started.elapsed();
    let mut seen = 0;
    for round in 0..20u32 {
        // moments spread over start, loading and training, however fast the machine is; any sequence does
        let share = f64::from(10 + round * 7919 % 331) / 250.0;
        kill_when(&|| std::thread::sleep(whole.mul_f64(share)));
        let newest = checkpoints(&setting.path("run")).pop();
        for path in checkpoints(&setting.path("run")) {
            let bytes = std::fs::read(&path).unwrap();
            native_train::run::checkpoint::Checkpoint::decode(&bytes).unwrap();
        }
        let images = newest.map_or(0, |path| {
            let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
            stem.parse::<u64>().unwrap()
        });
        assert!(images >= seen, "{images} after {seen}");
        seen = images;
    }
    let output = setting.run(
        &[
            &[
                "--config",
                "tiny.toml",
                "--out",
                "run",
                "--resume",
                "--steps",
                "2",
            ],
            &often[..],
        ]
        .concat(),
    );
    assert!(output.status.success(), "{}", stderr(&output));
    let rest = std::fs::read_dir(setting.path("run/checkpoints")).unwrap();
    let partial = rest.filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().starts_with(".partial")
    });
    assert_eq!(partial.count(), 0, "unfinished files are cleared");
}

#[test]
fn one_process_a_run_directory() {
    let setting = Setting::new();
    let mut child = start(&setting, &[]);
    wait_until("the lock", || setting.path("run/lock").exists());
    wait_until("the refusal", || {
        let output = setting.run(&RESUME_ONE_STEP);
        stderr(&output).contains("in use by another process")
    });
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_run_with_checkpoints_is_not_started_anew() {
    let setting = Setting::new();
    setting.train("run", 1, &[]);
    setting.refused(
        2,
        &["--config", "tiny.toml", "--out", "run"],
        &["has checkpoints already", "--resume", "--out"],
    );
}
