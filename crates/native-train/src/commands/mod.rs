//! What the program can do: one file a command.

pub mod bench;
pub mod classifier;
pub mod data;
pub mod dry_run;
pub mod evaluate;
pub mod export;
pub mod import;
pub mod inspect;
pub mod reference;
pub mod report;
pub mod sample;
pub mod sheets;
pub mod standing_stats;
pub mod table1;
pub mod train;
pub mod watch;

use std::path::PathBuf;

use anyhow::Result;

use crate::args::{Args, Command};
use crate::error::Outcome;

/// What a command may know about the process; nothing below `main` reads the environment.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// Directory under which fetched data sets stand.
    pub data_home: Option<PathBuf>,
}

impl Environment {
    /// From the variables of the process: `$XDG_DATA_HOME/biggan`, else `~/.local/share/biggan`.
    pub fn from_process() -> Self {
        let directory = |variable| {
            std::env::var_os(variable)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let data_home = directory("XDG_DATA_HOME")
            .or_else(|| directory("HOME").map(|home| home.join(".local/share")))
            .map(|data| data.join("biggan"));
        Self { data_home }
    }
}

/// Runs what was typed.
///
/// # Errors
/// Those of the command.
pub fn run(args: Args, environment: &Environment) -> Result<Outcome> {
    match args.command {
        None => train::run(&args.train, environment),
        Some(Command::Train(train)) => train::run(&train, environment),
        Some(Command::Export(args)) => export::run(&args),
        Some(Command::Import(args)) => import::run(&args),
        Some(Command::Sample(args)) => sample::run(&args),
        Some(Command::Inspect(args)) => inspect::run(&args),
        Some(Command::Report(args)) => report::run(&args),
        Some(Command::Watch(args)) => watch::run(&args),
        Some(Command::Evaluate(args)) => evaluate::run(&args, environment),
        Some(Command::Reference(args)) => reference::run(&args, environment),
        Some(Command::Sheet(args)) => sheets::run(&args, environment),
        Some(Command::StandingStats(args)) => standing_stats::run(&args),
        Some(Command::Classifier(args)) => classifier::run(&args, environment),
        Some(Command::Table1(args)) => table1::run(&args, environment),
        Some(Command::Bench(args)) => bench::run(&args),
        Some(Command::Data(command)) => data::run(&command, environment),
    }
}
