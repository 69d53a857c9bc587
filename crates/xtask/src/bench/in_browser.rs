//! Passes of generators in Chromium, on the CPU with one thread: our package beside onnxruntime-web.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::cells::{BROWSER, Network};
use super::forward::{largest_difference, make};
use super::player::Player;
use super::table::Row;
use super::timing::in_turn;
use super::{Bench, Place};
use crate::run::{command, run, step};
use crate::workspace::Workspace;
use crate::{browser, setup, web};

/// npm's packages beside ours.
const PACKAGES: [&str; 2] = ["onnxruntime-web@1.30.0", "playwright-core@1.65.1"];
/// Pixels of 8 bits may be rounded to either side: one step of them, and a little.
const TOLERANCE: f32 = 1.01 / 127.5;

/// Every cell; none where there is no browser.
pub fn measure(place: &Place, bench: &Bench, found: &mut dyn FnMut(Row)) -> Result<()> {
    let cell = |network: Network, batch| format!("browser: {}, batch {batch}", network.name());
    let wanted = BROWSER
        .into_iter()
        .filter(|&(network, batch)| bench.wants(&cell(network, batch)));
    let wanted: Vec<(Network, usize)> = wanted.collect();
    if wanted.is_empty() || !browser::ensure(place.workspace)? {
        return Ok(());
    }
    package(place.workspace)?;
    let modules = modules(place.workspace)?;
    for (network, batch) in wanted {
        let cell = cell(network, batch);
        let directory = place.directory.join(network.slug());
        make(place, network, &directory)?;
        let row = one(place, bench, (&modules, &directory, batch), cell.clone());
        found(row.context(cell)?);
        fs::remove_dir_all(&directory)?;
    }
    Ok(())
}

/// Our package, with the build for the CPU.
fn package(workspace: &Workspace) -> Result<()> {
    setup::wasm_target(workspace)?;
    setup::for_the_page(workspace)?;
    step("package", || {
        web::for_the_cpu(workspace)?;
        run(command(&workspace.www(), "npm", &["run", "build:lib"]))
    })
}

/// The folder of npm's packages, which are installed once.
fn modules(workspace: &Workspace) -> Result<PathBuf> {
    let modules = workspace.tools().join("onnxruntime-web");
    if !modules.join("node_modules/onnxruntime-web").is_dir() {
        fs::create_dir_all(&modules)?;
        fs::write(modules.join("package.json"), "{\"private\": true}\n")?;
        let mut npm = command(&modules, "npm", &["install", "--no-progress"]);
        npm.args(PACKAGES);
        run(npm)?;
    }
    Ok(modules)
}

fn one(
    place: &Place,
    bench: &Bench,
    (modules, directory, batch): (&Path, &Path, usize),
    cell: String,
) -> Result<Row> {
    let images = |name: &str| directory.join(format!("{name}.images"));
    let start = |who: &'static str, name: &'static str, model: &str| {
        let mut player = command(&place.directory, "node", &[]);
        player.arg(place.workspace.root.join("tests/peer/browser.mjs"));
        player.arg(who).arg(place.workspace.www().join("lib"));
        player.arg(modules).arg(directory.join(model));
        player.arg(directory.join(format!("latents-{batch}")));
        player.arg(images(name));
        Player::start(name, player)
    };
    let mut players = vec![
        start("ours", "ours", "model.safetensors")?,
        start("onnx", "onnxruntime-web", "model.onnx")?,
    ];
    let apart = largest_difference(&players, images)?;
    ensure!(
        apart <= TOLERANCE,
        "a pixel differs by {:.1} of 255, at most 1 may be",
        apart * 127.5
    );
    Ok(Row {
        cell,
        difference: Some(apart),
        timings: in_turn(&mut players, bench.runs as usize)?,
    })
}
