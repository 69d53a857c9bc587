//! Sets up a fresh machine.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use crate::run::{command, output, run, step};
use crate::workspace::Workspace;

/// The target of the package for browsers.
pub const WASM: &str = "wasm32-unknown-unknown";

/// Installs whatever is missing.
pub fn setup(workspace: &Workspace) -> Result<()> {
    wasm_target(workspace)?;
    for_the_page(workspace)
}

/// Installs what the page needs besides the wasm; building the wasm need not wait for it.
pub fn for_the_page(workspace: &Workspace) -> Result<()> {
    step("wasm-bindgen", || wasm_bindgen(workspace))?;
    npm_packages(workspace)
}

/// Installs the compiler's wasm target.
pub fn wasm_target(workspace: &Workspace) -> Result<()> {
    let list = command(
        &workspace.root,
        "rustup",
        &["target", "list", "--installed"],
    );
    // without rustup the target may come with the toolchain: the build will show
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

/// Installs wasm-bindgen, which generates modules for wasm files.
pub fn wasm_bindgen(workspace: &Workspace) -> Result<PathBuf> {
    let target = workspace.target.join("bindgen");
    let folder = workspace.root.join("crates/bindgen");
    let mut build = command(&folder, "cargo", &["build", "--quiet", "--locked"]);
    build.arg("--target-dir").arg(&target);
    run(build)?;
    Ok(target.join("debug/bindgen"))
}

/// Installs npm's packages, unless they already match the lock file.
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
