//! `native-train data`: fetch data sets, pack, check and time them.

mod bench;
mod check;
mod fetch;
mod label_list;
mod pack;
mod source;

use anyhow::Result;

use crate::args::DataCommand;
use crate::environment::Environment;
use crate::error::Outcome;

/// Runs a data command.
///
/// # Errors
/// Those of the command.
pub fn run(command: &DataCommand, environment: &Environment) -> Result<Outcome> {
    match command {
        DataCommand::Fetch(args) => fetch::run(args, environment),
        DataCommand::Pack(args) => pack::run(args, environment),
        DataCommand::Check(args) => check::run(args, environment),
        DataCommand::Bench(args) => bench::run(args, environment),
    }
}
