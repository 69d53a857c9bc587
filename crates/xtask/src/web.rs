//! The package for browsers and the page.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::model;
use crate::run::{command, run, step};
use crate::setup::{WASM, wasm_bindgen};
use crate::workspace::Workspace;

/// Cargo's profile of the package for browsers.
const PROFILE: &str = "wasm";

/// Builds of the package by name, with their features: a page fetches the one that it needs.
const BUILDS: [(&str, &str); 4] = [
    ("sample-cpu", "sample"),
    ("train-cpu", "train"),
    ("sample-webgpu", "sample,webgpu"),
    ("train-webgpu", "train,webgpu"),
];

/// Builds everything into www/dist.
pub fn web(workspace: &Workspace, release: bool) -> Result<()> {
    for (name, features) in BUILDS {
        step(&format!("wasm, {name} build"), || {
            package(workspace, name, features, release)
        })?;
    }
    let model = model::find_or_make(workspace)?;
    step("page", || {
        let mut build = command(&workspace.www(), "npm", &["run", "build"]);
        build.env("BIGGAN_MODEL", model);
        run(build)
    })
}

fn package(workspace: &Workspace, name: &str, features: &str, release: bool) -> Result<()> {
    let mut cargo = command(
        &workspace.root,
        "cargo",
        &["build", "--package", "biggan-web"],
    );
    cargo.args(["--lib", "--target", WASM, "--profile", PROFILE]);
    cargo.args(["--no-default-features", "--features", features, "--locked"]);
    run(cargo)?;

    let built = workspace
        .target
        .join(WASM)
        .join(PROFILE)
        .join("biggan_web.wasm");
    let out = workspace.www().join("pkg").join(name);
    let mut bindgen = command(
        &workspace.root,
        &wasm_bindgen(workspace)?.to_string_lossy(),
        &["--target", "web", "--out-name", "biggan_web", "--out-dir"],
    );
    bindgen.arg(&out).arg(&built);
    run(bindgen)?;

    let wasm = out.join("biggan_web_bg.wasm");
    if release {
        optimise(workspace, &wasm)?;
    }
    let bytes = fs::metadata(&wasm)
        .with_context(|| format!("{} is missing", wasm.display()))?
        .len();
    eprintln!("    {}: {:.2} MB", wasm.display(), bytes as f64 / 1e6);
    Ok(())
}

/// Binaryen's optimiser, of a version that is known to work: Debian's 108 writes a file that browsers
/// refuse, since it takes the table of JavaScript's objects for that of functions.
const BINARYEN: &str = "binaryen@132.0.0";

/// Makes a wasm file smaller in place; its speed stays.
fn optimise(workspace: &Workspace, wasm: &Path) -> Result<()> {
    let mut optimiser = command(&workspace.www(), "npx", &["--yes", "--package", BINARYEN]);
    optimiser.args([
        "wasm-opt",
        "-Os",
        "--enable-simd",
        "--enable-bulk-memory",
        "--enable-nontrapping-float-to-int",
        "--enable-sign-ext",
        "--enable-mutable-globals",
        "--enable-reference-types",
        "--enable-multivalue",
        "--strip-debug",
    ]);
    optimiser.arg(wasm).arg("-o").arg(wasm);
    run(optimiser)
}

/// Whether a program is in a directory of `PATH`.
pub fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(AsRef::<OsStr>::as_ref(&path)).any(|dir| dir.join(program).is_file())
}
