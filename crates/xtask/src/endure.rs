//! `cargo xtask endure`: kills of the program at random moments, and hostile files in large numbers.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::features;
use crate::mpi;
use crate::run::{command, output, run, step};
use crate::workspace::Workspace;

/// How much.
#[derive(Args, Clone, Copy)]
pub struct Endurance {
    /// Kills (SIGKILL) of training, export, packing and evaluation together.
    #[arg(long, default_value_t = 1000)]
    kills: u64,
    /// Mutated files for the readers.
    #[arg(long, default_value_t = 100_000_000)]
    inputs: u64,
    /// Seed of the moments and of the mutations.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// A recipe whose steps, checkpoints and sheets follow each other within milliseconds.
const RECIPE: &str = r#"
name = "endure"

[data]
dataset = "idx"
path = "data"

[run]
images = 1_000_000_000
checkpoint_every_images = 8
sample_every_images = 8
log_every_steps = 1
keep_checkpoints = 3

[run.collapse]
enabled = false

[train]
seed = 3
batch_size = 4
d_steps = 2

[train.generator]
resolution = 32
channels = 2
z_dim = 8
classes = 10
class_embedding = { kind = "shared", dim = 4 }
hierarchical_z = true

[train.discriminator]
resolution = 32
channels = 2
classes = 10

[train.adam_g]
lr = 1e-4

[train.adam_d]
lr = 1e-4

[train.ema]
decay = 0.5
"#;

/// Runs both.
pub fn endure(workspace: &Workspace, how_much: Endurance) -> Result<()> {
    step("program", || {
        mpi::programs(workspace, &features::tested(true))
    })?;
    if how_much.kills > 0 {
        step("kills", || kills(workspace, how_much))?;
    }
    if how_much.inputs > 0 {
        step("hostile files", || hostile_files(workspace, how_much))?;
    }
    Ok(())
}

/// A directory with data, recipe, a run and a model, and the program.
struct Place {
    root: PathBuf,
    program: PathBuf,
}

impl Place {
    fn new(workspace: &Workspace) -> Result<Self> {
        let root = workspace.target.join("endure");
        if root.exists() {
            fs::remove_dir_all(&root)?;
        }
        let data = root.join("data");
        fs::create_dir_all(&data)?;
        let images = workspace.root.join("tests/fixtures/fashion-mnist-300");
        for kind in ["images-idx3-ubyte.gz", "labels-idx1-ubyte.gz"] {
            let from = images.join(format!("t10k-{kind}"));
            fs::copy(&from, data.join(format!("train-{kind}")))
                .with_context(|| from.display().to_string())?;
        }
        let packed = RECIPE
            .replace(r#""idx""#, r#""packed""#)
            .replace(r#""data""#, r#""packed""#);
        for (name, text) in [("recipe.toml", RECIPE), ("packed.toml", &packed)] {
            fs::write(root.join(name), text)?;
        }
        let place = Self {
            program: workspace.target.join("debug/native-train"),
            root,
        };
        place.whole(&["--config", "recipe.toml", "--out", "run", "--steps", "8"])?;
        place.whole(&EXPORT)?;
        place.whole(&CLASSIFIER)?;
        Ok(place)
    }

    fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = command(&self.root, &self.program.display().to_string(), &[]);
        command
            .args(args)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// Runs a command to its end, which must be a good one.
    fn whole<S: AsRef<OsStr>>(&self, args: &[S]) -> Result<()> {
        let mut command = self.command(args);
        command.stderr(Stdio::inherit());
        let status = command.status().context("the program")?;
        ensure!(status.success(), "{command:?}: {status}");
        Ok(())
    }

    /// What a command prints, if it ends well.
    fn says(&self, args: &[&str]) -> Result<String> {
        let mut command = self.command(args);
        command.stdout(Stdio::piped());
        let line = format!("{command:?}");
        output(command).with_context(|| format!("{line} fails"))
    }
}

const TRAIN: [&str; 5] = ["--config", "recipe.toml", "--out", "run", "--resume"];
const EXPORT: [&str; 6] = [
    "export",
    "run",
    "--out",
    "model.safetensors",
    "--passes",
    "1",
];
const CLASSIFIER: [&str; 11] = [
    "classifier",
    "--dataset",
    "idx",
    "--data",
    "data",
    "--classes",
    "10",
    "--epochs",
    "1",
    "--out",
    "judge.safetensors",
];
const PACK: [&str; 6] = ["data", "pack", "--config", "recipe.toml", "--out", "packed"];

/// What is killed, and what must hold afterwards.
struct Victim {
    name: &'static str,
    args: Vec<String>,
    /// Of [`SHARES`] kills.
    share: u64,
    check: fn(&Place, &mut u64) -> Result<()>,
}

const SHARES: u64 = 5;

fn victims() -> Vec<Victim> {
    let words = |args: &[&str]| args.iter().map(|arg| (*arg).to_owned()).collect();
    let evaluate = [
        "evaluate",
        "model.safetensors",
        "--classifier",
        "judge.safetensors",
        "--dataset",
        "idx",
        "--data",
        "data",
        "--count",
        "40",
        "--neighbours",
        "40",
        "--recognised",
        "40",
        "--json",
        "scores.json",
        "--update",
    ];
    vec![
        Victim {
            name: "training",
            args: words(&TRAIN),
            share: 2,
            check: the_run_goes_on,
        },
        Victim {
            name: "export",
            args: words(&EXPORT),
            share: 1,
            check: the_model_reads,
        },
        Victim {
            name: "data pack",
            args: words(&PACK),
            share: 1,
            check: the_packs_read,
        },
        Victim {
            name: "evaluate --update",
            args: words(&evaluate),
            share: 1,
            check: the_scores_read,
        },
    ]
}

/// Changes of the time within which a kill falls, after a kill and after a run that was over before: about one run in
/// eight is, however fast the machine becomes.
const LONGER: f64 = 1.01;
const SHORTER: f64 = 0.93;

fn kills(workspace: &Workspace, how_much: Endurance) -> Result<()> {
    let place = Place::new(workspace)?;
    let mut random = Random(how_much.seed);
    let mut report =
        String::from("| command | kills | ended before its kill, not counted |\n|---|---|---|\n");
    for victim in victims() {
        let mut span = match victim.name {
            // it never ends
            "training" => Duration::from_secs(1),
            _ => {
                let start = Instant::now();
                place.whole(&victim.args)?;
                start.elapsed().mul_f64(1.1)
            }
        };
        let count = how_much.kills * victim.share / SHARES;
        let (mut killed, mut ended, mut known) = (0, 0, 0);
        while killed < count {
            let mut child = place.command(&victim.args).spawn().context("the program")?;
            thread::sleep(span.mul_f64(random.share()));
            match child.try_wait()? {
                None => {
                    killed += 1;
                    if ended > 0 {
                        span = span.mul_f64(LONGER);
                    }
                }
                Some(_) => {
                    ended += 1;
                    span = span.mul_f64(SHORTER);
                }
            }
            child.kill()?;
            child.wait()?;
            (victim.check)(&place, &mut known)
                .with_context(|| format!("after kill {killed} of {}", victim.name))?;
        }
        report += &format!("| {} | {count} | {ended} |\n", victim.name);
        eprintln!("    {}: {count} kills, nothing lost", victim.name);
    }
    println!("{report}");
    Ok(())
}

/// The newest checkpoint reads, and is no older than the one after the kill before; each line of the log but the
/// last is whole.
fn the_run_goes_on(place: &Place, known: &mut u64) -> Result<()> {
    place.says(&["inspect", "run"])?;
    let names = fs::read_dir(place.root.join("run/checkpoints"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    let images = |path: &PathBuf| path.file_stem()?.to_str()?.parse::<u64>().ok();
    let newest = names.iter().filter_map(images).max().unwrap_or_default();
    ensure!(
        newest >= *known,
        "the newest checkpoint has seen {newest} images; there was one of {known}"
    );
    *known = newest;
    let log = fs::read_to_string(place.root.join("run/log.jsonl"))?;
    let whole = |line: &str| line.starts_with('{') && line.ends_with('}');
    let mut lines: Vec<&str> = log.lines().collect();
    if !log.ends_with('\n') {
        lines.pop();
    }
    match lines.iter().find(|line| !whole(line)) {
        None => Ok(()),
        Some(line) => bail!("a line within the log is cut: {line}"),
    }
}

fn the_model_reads(place: &Place, _: &mut u64) -> Result<()> {
    place.says(&["inspect", "model.safetensors"]).map(drop)
}

fn the_packs_read(place: &Place, _: &mut u64) -> Result<()> {
    place
        .says(&["data", "check", "--config", "packed.toml"])
        .map(drop)
}

fn the_scores_read(place: &Place, known: &mut u64) -> Result<()> {
    the_model_reads(place, known)?;
    let path = place.root.join("scores.json");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    ensure!(
        text.trim_end().ends_with('}'),
        "scores.json is cut: {} bytes",
        text.len()
    );
    Ok(())
}

/// Mutated files through every reader, in one process a core; tests/fuzz says what must hold.
fn hostile_files(workspace: &Workspace, how_much: Endurance) -> Result<()> {
    let processes = thread::available_parallelism().map_or(1, usize::from) as u64;
    let each = how_much.inputs.div_ceil(processes);
    let start = |number: u64| {
        let mut fuzz = command(&workspace.root, "cargo", &["nextest", "run", "--workspace"]);
        fuzz.args([
            "--locked",
            "--features",
            features::WITH_MPI,
            "--profile",
            "slow",
        ]);
        fuzz.args(["-E", "binary(fuzz)", "--no-capture"]);
        fuzz.env("FUZZ_SEED", (how_much.seed + number).to_string());
        fuzz.env("FUZZ_INPUTS", each.to_string());
        fuzz
    };
    // built once, before the processes ask for it at the same time
    let mut build = start(0);
    build.arg("--no-run");
    run(build)?;
    thread::scope(|scope| {
        let all: Vec<_> = (0..processes)
            .map(|number| scope.spawn(move || run(start(number))))
            .collect();
        all.into_iter().try_for_each(|one| match one.join() {
            Ok(outcome) => outcome,
            Err(_) => bail!("a process could not be watched"),
        })
    })
}

/// SplitMix64 (Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    /// From 0 to 1.
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) as f64 / u64::MAX as f64
    }
}
