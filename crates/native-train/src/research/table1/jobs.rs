//! Rows in parallel: each in its own process with its share of the threads. On two cores the
//! baseline sees 237 images per CPU second with one thread and 226 with two.

use std::collections::VecDeque;
use std::fs::OpenOptions;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

use super::rows::Row;
use crate::args::Table1Args;
use crate::error::INTERRUPTED;
use crate::training::interrupt::Interrupt;

/// Time between polls of a child.
const LOOK: Duration = Duration::from_millis(100);

/// Runs rows, `--jobs` at a time, and calls `finished` after each; a row that fails does not stop the others.
///
/// Returns the rows that failed, each with the reason.
///
/// # Errors
/// If `finished` fails.
pub fn run(
    rows: Vec<&'static Row>,
    args: &Table1Args,
    interrupt: &Interrupt,
    finished: impl Fn(&Row) -> Result<()> + Sync,
) -> Result<Vec<String>> {
    let queue = Mutex::new(VecDeque::from(rows));
    let failures = Mutex::new(Vec::new());
    let next = || {
        let mut queue = queue.lock().expect("no thread panics with the queue");
        (!interrupt.requested())
            .then(|| queue.pop_front())
            .flatten()
    };
    let worker = || -> Result<()> {
        while let Some(row) = next() {
            note!("{}: started", row.name);
            match row_in_a_process(row, args, interrupt) {
                Ok(true) => finished(row)?,
                Ok(false) => {}
                Err(error) => {
                    let failure = format!("row {}: {error:#}", row.name);
                    note!("{failure}");
                    let mut failures = failures.lock().expect("no thread panics with the failures");
                    failures.push(failure);
                }
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..args.jobs).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().try_for_each(|worker| {
            let ended = worker.join();
            ended.map_err(|_| anyhow!("a thread that waits for a row panicked"))?
        })
    })?;
    Ok(failures
        .into_inner()
        .expect("no thread panics with the failures"))
}

/// Whether the row was finished; not if it was interrupted.
fn row_in_a_process(row: &Row, args: &Table1Args, interrupt: &Interrupt) -> Result<bool> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = (cores / args.jobs).max(1).to_string();
    let log = args.out.join(format!("{}.log", row.name));
    let mut child = command(row, args, &log)?
        .env("RAYON_NUM_THREADS", threads)
        .spawn()
        .context("starting a process for the row")?;
    let mut asked = false;
    let status = loop {
        if let Some(status) = child.try_wait().context("waiting for the row's process")? {
            break status;
        }
        if interrupt.requested() && !asked {
            ask_to_end(&mut child);
            asked = true;
        }
        std::thread::sleep(LOOK);
    };
    match status.code() {
        Some(0) => Ok(true),
        Some(code) if code == i32::from(INTERRUPTED) => Ok(false),
        _ if asked => Ok(false),
        _ => Err(anyhow!(
            "its process ended with {status}; {} says why, and the same command tries again",
            log.display()
        )),
    }
}

fn command(row: &Row, args: &Table1Args, log: &Path) -> Result<Command> {
    let named = || format!("log {}", log.display());
    let log = OpenOptions::new().create(true).append(true).open(log);
    let log = log.with_context(named)?;
    let mut command = Command::new(std::env::current_exe().context("finding this program")?);
    command
        .arg("table1")
        .args(["--rows", row.name, "--jobs", "1"])
        .args(["--images", &args.images.to_string()])
        .args(["--samples", &args.samples.to_string()])
        .arg("--out")
        .arg(&args.out)
        .arg("--classifier")
        .arg(&args.classifier)
        .stdin(Stdio::null())
        .stdout(log.try_clone().with_context(named)?)
        .stderr(log);
    if let Some(config) = &args.config {
        command.arg("--config").arg(config);
    }
    Ok(command)
}

/// Asks a child to write a checkpoint and exit.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn ask_to_end(child: &mut Child) {
    if let Ok(id) = i32::try_from(child.id()) {
        // SAFETY: kill only sends a signal; the child has not been waited for, so the id is still its own
        let _ = unsafe { libc::kill(id, libc::SIGTERM) };
    }
}

/// Ends a child; its checkpoints stay.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn ask_to_end(child: &mut Child) {
    let _ = child.kill();
}
