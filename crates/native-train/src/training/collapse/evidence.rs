//! The evidence of a collapse: `collapse/<images>/` of a run.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use biggan::train::TrainState;
use burn::tensor::Device;

use crate::records::intervention::Intervention;
use crate::run::atomic_file;
use crate::run::checkpoint::Checkpoint;
use crate::run::json_lines;
use crate::show::sheet;

/// Lines of the log that are kept.
const LINES: usize = 100;

/// Writes `live.png` and `average.png` (sample sheets of G and of its average), `log.jsonl` (the last
/// lines of the log) and `checkpoint.safetensors` (the state), sheets and state only if they are
/// finite.
///
/// # Errors
/// If the device fails or a file cannot be written.
pub fn write(
    directory: &Path,
    log: &Path,
    state: &TrainState,
    checkpoint: Option<&Checkpoint>,
    seed: u64,
    device: &Device,
) -> Result<()> {
    std::fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
    for (name, generator) in [
        ("live.png", &state.generator),
        ("average.png", &state.ema.generator),
    ] {
        match sheet::of_generator(generator, seed, device) {
            Ok(sheet) => atomic_file::write(&directory.join(name), &sheet::to_png(&sheet)?)?,
            Err(error) if is_not_finite(&error) => {}
            Err(error) => return Err(error),
        }
    }
    let text = json_lines::text(log)?;
    let skipped = text.lines().count().saturating_sub(LINES);
    let tail: String = text.lines().skip(skipped).flat_map(|l| [l, "\n"]).collect();
    atomic_file::write(&directory.join("log.jsonl"), tail.as_bytes())?;
    if let Some(checkpoint) = checkpoint {
        let path = directory.join("checkpoint.safetensors");
        atomic_file::write(&path, &checkpoint.encode()?)?;
    }
    Ok(())
}

/// Writes `collapse.json`: the alarm and the response.
///
/// # Errors
/// If the write fails.
pub fn write_verdict(directory: &Path, intervention: &Intervention) -> Result<PathBuf> {
    let path = directory.join("collapse.json");
    let text = serde_json::to_string_pretty(intervention)? + "\n";
    atomic_file::write(&path, text.as_bytes())?;
    Ok(path)
}

/// Whether an error says that a value is not finite.
pub fn is_not_finite(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<biggan::Error>();
    error.is_some_and(|error| error.kind() == biggan::ErrorKind::NotFinite)
}
