//! Everything that must hold before a change is accepted, or a part of it.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};
use clap::Args;

use crate::browser;
use crate::feature_network;
use crate::features;
use crate::library;
use crate::mpi;
use crate::python::READERS;
use crate::run::{command, output, run, step};
use crate::setup::setup;
use crate::vulkan;
use crate::web::web;
use crate::workspace::Workspace;

/// Which checks to run: all, unless a part is selected.
#[derive(Args, Clone, Copy)]
pub struct Parts {
    /// Only the format, lints, and the fast tests (nextest's profile `default`).
    #[arg(long, conflicts_with_all = ["native", "page", "gpu"])]
    quick: bool,
    /// Format, lints, all native tests on the CPU, with MPI.
    #[arg(long)]
    native: bool,
    /// Only the page: its builds, and their tests in browsers.
    #[arg(long)]
    page: bool,
    /// Only `--device wgpu`, on a GPU or a driver that computes on the CPU; compiles Burn again, so it is left out
    /// unless it is named.
    #[arg(long)]
    gpu: bool,
}

/// The results of checks.
#[derive(Default)]
struct Checks {
    failed: Vec<&'static str>,
    skipped: Vec<String>,
}

impl Checks {
    /// Runs a check; a failure is recorded, and the next check still runs.
    fn check(&mut self, name: &'static str, work: impl FnOnce() -> Result<()>) {
        if let Err(error) = step(name, work) {
            eprintln!("error: {error:#}");
            self.failed.push(name);
        }
    }
}

/// Runs the checks; continues after a failure, and names the failures at the end.
pub fn test(workspace: &Workspace, parts: Parts) -> Result<()> {
    let mut checks = Checks::default();
    let with_mpi = if parts.quick {
        mpi::installed(workspace)
    } else {
        mpi::ensure(workspace)
    };
    let features = features::tested(with_mpi);
    if !with_mpi {
        checks
            .skipped
            .push(format!("{} tests of many processes (no MPI)", mpi::tests()));
    }
    let whole = !(parts.quick || parts.native || parts.page || parts.gpu);
    if parts.quick {
        quick(workspace, &features, &mut checks);
    }
    if parts.native || whole {
        native(workspace, with_mpi, &features, &mut checks);
    }
    if parts.page || whole {
        page(workspace, &features, &mut checks);
    }
    if parts.gpu {
        gpu(workspace, &mut checks);
    } else if whole {
        let what = "--device wgpu, but for lints (cargo xtask test --gpu)";
        checks.skipped.push(what.to_owned());
    }
    for what in &checks.skipped {
        eprintln!("==> skipped: {what}");
    }
    if checks.failed.is_empty() {
        eprintln!("==> all checks passed, {} skipped", checks.skipped.len());
        return Ok(());
    }
    bail!("failed: {}", checks.failed.join(", "))
}

fn quick(workspace: &Workspace, features: &[&str], checks: &mut Checks) {
    checks.check("format", || format(workspace));
    checks.check("lints", || lints(workspace));
    checks.check("fast tests", || {
        native_tests(workspace, features, &["default"], None)
    });
}

fn native(workspace: &Workspace, with_mpi: bool, features: &[&str], checks: &mut Checks) {
    checks.check("format", || format(workspace));
    checks.check("lints", || lints(workspace));
    let all = features::all(with_mpi);
    checks.check("lints of all features", || {
        let mut clippy = checked(workspace, &["clippy", "--all-targets"], &all);
        clippy.args(["--", "--deny", "warnings"]);
        run(clippy)
    });
    let onnx = READERS.find(workspace);
    if onnx.is_none() {
        let what =
            "exported graphs in ONNX Runtime, events in TensorBoard (pip cannot install them)";
        checks.skipped.push(what.to_owned());
    }
    checks.check("native tests", || {
        native_tests(workspace, features, &["default", "slow"], onnx.as_deref())
    });
    checks.check("documentation", || {
        let mut documentation = checked(workspace, &["doc", "--no-deps"], &all);
        documentation.env("RUSTDOCFLAGS", "--deny warnings");
        run(documentation)?;
        library::documented_programs(workspace, features)
    });
    checks.check("examples", || library::examples(workspace, features));
    checks.check("packages", || library::packages(workspace));
}

