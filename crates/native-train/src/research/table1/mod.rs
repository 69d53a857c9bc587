//! `native-train table1`: the paper's Table 1 and the ablations of its analysis, from real runs at a
//! size for two cores.
//!
//! Each row trains by the same loop as any run, is scored at eight checkpoints, and leaves a JSON
//! file; the table is made of these files alone. A row that is there is not run again, a run that was
//! ended goes on.

mod jobs;
mod markdown;
mod measure;
mod result;
mod rows;
mod verdict;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use burn::tensor::Device;

use self::measure::Judge;
use self::result::{RowResult, Spectra};
use self::rows::{ROWS, Row};
use crate::args::Table1Args;
use crate::environment::Environment;
use crate::error::{Outcome, bad_usage};
use crate::evaluation::networks::open_classifier;
use crate::recipe::plan::Plan;
use crate::run::atomic_file;
use crate::run::plan_file;
use crate::run::run_dir;
use crate::training::interrupt::Interrupt;
use crate::training::job::Job;
use crate::training::run::Run;

/// The recipe of the row that the others change.
const RECIPE: &str = include_str!("small.toml");
/// Scores along a run.
const CHECKPOINTS: u64 = 8;

/// Runs the command.
///
/// # Errors
/// If the arguments contradict each other or what is in the directory, or a row fails.
pub fn run(args: &Table1Args, environment: &Environment) -> Result<Outcome> {
    let chosen = chosen(args)?;
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("directory {}", args.out.display()))?;
    let (mut missing, mut same_protocol) = (Vec::new(), Ok(()));
    for row in chosen {
        let plan = plan(row, args)?;
        match RowResult::read(&args.out, row)? {
            Some(result) => {
                result.check(&plan, args.samples)?;
                same_protocol = same_protocol.and(result.check_protocol());
            }
            None => missing.push((row, plan)),
        }
    }
    if args.table_only {
        missing.clear();
    }
    if !missing.is_empty() {
        same_protocol?;
    }
    // faults of the other files show now, not after the first row
    write_table(args)?;
    if !missing.is_empty() {
        open_classifier(&args.classifier, &Device::flex())?;
    }
    let interrupt = Interrupt::install()?;
    if args.jobs > 1 {
        let finished = |row: &Row| {
            report(row, args)?;
            write_table(args)
        };
        let rows = missing.into_iter().map(|(row, _)| row).collect();
        let failures = jobs::run(rows, args, &interrupt, finished)?;
        if let Some(first) = failures.first() {
            bail!("{} rows failed; {first}", failures.len());
        }
    } else {
        for (row, plan) in missing {
            if !train_and_measure(row, &plan, args, environment, &interrupt)? {
                break;
            }
            report(row, args)?;
            write_table(args)?;
        }
    }
    write_table(args)?;
    Ok(match interrupt.requested() {
        true => Outcome::Interrupted,
        false => Outcome::Done,
    })
}

fn chosen(args: &Table1Args) -> Result<Vec<&'static Row>> {
    for (key, value, least) in [
        ("--images", args.images, CHECKPOINTS),
        ("--samples", args.samples as u64, 5),
        ("--jobs", args.jobs as u64, 1),
    ] {
        if value < least {
            return Err(bad_usage(format!(
                "{key} is {value}; it must be {least} or more"
            )));
        }
    }
    if args.rows.is_empty() {
        return Ok(ROWS.iter().collect());
    }
    let find = |name: &String| {
        rows::by_name(name.trim()).ok_or_else(|| {
            let known: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
            bad_usage(format!(
                "row {name:?} is unknown; choose from {}",
                known.join(", ")
            ))
        })
    };
    args.rows.iter().map(find).collect()
}

