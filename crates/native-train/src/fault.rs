//! Faults on purpose, for tests of what becomes of the other ranks (feature `faults`).

use std::time::Duration;

/// `RANK:STEP:KIND` with kind `panic`, `exit`, `error` or `hang`: what a rank does before a generator step.
const VARIABLE: &str = "BIGGAN_FAULT";

/// Commits the fault that the environment asks of this rank at this step.
///
/// # Errors
/// The kind `error`.
///
/// # Panics
/// The kind `panic`, or if the variable is not understood.
pub fn at(rank: usize, g_step: u64) -> anyhow::Result<()> {
    let Ok(fault) = std::env::var(VARIABLE) else {
        return Ok(());
    };
    let place = format!("{rank}:{g_step}:");
    match fault.strip_prefix(&place) {
        None => Ok(()),
        Some("panic") => panic!("{VARIABLE} asks for it"),
        Some("exit") => std::process::exit(0),
        Some("error") => anyhow::bail!("{VARIABLE} asks for it"),
        Some("hang") => loop {
            std::thread::sleep(Duration::from_secs(1));
        },
        Some(other) => panic!("{VARIABLE}: {other} is no fault"),
    }
}
