//! Steps with a line before and the time after, and the commands in them.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// Runs one step, saying its name and how long it took.
pub fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("==> {name}");
    let start = Instant::now();
    let outcome = work().with_context(|| format!("{name} failed"));
    let word = if outcome.is_ok() { "done" } else { "FAILED" };
    eprintln!(
        "==> {name}: {word} in {:.1} s",
        start.elapsed().as_secs_f64()
    );
    outcome
}

/// A command that shows what it prints.
pub fn command(directory: &Path, program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command
        .args(args)
        .current_dir(directory)
        .stdin(Stdio::null());
    command
}

/// Runs a command to completion.
pub fn run(mut command: Command) -> Result<()> {
    let line = line_of(&command);
    eprintln!("    $ {line}");
    let status = command
        .status()
        .with_context(|| format!("{line}: could not be started; is it installed?"))?;
    if !status.success() {
        bail!("{line}: {status}");
    }
    Ok(())
}

/// The output of a command, or `None` if it is missing or fails.
pub fn output(mut command: Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn line_of(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|part| part.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
