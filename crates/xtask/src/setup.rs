//! What a fresh machine lacks.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::run::{command, output, run, step};
use crate::workspace::Workspace;

/// The target of the package for browsers.
pub const WASM: &str = "wasm32-unknown-unknown";

/// Installs what is missing; does nothing where all is there.
pub fn setup(workspace: &Workspace) -> Result<()> {
    wasm_target(workspace)?;
    wasm_bindgen(workspace)?;
    npm_packages(workspace)
}

fn wasm_target(workspace: &Workspace) -> Result<()> {
    let list = command(
        &workspace.root,
        "rustup",
        &["target", "list", "--installed"],
    );
    // without rustup the target may come with the toolchain: the build will tell
    let Some(installed) = output(list) else {
        return Ok(());
    };
    if installed.lines().any(|target| target == WASM) {
        return Ok(());
    }
    step("rust target for browsers", || {
        run(command(&workspace.root, "rustup", &["target", "add", WASM]))
    })
}

/// The wasm-bindgen program of the version in Cargo.lock: it must match the crate exactly.
pub fn wasm_bindgen(workspace: &Workspace) -> Result<PathBuf> {
    let version = workspace.locked_version("wasm-bindgen")?;
    let own = workspace.tools().join("bin/wasm-bindgen");
    let wanted = format!("wasm-bindgen {version}");
    for candidate in [own.clone(), PathBuf::from("wasm-bindgen")] {
        let program = candidate.to_string_lossy();
        if output(command(&workspace.root, &program, &["--version"])).as_deref() == Some(&wanted) {
            return Ok(candidate);
        }
    }
    step(&format!("{wanted}, a build of about five minutes"), || {
        let tools = workspace.tools();
        let build = tools.join("build");
        let mut install = command(&workspace.root, "cargo", &["install", "wasm-bindgen-cli"]);
        install
            .args(["--version", &version, "--force", "--root"])
            .arg(&tools);
        install.arg("--target-dir").arg(&build);
        run(install)?;
        // half a gigabyte that nothing needs again
        fs::remove_dir_all(&build).context("removing the build of wasm-bindgen failed")
    })?;
    Ok(own)
}

/// npm's packages, unless they are those of the lock file already.
fn npm_packages(workspace: &Workspace) -> Result<()> {
    let www = workspace.www();
    let modified = |file: &str| fs::metadata(www.join(file)).and_then(|data| data.modified());
    let installed = modified("node_modules/.package-lock.json");
    if let (Ok(installed), Ok(locked)) = (installed, modified("package-lock.json"))
        && installed >= locked
    {
        return Ok(());
    }
    step("npm packages", || {
        run(command(&www, "npm", &["ci", "--no-progress"]))
    })
}
