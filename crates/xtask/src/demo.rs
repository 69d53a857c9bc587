//! `cargo xtask demo`: the page on this machine.

use std::net::TcpListener;
use std::process::{self, Command};
use std::thread;

use anyhow::{Context, Result, anyhow, bail};

use crate::model;
use crate::run::{command, output, run, step};
use crate::setup::{for_the_page, wasm_target};
use crate::web::{BUILDS, Build, npm};
use crate::workspace::Workspace;

/// Cargo's profile for the wasm: builds faster than the release.
const PROFILE: &str = "demo";

/// Builds and serves the page until interrupted. Unless it waits for all builds, the page is served with the first, which
/// draws on the CPU; it says which builds are being made, and offers each new version.
pub fn demo(workspace: &Workspace, all: bool, port: u16) -> Result<()> {
    TcpListener::bind(("localhost", port)).with_context(|| {
        format!("port {port} of localhost cannot be had; name another with --port")
    })?;
    let [first, rest @ ..] = &BUILDS;
    wasm_target(workspace)?;
    thread::scope(|scope| {
        // waits for the network, and makes builds that need few cores
        let tools = scope.spawn(|| for_the_page(workspace));
        let made = step(&words(first), || first.compile(workspace, PROFILE));
        let tools = tools
            .join()
            .map_err(|_| anyhow!("the tools' setup has panicked"))?;
        tools
            .and(made)
            .and_then(|wasm| first.bind(workspace, &wasm))
    })?;
    if all {
        for build in rest {
            make(workspace, build)?;
        }
        page(workspace, &[], &[])?;
        return run(server(workspace, port));
    }

    let mut missing: Vec<&str> = rest.iter().map(|build| build.name).collect();
    page(workspace, &missing, &[])?;
    let mut server = server(workspace, port);
    let mut server = server.spawn().context("npm could not be started")?;
    // the page draws on the same cores that build
    let own = process::id().to_string();
    output(command(
        &workspace.root,
        "renice",
        &["-n", "10", "-p", &own],
    ));
    for build in rest {
        let made = make(workspace, build).and_then(|()| {
            missing.retain(|name| *name != build.name);
            // open pages continue with the previous files
            page(workspace, &missing, &["--", "--no-emptyOutDir"])
        });
        if let Err(error) = made {
            eprintln!("error: {error:#}; the page goes on without it");
        }
        if let Some(status) = server.try_wait()? {
            bail!("the page's server has ended: {status}");
        }
    }
    eprintln!("==> all is built (Ctrl-C ends the page)");
    let status = server.wait()?;
    bail!("the page's server has ended: {status}");
}

fn words(build: &Build) -> String {
    format!("wasm, {} build", build.name)
}

fn make(workspace: &Workspace, build: &Build) -> Result<()> {
    step(&words(build), || {
        let wasm = build.compile(workspace, PROFILE)?;
        build.bind(workspace, &wasm).map(drop)
    })
}

/// Builds the page, which says of builds that are missing that they are being made.
fn page(workspace: &Workspace, missing: &[&str], more: &[&str]) -> Result<()> {
    step("page", || {
        let mut build = npm(workspace, "build:page", model::find_or_make(workspace)?);
        build.args(more).env("VITE_BEING_MADE", missing.join(","));
        run(build)
    })
}

/// The server of www/dist, which always serves the current files.
fn server(workspace: &Workspace, port: u16) -> Command {
    eprintln!("==> the page is at http://localhost:{port}/ (Ctrl-C ends it)");
    let mut server = command(&workspace.www(), "npm", &["run", "preview", "--"]);
    server.args(["--strictPort", "--host", "localhost", "--port"]);
    server.arg(port.to_string());
    server
}
