//! `native-train data`: data sets by name.

use anyhow::Result;

use super::Environment;
use crate::args::DataCommand;
use crate::dataset::{by_name, directory_of};
use crate::error::{Outcome, bad_usage};

/// Runs a command about data sets.
///
/// # Errors
/// If the name is unknown, or the data set cannot be had.
pub fn run(command: &DataCommand, environment: &Environment) -> Result<Outcome> {
    let DataCommand::Fetch { dataset, out } = command;
    let named = by_name(dataset)?;
    let Some(fetch) = named.fetch else {
        return Err(bad_usage(format!(
            "data set {dataset} cannot be fetched: it is {}",
            named.about
        )));
    };
    let directory = match out {
        Some(out) => out.clone(),
        None => directory_of(named, environment.data_home.as_deref())?,
    };
    fetch(&directory)?;
    Ok(Outcome::Done)
}
