//! Everything that must hold before a change is accepted.

use anyhow::{Result, bail};

use crate::browser;
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
    check("lints", &|| {
        let mut clippy = command(root, "cargo", &["clippy", "--workspace", "--all-targets"]);
        clippy.args(["--locked", "--", "--deny", "warnings"]);
        run(clippy)
    });
    check("native tests", &|| native_tests(workspace));

    check("browser for the page tests", &|| browser::ensure(workspace));
    check("tools for the page", &|| setup(workspace));
    check("native programs that the page is compared with", &|| {
        let mut build = command(
            root,
            "cargo",
            &["build", "--workspace", "--bins", "--examples"],
        );
        build.arg("--locked");
        run(build)
    });
    check("page build", &|| web(workspace, false));
    check("page tests", &|| {
        let mut tests = command(&workspace.www(), "npm", &["test"]);
        tests.env("CARGO_TARGET_DIR", &workspace.target);
        run(tests)
    });
    if failed.is_empty() {
        eprintln!("==> all checks passed");
        return Ok(());
    }
    bail!("failed: {}", failed.join(", "))
}

/// All tests of the workspace, with nextest where it is installed.
fn native_tests(workspace: &Workspace) -> Result<()> {
    let root = &workspace.root;
    let nextest = command(root, "cargo", &["nextest", "--version"]);
    let mut tests = if output(nextest).is_some() {
        command(root, "cargo", &["nextest", "run", "--no-fail-fast"])
    } else {
        command(root, "cargo", &["test", "--no-fail-fast"])
    };
    tests.args(["--workspace", "--locked"]);
    run(tests)
}
