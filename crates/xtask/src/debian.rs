//! Debian's packages, where they may be installed.

use anyhow::Result;

use crate::run::{command, output, run, step};
use crate::web::on_path;
use crate::workspace::Workspace;

/// The line that installs packages, for a person.
pub fn line(packages: &[&str]) -> String {
    format!("apt-get install --yes {}", packages.join(" "))
}

/// Installs packages if run as root on Debian; otherwise does nothing and returns false.
pub fn install(
    workspace: &Workspace,
    what: &str,
    packages: &[&str],
    more: &[&str],
) -> Result<bool> {
    let root = &workspace.root;
    let superuser = output(command(root, "id", &["-u"])).as_deref() == Some("0");
    if !(superuser && on_path("apt-get")) {
        return Ok(false);
    }
    step(what, || {
        run(command(root, "apt-get", &["update", "--quiet"]))?;
        let mut install = command(root, "apt-get", &["install", "--yes", "--quiet"]);
        install
            .args(more)
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive");
        run(install)
    })?;
    Ok(true)
}

/// Whether something is there that some tests need; installs it if possible, otherwise prints what is left out and how to
/// install it. Without it the other tests can run.
pub fn ensure(
    workspace: &Workspace,
    what: &str,
    (packages, more): (&[&str], &[&str]),
    installed: impl Fn() -> bool,
    without: &str,
) -> bool {
    if installed() {
        return true;
    }
    let installing = install(workspace, &format!("{what} for the tests"), packages, more);
    if installing.is_ok_and(|done| done) && installed() {
        return true;
    }
    eprintln!("==> {without}");
    eprintln!("    install it with: sudo {}", line(packages));
    false
}
