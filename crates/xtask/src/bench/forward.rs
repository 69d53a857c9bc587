//! Passes of generators.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::cells::{BATCHES, NETWORKS, Network, THREADS};
use super::player::Player;
use super::table::Row;
use super::timing::{difference, in_turn};
use super::{Bench, Place, TOLERANCE};
use crate::run::run;

/// Cells of `--quick`.
const QUICK: [&str; 2] = ["32 ch 16", "128 ch 16 (64)"];

/// Every network at every batch and number of threads.
pub fn measure(place: &Place, bench: &Bench, found: &mut dyn FnMut(Row)) -> Result<()> {
    for network in NETWORKS {
        if bench.quick && !QUICK.contains(&&*network.name()) {
            continue;
        }
        let cell = |batch, threads| {
            let word = if threads == 1 { "thread" } else { "threads" };
            format!("{}, batch {batch}, {threads} {word}", network.name())
        };
        let wanted: Vec<(usize, usize)> = THREADS
            .iter()
            .flat_map(|&threads| BATCHES.map(|batch| (batch, threads)))
            .filter(|&(batch, threads)| bench.wants(&cell(batch, threads)))
            .collect();
        if wanted.is_empty() {
            continue;
        }
        let directory = place.directory.join(network.slug());
        make(place, network, &directory)?;
        for (batch, threads) in wanted {
            let cell = cell(batch, threads);
            found(one(place, bench, &directory, (cell.clone(), batch, threads)).context(cell)?);
        }
        // the largest have hundreds of megabytes
        fs::remove_dir_all(&directory)?;
    }
    Ok(())
}

/// A model, its graph and latents.
pub fn make(place: &Place, network: Network, directory: &Path) -> Result<()> {
    fs::create_dir_all(directory)?;
    let mut make = place.ours(2);
    make.args(["make", network.architecture]);
    let sizes = [network.resolution, network.channels, network.attention];
    make.args(sizes.map(|size| size.to_string())).arg(directory);
    make.args(BATCHES.map(|batch| batch.to_string()));
    run(make)
}

fn one(
    place: &Place,
    bench: &Bench,
    directory: &Path,
    (cell, batch, threads): (String, usize, usize),
) -> Result<Row> {
    let latents = directory.join(format!("latents-{batch}"));
    let images = |name: &str| directory.join(format!("{name}.images"));
    let play = |mut program: Command, model: &str, name: &'static str| {
        program.arg(directory.join(model));
        program.arg(&latents).arg(images(name));
        (name, program)
    };
    let mut ours = place.ours(threads);
    ours.arg("forward");
    let mut programs = vec![play(ours, "model.safetensors", "ours")];
    let threads = threads.to_string();
    if let Some(python) = &place.onnx_runtime {
        let script = place.script(python, "onnx_forward.py");
        let (name, mut program) = play(script, "model.onnx", "ONNX Runtime");
        program.arg(&threads);
        programs.push((name, program));
    }
    if let Some(python) = &place.pytorch {
        for (name, layout) in [("PyTorch", "nchw"), ("PyTorch NHWC", "nhwc")] {
            let script = place.script(python, "speed_torch.py");
            let (name, mut program) = play(script, "model.onnx", name);
            program.args([&*threads, layout]);
            programs.push((name, program));
        }
    }
    let start = |(name, program)| Player::start(name, program);
    let mut players = programs
        .into_iter()
        .map(start)
        .collect::<Result<Vec<_>>>()?;
    let apart = match players.len() {
        1 => None,
        _ => Some(largest_difference(&players, images)?),
    };
    if let Some(apart) = apart {
        ensure!(
            apart <= TOLERANCE,
            "a peer differs by {apart:e}, at most {TOLERANCE:e} may be"
        );
    }
    Ok(Row {
        cell,
        difference: apart,
        timings: in_turn(&mut players, bench.runs as usize)?,
    })
}

/// Largest difference of a value of the first player's images from another's.
pub fn largest_difference(players: &[Player], images: impl Fn(&str) -> PathBuf) -> Result<f32> {
    let read = |name| fs::read(images(name)).with_context(|| format!("images of {name}"));
    let drawn = read(players[0].name)?;
    let mut largest = 0.0f32;
    for player in &players[1..] {
        let apart = difference(&drawn, &read(player.name)?)
            .with_context(|| format!("{} draws other images", player.name))?;
        largest = largest.max(apart);
    }
    Ok(largest)
}