fn page(workspace: &Workspace, features: &[&str], checks: &mut Checks) {
    checks.check("browser for the page tests", || {
        browser::ensure(workspace).map(drop)
    });
    for name in browser::ensure_others(workspace) {
        let what = format!("core paths of the page in {name} (no {name})");
        checks.skipped.push(what);
    }
    checks.check("tools for the page", || setup(workspace));
    checks.check("native programs that the page is compared with", || {
        mpi::programs(workspace, features)
    });
    // the release build: a test asserts the sizes
    checks.check("page build", || web(workspace, true));
    let npm = |script| {
        let mut tests = command(&workspace.www(), "npm", &["run", script]);
        tests.env("CARGO_TARGET_DIR", &workspace.target);
        tests.env("BIGGAN_ALL_BUILDS", "1");
        run(tests)
    };
    checks.check("page tests", || npm("test:together"));
    checks.check("page tests that want the machine to themselves", || {
        npm("test:alone")
    });
}

fn format(workspace: &Workspace) -> Result<()> {
    run(command(
        &workspace.root,
        "cargo",
        &["fmt", "--all", "--check"],
    ))
}

/// Lints what is built without naming features, and the bindings for browsers.
fn lints(workspace: &Workspace) -> Result<()> {
    let mut clippy = command(&workspace.root, "cargo", &["clippy", "--workspace"]);
    clippy.args(features::of_default_builds());
    clippy.args(["--all-targets", "--locked", "--", "--deny", "warnings"]);
    run(clippy)
}

/// A command of Cargo that checks code with all its features on a machine without CUDA's tools: `DOCS_RS` keeps a
/// build script of the CUDA backend from fetching a compiler.
fn checked(workspace: &Workspace, cargo: &[&str], features: &[&str]) -> Command {
    let mut check = command(&workspace.root, "cargo", cargo);
    check.args(["--workspace", "--locked"]).args(features);
    check.env("DOCS_RS", "1");
    // the variable also changes the builds of other crates
    check.env("CARGO_TARGET_DIR", workspace.target.join("checked"));
    check
}

/// The tests of the workspace in some of nextest's profiles; without nextest all of them.
///
/// `onnx` is a Python that has ONNX Runtime.
fn native_tests(
    workspace: &Workspace,
    features: &[&str],
    profiles: &[&str],
    onnx: Option<&Path>,
) -> Result<()> {
    let root = &workspace.root;
    let feature_network = match profiles.contains(&"slow") {
        true => feature_network::efficientnet(workspace),
        false => None,
    };
    let tests = |args: &[&str]| {
        let mut tests = command(root, "cargo", args);
        tests.args(["--no-fail-fast", "--workspace", "--locked"]);
        tests.args(features);
        if let Some(file) = &feature_network {
            tests.env(feature_network::VARIABLE, file);
        }
        if let Some(python) = onnx {
            tests.env(READERS.variable, python);
        }
        run(tests)
    };
    let nextest = command(root, "cargo", &["nextest", "--version"]);
    if output(nextest).is_none() {
        return tests(&["test"]);
    }
    let outcomes: Vec<_> = profiles
        .iter()
        .map(|profile| tests(&["nextest", "run", "--profile", profile]))
        .collect();
    outcomes.into_iter().collect()
}

/// The tests of `--device wgpu`, if there is a Vulkan driver; lavapipe suffices.
fn gpu(workspace: &Workspace, checks: &mut Checks) {
    if !vulkan::ensure(workspace) {
        let what = "tests of --device wgpu (no Vulkan driver)";
        checks.skipped.push(what.to_owned());
        return;
    }
    checks.check("tests of --device wgpu", || {
        let mut tests = command(
            &workspace.root,
            "cargo",
            &["test", "--workspace", "--locked"],
        );
        tests.args(features::on_gpus());
        tests.args(["--test", "native_train", "--", "gpu", "--test-threads", "1"]);
        run(tests)
    });
}

#[cfg(test)]
mod tests {
    /// Each test is in one of nextest's two profiles.
    #[test]
    fn profiles_are_all_tests() {
        let config = include_str!("../../../.config/nextest.toml");
        let filters: Vec<&str> = config
            .lines()
            .filter_map(|line| line.strip_prefix("default-filter = ")?.strip_prefix('"'))
            .filter_map(|line| line.strip_suffix('"'))
            .collect();
        let [default, slow] = filters[..] else {
            panic!("two filters are expected: {filters:?}");
        };
        assert_eq!(default, format!("not ({slow})"));
    }
}
