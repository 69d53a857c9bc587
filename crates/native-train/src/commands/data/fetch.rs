//! `native-train data fetch`: data sets by name.

use std::path::Path;

use anyhow::Result;

use crate::dataset::{by_name, directory_of};
use crate::environment::Environment;
use crate::error::{Outcome, bad_usage};

/// Runs the command.
///
/// # Errors
/// If the name is unknown, or the data set cannot be fetched.
pub fn run(dataset: &str, out: Option<&Path>, environment: &Environment) -> Result<Outcome> {
    let named = by_name(dataset)?;
    let Some(fetch) = named.fetch else {
        return Err(bad_usage(format!(
            "data set {dataset} cannot be fetched: it is {}",
            named.about
        )));
    };
    let directory = match out {
        Some(out) => out.to_owned(),
        None => directory_of(named, environment.data_home.as_deref())?,
    };
    fetch(&directory)?;
    Ok(Outcome::Done)
}
