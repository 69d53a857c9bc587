//! MPI for the tests of several processes.

use std::env;

use anyhow::Result;

use crate::debian;
use crate::run::{command, output, run};
use crate::web::on_path;
use crate::workspace::Workspace;

/// Debian's packages: Open MPI with its headers, and libclang to read them.
const PACKAGES: [&str; 3] = ["libopenmpi-dev", "openmpi-bin", "libclang-dev"];

/// Builds the native programs with the features of the tests, so that nothing is built twice.
pub fn programs(workspace: &Workspace, features: &[&str]) -> Result<()> {
    let mut build = command(&workspace.root, "cargo", &["build", "--workspace"]);
    build.args(["--bins", "--locked"]).args(features);
    run(build)
}

/// Tests in tests/native_train/clusters.rs, which are left out without MPI.
const TESTS: &str = include_str!("../../../tests/native_train/clusters.rs");

/// Whether there is an MPI; installs it if possible, otherwise prints how.
pub fn ensure(workspace: &Workspace) -> bool {
    debian::ensure(
        workspace,
        "Open MPI",
        (&PACKAGES, &["--no-install-recommends"]),
        || installed(workspace),
        &format!(
            "no MPI with headers and libclang: {} tests are skipped",
            tests()
        ),
    )
}

/// Number of the tests that need MPI.
pub fn tests() -> usize {
    TESTS.matches("#[test]").count()
}

/// Whether there is an MPI with headers, and libclang.
pub fn installed(workspace: &Workspace) -> bool {
    let package = command(&workspace.root, "dpkg", &["--status", "libclang-dev"]);
    let clang =
        env::var_os("LIBCLANG_PATH").is_some() || on_path("clang") || output(package).is_some();
    clang && on_path("mpicc") && on_path("mpirun")
}
