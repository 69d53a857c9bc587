//! The model that the page loads.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::run::{command, run, step};
use crate::workspace::Workspace;

/// The model that ships, or a model with random weights if there is none.
pub fn find_or_make(workspace: &Workspace) -> Result<PathBuf> {
    let ships = workspace.root.join("models/avatars64.safetensors");
    if ships.is_file() {
        return Ok(ships);
    }
    let made = workspace.target.join("demo/random.safetensors");
    if made.is_file() {
        return Ok(made);
    }
    step(
        "a model with random weights, since models/ has none",
        || {
            let folder = workspace.target.join("demo");
            fs::create_dir_all(&folder)
                .with_context(|| format!("making {} failed", folder.display()))?;
            let mut make = command(
                &workspace.root,
                "cargo",
                &["run", "--package", "biggan-tests"],
            );
            make.args(["--bin", "browser_reference", "--locked", "--", "model"]);
            make.arg(&made);
            run(make)
        },
    )?;
    Ok(made)
}
