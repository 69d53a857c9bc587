//! Everything that must hold before a change is accepted, or a part of it.

use std::path::Path;

use anyhow::{Result, bail};
use clap::Args;

use crate::browser;
use crate::feature_network;
use crate::library;
use crate::mpi;
use crate::python::ONNX_RUNTIME;
use crate::run::{command, output, run, step};
use crate::setup::setup;
use crate::web::web;
use crate::workspace::Workspace;

/// Which checks to run: all, unless a part is selected.
#[derive(Args, Clone, Copy)]
pub struct Parts {
    /// Only the format, lints, and the fast tests (nextest's profile `default`).
    #[arg(long, conflicts_with_all = ["native", "page"])]
    quick: bool,
    /// Everything but the page: format, lints, all native tests, with MPI and on wgpu.
    #[arg(long)]
    native: bool,
    /// Only the page: its builds, and their tests in a browser.
    #[arg(long)]
    page: bool,
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
        mpi::ensure(workspace)?
    };
    let features = mpi::arguments(with_mpi);
    if !with_mpi {
        checks
            .skipped
            .push(format!("{} tests of many processes (no MPI)", mpi::tests()));
    }
    let whole = !(parts.quick || parts.native || parts.page);
    if parts.quick {
        quick(workspace, features, &mut checks);
    }
    if parts.native || whole {
        native(workspace, features, &mut checks);
    }
    if parts.page || whole {
        page(workspace, features, &mut checks);
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
    checks.check("lints", || lints(workspace, features));
    checks.check("fast tests", || {
        native_tests(workspace, features, &["default"], None)
    });
}

fn native(workspace: &Workspace, features: &[&str], checks: &mut Checks) {
    checks.check("format", || format(workspace));
    checks.check("lints", || lints(workspace, &[]));
    if !features.is_empty() {
        checks.check("lints of many processes", || lints(workspace, features));
        checks.check("types of NCCL", || nccl_types(workspace));
    }
    let onnx = ONNX_RUNTIME.find(workspace);
    if onnx.is_none() {
        let what = "comparison of exported graphs with ONNX Runtime (pip cannot install it)";
        checks.skipped.push(what.to_owned());
    }
    checks.check("native tests", || {
        native_tests(workspace, features, &["default", "slow"], onnx.as_deref())
    });
    checks.check("documentation", || {
        library::documentation(workspace, features)
    });
    checks.check("examples", || library::examples(workspace, features));
    checks.check("packages", || library::packages(workspace));
    checks.check("native wgpu", || native_wgpu(workspace));
}

fn page(workspace: &Workspace, features: &[&str], checks: &mut Checks) {
    checks.check("browser for the page tests", || browser::ensure(workspace));
    checks.check("tools for the page", || setup(workspace));
    checks.check("native programs that the page is compared with", || {
        mpi::programs(workspace, features)
    });
    // the release build: a test asserts the sizes
    checks.check("page build", || web(workspace, true));
    checks.check("page tests", || {
        let mut tests = command(&workspace.www(), "npm", &["test"]);
        tests.env("CARGO_TARGET_DIR", &workspace.target);
        tests.env("BIGGAN_ALL_BUILDS", "1");
        run(tests)
    });
}

fn format(workspace: &Workspace) -> Result<()> {
    run(command(
        &workspace.root,
        "cargo",
        &["fmt", "--all", "--check"],
    ))
}

fn lints(workspace: &Workspace, features: &[&str]) -> Result<()> {
    let mut clippy = command(&workspace.root, "cargo", &["clippy", "--workspace"]);
    // the bindings of training, which no native program needs
    clippy.args(["--features", "biggan-web/train,biggan-pictures/web"]);
    clippy.args(["--all-targets", "--locked"]).args(features);
    clippy.args(["--", "--deny", "warnings"]);
    run(clippy)
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
            tests.env(ONNX_RUNTIME.variable, python);
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

/// Type-checks the code for NCCL on a machine without CUDA's tools: `DOCS_RS` keeps a build script of the
/// CUDA backend from fetching a compiler.
fn nccl_types(workspace: &Workspace) -> Result<()> {
    let root = &workspace.root;
    let mut types = command(root, "cargo", &["check", "--package", "native-train"]);
    types.args(["--features", "nccl", "--all-targets", "--locked"]);
    types.env("DOCS_RS", "1");
    // the variable also changes the builds of other crates
    types.env("CARGO_TARGET_DIR", workspace.target.join("nccl"));
    run(types)
}

/// The tests of `--device wgpu`, if there is a Vulkan driver; lavapipe suffices.
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
