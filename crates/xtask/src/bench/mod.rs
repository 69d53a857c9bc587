//! `cargo xtask bench`: our speed and memory beside those of ONNX Runtime and PyTorch, on the same weights, in turn; in a
//! browser beside onnxruntime-web.

mod cells;
mod forward;
mod in_browser;
mod player;
mod table;
mod timing;
mod training;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::features;
use crate::mpi;
use crate::python::{PYTORCH, READERS};
use crate::run::{command, output, step};
use crate::workspace::Workspace;
use table::{HEAD, Row};

/// What to measure.
#[derive(Debug, Args)]
pub struct Bench {
    /// Two minutes: forward passes of small networks, without PyTorch and browser.
    #[arg(long)]
    quick: bool,
    /// Only the cells whose name has this in it, e.g. "128 ch 16", "deep", "round", "browser".
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Runs of each program, of which the median is taken.
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Write the results, a JSON file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Largest difference of a value of two images in [-1, 1].
const TOLERANCE: f32 = 1e-4;

/// The programs and where their files are.
struct Place<'a> {
    workspace: &'a Workspace,
    /// Models and outputs.
    directory: PathBuf,
    /// Our side.
    speed: PathBuf,
    onnx_runtime: Option<PathBuf>,
    pytorch: Option<PathBuf>,
    /// A checkout of BigGAN-PyTorch.
    biggan_pytorch: Option<PathBuf>,
}

impl<'a> Place<'a> {
    fn new(workspace: &'a Workspace, quick: bool) -> Result<Self> {
        let features = features::tested(mpi::installed(workspace));
        step("program", || mpi::programs(workspace, &features))?;
        let directory = workspace.target.join("bench");
        fs::create_dir_all(&directory)?;
        let onnx_runtime = READERS.find(workspace);
        let pytorch = if quick { None } else { PYTORCH.find(workspace) };
        Ok(Self {
            directory,
            speed: workspace.target.join("debug/speed"),
            biggan_pytorch: pytorch.as_ref().and_then(|_| training::checkout(workspace)),
            onnx_runtime,
            pytorch,
            workspace,
        })
    }

    /// Our program with some threads.
    fn ours(&self, threads: usize) -> Command {
        let mut ours = command(&self.directory, &self.speed.to_string_lossy(), &[]);
        ours.env("RAYON_NUM_THREADS", threads.to_string());
        ours
    }

    /// A script of tests/peer.
    fn script(&self, python: &Path, name: &str) -> Command {
        let mut script = command(&self.directory, &python.to_string_lossy(), &[]);
        script.env("PYTHONDONTWRITEBYTECODE", "1");
        script.arg(self.workspace.root.join("tests/peer").join(name));
        script
    }
}

/// Measures and prints.
pub fn bench(workspace: &Workspace, bench: &Bench) -> Result<()> {
    let place = Place::new(workspace, bench.quick)?;
    let machine = machine(workspace);
    println!("{machine}\n\n{HEAD}");
    let mut rows = Vec::new();
    let mut found = |row: Row| {
        println!("{}", row.line());
        rows.push(row);
    };
    forward::measure(&place, bench, &mut found)?;
    if !bench.quick {
        training::measure(&place, bench, &mut found)?;
        in_browser::measure(&place, bench, &mut found)?;
    }
    if rows.is_empty() {
        let only = bench.only.as_deref().unwrap_or_default();
        bail!("no cell has {only:?} in its name; without --only all are measured");
    }
    if let Some(path) = &bench.json {
        fs::write(path, table::json(&machine, &rows))
            .with_context(|| path.display().to_string())?;
    }
    Ok(())
}

impl Bench {
    fn wants(&self, cell: &str) -> bool {
        self.only.as_ref().is_none_or(|only| cell.contains(&**only))
    }
}

/// What computes, and what it is busy with: timings beside other work mean little.
fn machine(workspace: &Workspace) -> String {
    let root = &workspace.root;
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.and_then(|line| line.split_once(':'));
    let sets: Vec<&str> = ["avx2", "avx512f"]
        .into_iter()
        .filter(|set| cpu.contains(&format!(" {set} ")))
        .collect();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    let commit = output(command(root, "git", &["rev-parse", "--short", "HEAD"]));
    format!(
        "{}, {} cores, {}, load {load} at the start, commit {}",
        model.map_or("a CPU", |(_, model)| model.trim()),
        std::thread::available_parallelism().map_or(0, usize::from),
        sets.join(" and "),
        commit.unwrap_or_default()
    )
}