fn plan(row: &Row, args: &Table1Args) -> Result<Plan> {
    let every = args.images / CHECKPOINTS;
    let mut settings = vec![
        format!("name=\"table1-{}\"", row.name),
        format!("run.images={}", args.images),
        format!("run.checkpoint_every_images={every}"),
        format!("run.keep_checkpoints={}", 2 * CHECKPOINTS),
        // every row sees equally many images, whatever becomes of it
        "run.collapse.enabled=false".to_owned(),
    ];
    settings.extend(row.all_settings());
    let parsed = match &args.config {
        Some(path) => plan_file::read(path, &settings),
        None => Plan::parse(RECIPE, &settings),
    };
    parsed.with_context(|| format!("row {}", row.name))
}

/// Whether the row was finished; not if it was interrupted.
fn train_and_measure(
    row: &'static Row,
    plan: &Plan,
    args: &Table1Args,
    environment: &Environment,
    interrupt: &Interrupt,
) -> Result<bool> {
    let device = Device::flex();
    let out = args.out.join("runs").join(row.name);
    let run = Run {
        plan,
        out: &out,
        resume: true,
        from: None,
        init: None,
        amend: false,
        max_steps: None,
        device: device.clone(),
        interrupt: interrupt.clone(),
        job: &Job::single(),
        step_timeout: Duration::MAX,
    };
    let failure = match run.train(environment) {
        Ok(Outcome::Done) => None,
        Ok(Outcome::Interrupted) => return Ok(false),
        // a run that breaks is a result where it left checkpoints
        Err(error) if !run_dir::checkpoints(&out)?.is_empty() => Some(format!("{error:#}")),
        Err(error) => return Err(error.context(format!("row {}", row.name))),
    };
    let result = measure(row, plan, &out, failure, args, environment)?;
    result.write(&args.out)?;
    Ok(true)
}

fn measure(
    row: &Row,
    plan: &Plan,
    out: &Path,
    failure: Option<String>,
    args: &Table1Args,
    environment: &Environment,
) -> Result<RowResult> {
    let started = Instant::now();
    note!("{}: measuring", row.name);
    let device = Device::flex();
    let judge = Judge::new(&args.classifier, plan, args.samples, environment, &device)?;
    let checkpoints = run_dir::checkpoints(out)?;
    let points = judge.points(&checkpoints)?;
    let [best, last] = judge.best_and_last(&checkpoints, &points)?;
    let end = checkpoints.last();
    let state = end.map(|path| judge.state(path)).transpose()?;
    let (spectra, accuracy) = state.map_or_else(
        || (Spectra::default(), None),
        |(spectra, accuracy)| (spectra, accuracy),
    );
    let truncations = match end {
        Some(path) if row.truncated => judge.truncations(path)?,
        _ => Vec::new(),
    };
    let (log, _) = run_dir::RunDir::open(out)?.open_log(u64::MAX)?;
    note!(
        "{}: measured in {:.0} s",
        row.name,
        started.elapsed().as_secs_f64()
    );
    Ok(RowResult {
        row: row.name.to_owned(),
        plan: plan.clone(),
        failure,
        remark: None,
        points,
        best,
        last,
        spectra,
        accuracy,
        truncations,
        protocol: judge.protocol(),
        train_secs: log.elapsed_before_secs(),
    })
}

fn report(row: &Row, args: &Table1Args) -> Result<()> {
    if let Some(result) = RowResult::read(&args.out, row)?
        && let Some(best) = result.best
    {
        note!(
            "{}: Frechet distance {:.2} at {} images, trained in {:.0} s",
            row.name,
            best.frechet,
            best.images_seen,
            result.train_secs
        );
    }
    Ok(())
}

fn write_table(args: &Table1Args) -> Result<()> {
    let mut results = Vec::new();
    for row in &ROWS {
        results.extend(RowResult::read(&args.out, row)?);
    }
    let path = args
        .table
        .clone()
        .unwrap_or_else(|| args.out.join("table1.md"));
    atomic_file::write(&path, markdown::table(&results).as_bytes())
}
