//! The page on this machine.

use anyhow::Result;

use crate::run::{command, run};
use crate::setup::setup;
use crate::web::web;
use crate::workspace::Workspace;

/// Builds and serves the page until it is interrupted.
pub fn demo(workspace: &Workspace, port: u16) -> Result<()> {
    setup(workspace)?;
    web(workspace, false)?;
    eprintln!("==> the page is at http://localhost:{port}/ (Ctrl-C ends it)");
    let port = port.to_string();
    run(command(
        &workspace.www(),
        "npm",
        &[
            "run",
            "preview",
            "--",
            "--strictPort",
            "--host",
            "localhost",
            "--port",
            &port,
        ],
    ))
}
