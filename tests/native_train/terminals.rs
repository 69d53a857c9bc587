//! On a terminal: whole lines above the bar, and what becomes of a run whose terminal is closed.

#![cfg(target_os = "linux")]

use crate::support::processes::wait_until;
use crate::support::pty::{Pty, screen};
use crate::support::setting::{Setting, checkpoints};

/// Steps with lines amid them: a sheet is never, a score at every checkpoint would be too slow.
const ARGS: [&str; 12] = [
    "--config",
    "tiny.toml",
    "--out",
    "run",
    "--set",
    "run.log_every_steps=1",
    "--set",
    "run.collapse.enabled=false",
    "--set",
    "run.checkpoint_every_images=1000000",
    "--set",
    "run.images=1000000",
];

fn has_logged(setting: &Setting, lines: usize) -> bool {
    let log = std::fs::read_to_string(setting.path("run/log.jsonl"));
    log.is_ok_and(|log| log.lines().count() >= lines)
}

/// Runs on a terminal, types `^C` after some lines of the log, and returns exit code and screen.
fn interrupted(columns: u16) -> (Option<i32>, Vec<String>) {
    let setting = Setting::new();
    let mut pty = Pty::new(columns);
    let mut child = pty.spawn(setting.command(&ARGS));
    let mut bytes = Vec::new();
    let mut typed = false;
    while pty.read(&mut bytes) {
        if !typed && has_logged(&setting, 4) {
            pty.write(b"\x03");
            typed = true;
        }
    }
    let code = child.wait().unwrap().code();
    (code, screen(&bytes, usize::from(columns)))
}

#[test]
fn lines_stand_whole_above_the_bar_and_nothing_is_left_of_it() {
    for columns in [100, 60, 30] {
        let (code, rows) = interrupted(columns);
        let shown = rows.join("\n");
        assert_eq!(code, Some(130), "{shown}");
        // the screen wraps, at blanks too; the program does not
        let dense = |text: &str| text.replace(' ', "");
        let text = dense(&rows.concat());
        for line in [
            "tiny: 24 images of data, into run",
            "interrupted: finishing this step and writing a checkpoint; again to stop now",
            "interrupted after ",
        ] {
            assert_eq!(
                text.matches(&dense(line)).count(),
                1,
                "{columns}: {line:?} in\n{shown}"
            );
        }
        for rest in ["images/s", "░", "█", "/1,000,000"] {
            assert!(
                !shown.contains(rest),
                "{columns}: {rest:?} is left in\n{shown}"
            );
        }
    }
}

#[test]
fn a_closed_terminal_ends_a_run_with_a_checkpoint_and_130() {
    let setting = Setting::new();
    let mut pty = Pty::new(80);
    let mut child = pty.spawn(setting.command(&ARGS));
    let mut bytes = Vec::new();
    while !has_logged(&setting, 2) {
        assert!(pty.read(&mut bytes), "{}", String::from_utf8_lossy(&bytes));
    }
    drop(pty);
    let mut ended = None;
    wait_until("the end", || {
        ended = child.try_wait().unwrap();
        ended.is_some()
    });
    assert_eq!(ended.and_then(|status| status.code()), Some(130));
    assert_eq!(checkpoints(&setting.path("run")).len(), 1);
}
