//! What stands behind standard output and standard error ends no command: closed pipes, full disks, closed descriptors.

#![cfg(target_os = "linux")]

use std::fs::File;
use std::process::{Command, Output, Stdio};

use crate::support::models::{CLASSIFIER, with_test_images};
use crate::support::processes::{kill, wait_until};
use crate::support::setting::{Setting, checkpoints, stderr};

const TRAIN: [&str; 8] = [
    "--config",
    "tiny.toml",
    "--out",
    "run",
    "--steps",
    "3",
    "--set",
    "run.log_every_steps=1",
];

fn full() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

/// A pipe whose reader is gone.
fn broken_pipe() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

/// The program in a shell, whose script has it as `"$@"`.
fn in_shell(setting: &Setting, script: &str, args: &[&str]) -> Output {
    shell(setting, script, args).output().unwrap()
}

fn shell(setting: &Setting, script: &str, args: &[&str]) -> Command {
    let program = setting.command(&[]);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", script, "sh"])
        .arg(program.get_program())
        .args(args)
        .current_dir(setting.path(""))
        .env("XDG_DATA_HOME", setting.path("data-home"));
    shell
}

#[test]
fn training_goes_on_and_writes_its_checkpoint_whatever_is_behind_its_text() {
    for stdio in [&broken_pipe as &dyn Fn() -> Stdio, &|| full().into()] {
        let setting = Setting::new();
        let mut command = setting.command(&TRAIN);
        let status = command.stdout(stdio()).stderr(stdio()).status().unwrap();
        assert_eq!(status.code(), Some(0));
        assert_eq!(checkpoints(&setting.path("run")).len(), 1);
    }
    for script in [
        "\"$@\" 2>&1 | head -1",
        "\"$@\" 2>&1 | true",
        "\"$@\" >&- 2>&-",
        "\"$@\" <&- >&- 2>&-",
    ] {
        let setting = Setting::new();
        let output = in_shell(&setting, script, &TRAIN);
        assert!(output.status.success(), "{script}: {}", stderr(&output));
        let log = std::fs::read_to_string(setting.path("run/log.jsonl")).unwrap();
        assert_eq!(log.lines().count(), 3, "{script}");
        assert_eq!(checkpoints(&setting.path("run")).len(), 1, "{script}");
    }
}

#[test]
fn an_interrupt_with_a_full_disk_behind_its_notice_writes_the_checkpoint() {
    let setting = Setting::new();
    let args = ["--config", "tiny.toml", "--out", "run"];
    let mut child = setting.command(&args).stderr(full()).spawn().unwrap();
    let log = setting.path("run/log.jsonl");
    wait_until("a line of the log", || {
        std::fs::metadata(&log).is_ok_and(|file| file.len() > 0)
    });
    kill("INT", child.id());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!checkpoints(&setting.path("run")).is_empty());
}

#[test]
fn files_that_were_asked_for_are_written_before_anything_is_printed() {
    let setting = with_test_images();
    let classifier = setting.command(&CLASSIFIER).stdout(broken_pipe()).output();
    let classifier = classifier.unwrap();
    assert!(classifier.status.success(), "{}", stderr(&classifier));
    assert!(setting.path("tiny.safetensors").exists());

    let evaluate = [
        "evaluate",
        "model.safetensors",
        "--classifier",
        "tiny.safetensors",
        "--dataset",
        "idx",
        "--data",
        "data",
        "--count",
        "12",
        "--recognised",
        "9",
        "--curve",
        "0.5,1",
        "--update",
        "--json",
        "scores.json",
        "--picture",
        "curve.svg",
    ];
    for (stdout, code) in [(broken_pipe(), 0), (full().into(), 1)] {
        for file in ["scores.json", "curve.svg"] {
            let _ = std::fs::remove_file(setting.path(file));
        }
        let output = setting.command(&evaluate).stdout(stdout).output().unwrap();
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{text}");
        for file in ["scores.json", "curve.svg"] {
            assert!(setting.path(file).exists(), "{file}: {text}");
        }
        let said = text.contains("standard output cannot be written: No space left");
        assert_eq!(said, code == 1, "{text}");
    }
    let inside = setting.ok(&["inspect", "model.safetensors"]);
    assert!(inside.contains("FD-tiny: n=12"), "{inside}");
}

#[test]
fn a_closed_pipe_ends_no_command_and_a_full_disk_is_said() {
    let setting = Setting::new();
    setting.train("run", 1, &[]);
    let config = ["--config", "tiny.toml"];
    let with = |words: &[&'static str]| [words, &config[..]].concat();
    let commands = [
        vec!["--help"],
        vec!["sample", "--help"],
        vec!["--version"],
        with(&["data", "check"]),
        with(&["data", "check", "--json"]),
        with(&["--dry-run"]),
        with(&["inspect"]),
        with(&["bench", "--gpus", "8"]),
        with(&["data", "pack", "--out", "packed"]),
        vec!["inspect", "run"],
        vec!["watch", "run", "--once"],
        vec!["report", "run"],
        vec!["--nonsense"],
    ];
    for args in commands {
        let whole = setting.run(&args);
        for (both, expected) in [(false, whole.status.code()), (true, whole.status.code())] {
            let mut command = setting.command(&args);
            command.stdout(broken_pipe());
            if both {
                command.stderr(broken_pipe());
            }
            let output = command.output().unwrap();
            let text = stderr(&output);
            assert_eq!(output.status.code(), expected, "{args:?}: {text}");
            assert!(!text.contains("panicked"), "{args:?}: {text}");
        }
        let output = setting.command(&args).stdout(full()).output().unwrap();
        let code = if whole.stdout.is_empty() {
            whole.status.code()
        } else {
            Some(1)
        };
        assert_eq!(output.status.code(), code, "{args:?}: {}", stderr(&output));
    }
}

#[test]
fn a_signal_that_was_ignored_at_the_start_stays_ignored() {
    let setting = Setting::new();
    let args = ["--config", "tiny.toml", "--out", "run"];
    let script = "trap '' HUP INT; exec \"$@\"";
    let mut child = shell(&setting, script, &args)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = || {
        let log = std::fs::read_to_string(setting.path("run/log.jsonl"));
        log.map_or(0, |log| log.lines().count())
    };
    wait_until("a line of the log", || lines() > 0);
    for signal in ["HUP", "INT", "HUP", "INT"] {
        kill(signal, child.id());
    }
    let before = lines();
    wait_until("more lines of the log", || lines() > before + 1);
    kill("TERM", child.id());
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
