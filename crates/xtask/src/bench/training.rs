//! Rounds of training beside BigGAN-PyTorch.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::cells::{ROUNDS, Round};
use super::player::Player;
use super::table::Row;
use super::timing::in_turn;
use super::{Bench, Place};
use crate::run::{command, output, run};
use crate::workspace::Workspace;

/// Threads of both sides.
const THREADS: usize = 2;
/// Names a checkout of BigGAN-PyTorch.
const VARIABLE: &str = "BIGGAN_PYTORCH";
const REPOSITORY: &str = "https://github.com/ajbrock/BigGAN-PyTorch";
const COMMIT: &str = "98459431a5d618d644d54cd1e9fceb1e5045648d";

/// The checkout of BigGAN-PyTorch that the variable names, or one that is fetched once; `None` if that fails, after saying
/// what to do.
pub fn checkout(workspace: &Workspace) -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(VARIABLE) {
        return Some(named.into());
    }
    let directory = workspace.tools().join("BigGAN-PyTorch");
    let target = directory.to_string_lossy();
    let git = |args: &[&str]| command(&workspace.root, "git", args);
    let there = || output(git(&["-C", &target, "cat-file", "-t", COMMIT])).is_some();
    if !there() {
        let cloned = run(git(&["clone", "--quiet", REPOSITORY, &target]));
        let checked_out =
            cloned.and_then(|()| run(git(&["-C", &target, "checkout", "--quiet", COMMIT])));
        if let Err(error) = checked_out {
            eprintln!(
                "==> no BigGAN-PyTorch, so that training is measured without a peer: {error:#}"
            );
            eprintln!("    set {VARIABLE} to a checkout of {REPOSITORY}");
            return None;
        }
    }
    Some(directory)
}

/// Every round.
pub fn measure(place: &Place, bench: &Bench, found: &mut dyn FnMut(Row)) -> Result<()> {
    for round in ROUNDS {
        let cell = format!("round: {}", round.name());
        if bench.wants(&cell) {
            found(one(place, bench, round, cell.clone()).context(cell)?);
        }
    }
    Ok(())
}

fn one(place: &Place, bench: &Bench, round: Round, cell: String) -> Result<Row> {
    let config = place.directory.join("round.json");
    fs::write(&config, round.config())?;
    let mut ours = place.ours(THREADS);
    ours.arg("train").arg(&config);
    let mut players = vec![Player::start("ours", ours)?];
    if let (Some(python), Some(checkout)) = (&place.pytorch, &place.biggan_pytorch) {
        // channels first: the spectral norm of its networks takes no other layout
        let mut theirs = place.script(python, "speed_train.py");
        theirs.arg(checkout).arg(&config).arg(THREADS.to_string());
        players.push(Player::start("PyTorch", theirs)?);
    }
    Ok(Row {
        cell,
        // each side draws its own weights and images
        difference: None,
        timings: in_turn(&mut players, bench.runs as usize)?,
    })
}
