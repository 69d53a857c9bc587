//! Processes that are waited for and ended.

use std::process::Command;
use std::time::{Duration, Instant};

/// Longest wait: what takes milliseconds on an idle machine takes seconds on a busy one.
pub const PATIENCE: Duration = Duration::from_secs(240);

/// Waits for a condition, which must come true.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENCE, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Sends a signal to a process, which may have ended by itself.
pub fn kill(signal: &str, pid: u32) {
    let pid = pid.to_string();
    let status = Command::new("kill").args(["-s", signal, &pid]).status();
    let _ = status.unwrap();
}
