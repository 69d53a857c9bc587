//! Injected faults, to test what becomes of the other ranks (feature `faults`).

use std::time::Duration;

use biggan::train::TrainState;

/// `RANK:STEP:KIND` with kind `panic`, `exit`, `error`, `hang` or `drift` (a bit of the state changes, as broken
/// memory does): what becomes of a rank before a generator step.
const VARIABLE: &str = "BIGGAN_FAULT";

/// Commits the fault that the environment requests of this rank at this step.
///
/// # Errors
/// The kind `error`.
///
/// # Panics
/// The kind `panic`, or if the variable is not understood.
pub fn at(rank: usize, mut state: TrainState) -> anyhow::Result<TrainState> {
    let Ok(fault) = std::env::var(VARIABLE) else {
        return Ok(state);
    };
    let place = format!("{rank}:{}:", state.g_step);
    match fault.strip_prefix(&place) {
        None => Ok(state),
        Some("drift") => {
            let p = state.controls.ada_probability;
            state.controls.ada_probability = p + f64::from(f32::EPSILON);
            Ok(state)
        }
        Some("panic") => panic!("{VARIABLE} asks for it"),
        Some("exit") => std::process::exit(0),
        Some("error") => anyhow::bail!("{VARIABLE} asks for it"),
        Some("hang") => loop {
            std::thread::sleep(Duration::from_secs(1));
        },
        Some(other) => panic!("{VARIABLE}: {other} is not a fault"),
    }
}
