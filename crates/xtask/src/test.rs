//! Everything that must hold before a change is accepted.

use std::path::Path;

use anyhow::{Result, bail};

use crate::browser;
use crate::feature_network;
use crate::mpi;
use crate::run::{command, output, run, step};
use crate::setup::setup;
use crate::web::web;
use crate::workspace::Workspace;

/// Runs all checks; goes on after one that fails, and names those that failed at the end.
pub fn test(workspace: &Workspace) -> Result<()> {
    let root = &workspace.root;
    let mut failed = Vec::new();
    let mut check = |name: &'static str, work: &dyn Fn() -> Result<()>| {
        if let Err(error) = step(name, work) {
            eprintln!("error: {error:#}");
            failed.push(name);
        }
    };
    check("format", &|| {
        run(command(root, "cargo", &["fmt", "--all", "--check"]))
    });
    let mut skipped = Vec::new();
    let with_mpi = mpi::ensure(workspace)?;
    if !with_mpi {
        skipped.push(format!("{} tests of many processes (no MPI)", mpi::tests()));
    }
    check("lints", &|| {
        let mut clippy = command(root, "cargo", &["clippy", "--workspace", "--all-targets"]);
        clippy.args(["--locked", "--", "--deny", "warnings"]);
        run(clippy)
    });
    if with_mpi {
        check("lints of many processes", &|| {
            let mut clippy = command(root, "cargo", &["clippy", "--package", "native-train"]);
            clippy.args(["--all-targets", "--features", mpi::FEATURES]);
            clippy.args(["--locked", "--", "--deny", "warnings"]);
            run(clippy)
        });
        check("types of NCCL", &|| nccl_types(workspace));
    }
    check("native tests", &|| native_tests(workspace, with_mpi));

    check("browser for the page tests", &|| browser::ensure(workspace));
    check("native wgpu", &|| native_wgpu(workspace));
    check("tools for the page", &|| setup(workspace));
    check("native programs that the page is compared with", &|| {
        let mut build = command(root, "cargo", &["build", "--workspace", "--bins"]);
        build.arg("--locked");
        run(build)
    });
    // as it ships: a test asserts the sizes
    check("page build", &|| web(workspace, true));
    check("page tests", &|| {
        let mut tests = command(&workspace.www(), "npm", &["test"]);
        tests.env("CARGO_TARGET_DIR", &workspace.target);
        tests.env("BIGGAN_ALL_BUILDS", "1");
        run(tests)
    });
    for what in &skipped {
        eprintln!("==> skipped: {what}");
    }
    if failed.is_empty() {
        eprintln!("==> all checks passed, {} skipped", skipped.len());
        return Ok(());
    }
    bail!("failed: {}", failed.join(", "))
}

/// All tests of the workspace, with nextest where it is installed.
fn native_tests(workspace: &Workspace, with_mpi: bool) -> Result<()> {
    let root = &workspace.root;
    let nextest = command(root, "cargo", &["nextest", "--version"]);
    let mut tests = if output(nextest).is_some() {
        command(root, "cargo", &["nextest", "run", "--no-fail-fast"])
    } else {
        command(root, "cargo", &["test", "--no-fail-fast"])
    };
    tests.args(["--workspace", "--locked"]);
    if with_mpi {
        tests.args(["--features", mpi::FEATURES]);
    }
    if let Some(file) = feature_network::efficientnet(workspace) {
        tests.env(feature_network::VARIABLE, file);
    }
    run(tests)
}

/// The code for NCCL, as far as a machine without CUDA's tools can tell: `DOCS_RS` keeps a build script of the
/// CUDA backend from fetching a compiler.
fn nccl_types(workspace: &Workspace) -> Result<()> {
    let root = &workspace.root;
    let mut types = command(root, "cargo", &["check", "--package", "native-train"]);
    types.args(["--features", "nccl", "--all-targets", "--locked"]);
    types.env("DOCS_RS", "1");
    // the variable changes builds of other crates too
    types.env("CARGO_TARGET_DIR", workspace.target.join("nccl"));
    run(types)
}

/// The tests of `--device wgpu`, where there is a Vulkan driver: lavapipe does.
fn native_wgpu(workspace: &Workspace) -> Result<()> {
    if cfg!(target_os = "linux") && !Path::new(browser::VULKAN_DRIVERS).is_dir() {
        eprintln!(
            "==> no Vulkan driver in {}: skipped",
            browser::VULKAN_DRIVERS
        );
        return Ok(());
    }
    let mut tests = command(
        &workspace.root,
        "cargo",
        &["test", "--package", "native-train"],
    );
    tests.args(["--features", "wgpu", "--locked", "--test", "native_train"]);
    tests.args(["--", "wgpu", "--test-threads", "1"]);
    run(tests)
}
