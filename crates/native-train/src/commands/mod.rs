//! The commands of the program, one file each.

pub mod classes;
pub mod classifier;
pub mod data;
pub mod evaluate;
pub mod export;
pub mod import;
pub mod inspect;
pub mod reference;
pub mod report;
pub mod sample;
pub mod sheets;
pub mod standing_stats;
pub mod train;
pub mod watch;

use anyhow::Result;

use crate::args::{Args, Command};
use crate::environment::Environment;
use crate::error::Outcome;
use crate::research::{bench, table1};

/// Runs the typed command.
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
        Some(Command::Classes(args)) => classes::run(&args),
        Some(Command::Inspect(args)) => inspect::run(&args),
        Some(Command::Report(args)) => report::run(&args),
        Some(Command::Watch(args)) => watch::run(&args),
        Some(Command::Evaluate(args)) => evaluate::run(&args, environment),
        Some(Command::Reference(args)) => reference::run(&args, environment),
        Some(Command::Sheet(args)) => sheets::run(&args, environment),
        Some(Command::StandingStats(args)) => standing_stats::run(&args),
        Some(Command::Classifier(args)) => classifier::run(&args, environment),
        Some(Command::Table1(args)) => table1::run(&args, environment),
        Some(Command::Bench(args)) => bench::run(&args, environment),
        Some(Command::Data(command)) => data::run(&command, environment),
    }
}
