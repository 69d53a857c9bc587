//! The plan of `--config FILE`: a recipe, or a checkpoint that holds one.

use std::path::Path;

use anyhow::{Context, Result};

use super::run_dir;
use crate::error::bad_usage;
use crate::input_file;
use crate::recipe::plan::Plan;

/// Reads a recipe file, or the recipe of a checkpoint, and applies `--set` values.
///
/// # Errors
/// If the file cannot be read, is not TOML, has an unknown key, or describes a run that is impossible.
pub fn read(path: &Path, settings: &[String]) -> Result<Plan> {
    if is_checkpoint(path) {
        let plan = run_dir::read_checkpoint(path)?.plan;
        return match settings {
            [] => Ok(plan),
            _ => plan
                .with_settings(settings)
                .with_context(|| format!("checkpoint {}", path.display())),
        };
    }
    let text = input_file::read_text("recipe", path).map_err(|error| {
        bad_usage(format!(
            "{error}; give --config an existing TOML file, see configs/"
        ))
    })?;
    Plan::parse(&text, settings).with_context(|| format!("recipe {}", path.display()))
}

/// Whether a file is a checkpoint, by its name.
pub fn is_checkpoint(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending == "safetensors")
}
