//! File systems without locks, without syncing, without maps: a run needs none of them.

#![cfg(all(target_os = "linux", feature = "faults"))]

use std::process::{Command, Stdio};

use crate::support::processes::{kill, wait_until};
use crate::support::setting::{RESUME_ONE_STEP, Setting, checkpoints, refusal, stderr};

/// The program on a file system that refuses calls with these numbers of errors.
fn refusing(setting: &Setting, faults: &str, args: &[&str]) -> Command {
    let mut command = setting.command(args);
    command.env("BIGGAN_SYSTEM_FAULT", faults);
    command
}

const TRAIN: [&str; 6] = ["--config", "tiny.toml", "--out", "run", "--steps", "2"];
const ENOSYS: i32 = 38;
const ENOLCK: i32 = 37;
const EOPNOTSUPP: i32 = 95;
const EINVAL: i32 = 22;
const EBADF: i32 = 9;
const ENODEV: i32 = 19;
const EIO: i32 = 5;
const EXDEV: i32 = 18;
const EBUSY: i32 = 16;

#[test]
fn without_locks_a_run_trains_with_a_warning() {
    for errno in [ENOSYS, ENOLCK, EOPNOTSUPP] {
        let setting = Setting::new();
        let output = refusing(&setting, &format!("flock={errno}"), &TRAIN).output();
        let output = output.unwrap();
        let text = stderr(&output);
        assert!(output.status.success(), "{text}");
        assert!(
            text.contains("warning: the file system of run has no locks"),
            "{text}"
        );
        assert_eq!(checkpoints(&setting.path("run")).len(), 1);
    }
    let setting = Setting::new();
    let output = refusing(&setting, &format!("flock={EIO}"), &TRAIN).output();
    refusal(
        &output.unwrap(),
        1,
        &["run directory run cannot be written"],
    );
}

#[test]
fn without_locks_a_running_run_is_told_by_its_process() {
    let setting = Setting::new();
    let fault = format!("flock={ENOSYS}");
    let args = ["--config", "tiny.toml", "--out", "run"];
    let mut child = refusing(&setting, &fault, &args)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let log = setting.path("run/log.jsonl");
    wait_until("a line of the log", || {
        std::fs::metadata(&log).is_ok_and(|file| file.len() > 0)
    });
    let watch = || {
        let output = refusing(&setting, &fault, &["watch", "run", "--once"]).output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    assert!(watch().contains("tiny  running"), "{}", watch());
    // a watcher whose file system has locks that the writer's has not
    assert!(
        setting
            .ok(&["watch", "run", "--once"])
            .contains("tiny  running")
    );
    let second = refusing(&setting, &fault, &RESUME_ONE_STEP)
        .output()
        .unwrap();
    refusal(
        &second,
        1,
        &["in use by another process", &child.id().to_string()],
    );
    kill("KILL", child.id());
    child.wait().unwrap();
    assert!(watch().contains("tiny  interrupted"), "{}", watch());
    let resumed = refusing(&setting, &fault, &RESUME_ONE_STEP)
        .output()
        .unwrap();
    assert!(resumed.status.success(), "{}", stderr(&resumed));
}

#[test]
fn a_directory_that_cannot_be_synced_is_no_failure_and_a_file_is_a_warning() {
    for errno in [EINVAL, EOPNOTSUPP, ENOSYS, EBADF] {
        let setting = Setting::new();
        let output = refusing(&setting, &format!("fsync_directory={errno}"), &TRAIN).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(!stderr(&output).contains("warning"), "{}", stderr(&output));
        let resume = refusing(&setting, &format!("fsync_file={errno}"), &RESUME_ONE_STEP);
        let output = { resume }.output().unwrap();
        let text = stderr(&output);
        assert!(output.status.success(), "{text}");
        assert!(
            text.contains("warning: ") && text.contains(".safetensors: its file system"),
            "{text}"
        );
    }
    for call in ["fsync_directory", "fsync_file"] {
        let setting = Setting::new();
        let output = refusing(&setting, &format!("{call}={EIO}"), &TRAIN).output();
        refusal(&output.unwrap(), 1, &["Input/output error"]);
    }
}

#[test]
fn a_file_that_cannot_be_replaced_is_written() {
    for errno in [EXDEV, EBUSY] {
        let setting = Setting::new();
        let output = refusing(&setting, &format!("rename={errno}"), &TRAIN).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        setting.train("run", 1, &["--resume"]);
    }
}

#[test]
fn packed_images_are_read_where_they_cannot_be_mapped() {
    let setting = Setting::new();
    setting.ok(&["data", "pack", "--config", "tiny.toml", "--out", "packed"]);
    let train = |out: &str, faults: &str| {
        let packed = [
            "--set",
            "data.dataset=packed",
            "--set",
            "data.path=packed",
            "--config",
            "tiny.toml",
            "--steps",
            "2",
            "--out",
            out,
        ];
        let output = refusing(&setting, faults, &packed).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        std::fs::read(setting.newest_checkpoint(out)).unwrap()
    };
    let mapped = train("mapped", "");
    assert!(
        mapped == train("read", &format!("mmap={ENODEV}")),
        "other images"
    );
}
