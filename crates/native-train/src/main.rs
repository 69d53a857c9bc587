//! parse -> command -> exit code; the only place that prints an error.

// text must never end a command: it goes through `terminal`
#![deny(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use native_train::args;
use native_train::commands;
use native_train::environment::Environment;
use native_train::error::{Elsewhere, bad_output, exit_code};
use native_train::terminal;

fn main() -> ExitCode {
    keep_freed_memory();
    terminal::prepare_for_panics();
    let args = match args::parse() {
        Ok(args) => args,
        Err(code) => return code,
    };
    let ended = commands::run(args, &Environment::from_process());
    let ended = match (ended, terminal::finish()) {
        (Ok(_), Err(error)) => Err(bad_output(&error)),
        (ended, _) => ended,
    };
    match ended {
        Ok(outcome) => outcome.exit_code(),
        Err(error) => {
            if !error.is::<Elsewhere>() {
                terminal::note_line(&format!("error: {error:#}"));
            }
            exit_code(&error)
        }
    }
}

/// Lets the allocator keep what a step frees: tensors of some megabytes would otherwise go back to
/// the system and be faulted in again, page by page, at every step (a quarter of a CPU step's time).
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn keep_freed_memory() {
    for (option, bytes) in [
        (libc::M_MMAP_THRESHOLD, i32::MAX),
        (libc::M_TRIM_THRESHOLD, i32::MAX),
        (libc::M_TOP_PAD, 64 << 20),
    ] {
        // SAFETY: mallopt only sets a number of the allocator; no other thread runs yet
        let _ = unsafe { libc::mallopt(option, bytes) };
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn keep_freed_memory() {}
