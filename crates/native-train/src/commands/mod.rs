//! The commands of the program, one file each.

pub mod classes;
pub mod classifier;
pub mod data;
pub mod evaluate;
pub mod export;
pub mod fetch;
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

use crate::args::{Args, Command, TrainArgs};
use crate::environment::Environment;
use crate::error::Outcome;
use crate::files::by_name;
use crate::hub::Hub;
use crate::research::{bench, table1};

/// Runs the typed command.
///
/// # Errors
/// Those of the command, or if a model that is given by its name cannot be fetched.
pub fn run(mut args: Args, environment: &Environment) -> Result<Outcome> {
    locate(&mut args, &environment.hub)?;
    match args.command {
        None => train::run(&args.train, environment),
        Some(Command::Train(train)) => train::run(&train, environment),
        Some(Command::Export(args)) => export::run(&args),
        Some(Command::Import(args)) => import::run(&args),
        Some(Command::Fetch(args)) => fetch::run(&args, environment),
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

/// Puts paths in the places of names of models.
fn locate(args: &mut Args, hub: &Hub) -> Result<()> {
    let init = |train: &mut TrainArgs| {
        train
            .init
            .as_mut()
            .map_or(Ok(()), |path| by_name::model(hub, path))
    };
    match &mut args.command {
        None => init(&mut args.train),
        Some(Command::Train(train)) => init(train),
        Some(Command::Export(args)) => by_name::model(hub, &mut args.run),
        Some(Command::Import(args)) => by_name::weights(hub, &mut args.weights),
        Some(Command::Sample(args)) => by_name::model(hub, &mut args.model),
        Some(Command::Inspect(args)) => args
            .path
            .as_mut()
            .map_or(Ok(()), |path| by_name::model(hub, path)),
        Some(Command::Classes(args)) => {
            if args.class_names.is_some() {
                by_name::own(&args.model)?;
            }
            by_name::model(hub, &mut args.model)
        }
        Some(Command::Evaluate(args)) => {
            if args.update {
                by_name::own(&args.model)?;
            }
            by_name::model(hub, &mut args.model)
        }
        Some(Command::Sheet(args)) => by_name::model(hub, &mut args.model),
        Some(Command::StandingStats(args)) => by_name::model(hub, &mut args.model),
        Some(
            Command::Fetch(_)
            | Command::Report(_)
            | Command::Watch(_)
            | Command::Reference(_)
            | Command::Classifier(_)
            | Command::Table1(_)
            | Command::Bench(_)
            | Command::Data(_),
        ) => Ok(()),
    }
}
