//! MPI for the tests of many processes.

use std::env;

use anyhow::Result;

use crate::run::{command, output, run, step};
use crate::web::on_path;
use crate::workspace::Workspace;

/// Debian's packages: Open MPI with its headers, and what reads those.
const PACKAGES: [&str; 3] = ["libopenmpi-dev", "openmpi-bin", "libclang-dev"];

/// Features of the tests of many processes.
pub const FEATURES: &str = "native-train/mpi,native-train/faults";

/// Tests in tests/native_train/clusters.rs, which are left out without MPI.
const TESTS: &str = include_str!("../../../tests/native_train/clusters.rs");

/// Whether there is an MPI; it is installed where that is possible, else it is said how.
pub fn ensure(workspace: &Workspace) -> Result<bool> {
    if installed(workspace) {
        return Ok(true);
    }
    let root = &workspace.root;
    let line = format!(
        "apt-get install --yes --no-install-recommends {}",
        PACKAGES.join(" ")
    );
    let superuser = output(command(root, "id", &["-u"])).as_deref() == Some("0");
    if superuser && on_path("apt-get") {
        let installing = step("Open MPI for the tests", || {
            run(command(root, "apt-get", &["update", "--quiet"]))?;
            let mut install = command(root, "apt-get", &["install", "--yes", "--quiet"]);
            install
                .arg("--no-install-recommends")
                .args(PACKAGES)
                .env("DEBIAN_FRONTEND", "noninteractive");
            run(install)
        });
        if installing.is_ok() && installed(workspace) {
            return Ok(true);
        }
    }
    eprintln!(
        "==> no MPI with headers and libclang: {} tests are skipped",
        tests()
    );
    eprintln!("    install it with: sudo {line}");
    Ok(false)
}

/// Number of the tests that need MPI.
pub fn tests() -> usize {
    TESTS.matches("#[test]").count()
}

fn installed(workspace: &Workspace) -> bool {
    let package = command(&workspace.root, "dpkg", &["--status", "libclang-dev"]);
    let clang =
        env::var_os("LIBCLANG_PATH").is_some() || on_path("clang") || output(package).is_some();
    clang && on_path("mpicc") && on_path("mpirun")
}
