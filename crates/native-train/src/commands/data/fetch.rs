//! `native-train data fetch`: data sets by name.

use std::path::PathBuf;

use anyhow::Result;

use crate::args::FetchArgs;
use crate::dataset::avatars::{self, AVATARS, AvatarSet};
use crate::dataset::{NamedDataset, by_name, directory_of};
use crate::environment::Environment;
use crate::error::{Outcome, bad_usage};
use crate::training::interrupt::Interrupt;

/// Runs the command.
///
/// # Errors
/// If the name is unknown, an option does not suit it, or the data set cannot be fetched.
pub fn run(args: &FetchArgs, environment: &Environment) -> Result<Outcome> {
    let named = by_name(&args.dataset)?;
    let directory = || match &args.out {
        Some(out) => Ok(out.clone()),
        None => directory_of(named, environment.data_home.as_deref()),
    };
    if named.name == AVATARS.name {
        return draw(args, directory);
    }
    let Some(fetch) = named.fetch else {
        return Err(bad_usage(format!(
            "data set {} cannot be fetched: it is {}",
            named.name, named.about
        )));
    };
    refuse_choices(args, named)?;
    // of no consequence: its images have one size
    let resolution = AvatarSet::default().resolution;
    fetch(&directory()?, resolution)?;
    Ok(Outcome::Done)
}

/// Draws avatars.
fn draw(args: &FetchArgs, directory: impl FnOnce() -> Result<PathBuf>) -> Result<Outcome> {
    let usual = AvatarSet::default();
    let set = AvatarSet {
        classes: avatars::by_names(&args.class)?,
        per_class: args.per_class.unwrap_or(usual.per_class),
        test_per_class: args.test_per_class.unwrap_or(usual.test_per_class),
        resolution: args.resolution.unwrap_or(usual.resolution),
    };
    set.validate()?;
    let interrupt = Interrupt::install_quietly()?;
    avatars::draw(&set, &directory()?, &|| interrupt.requested())
}

/// Refuses options of avatars for a data set that is fetched as it is.
fn refuse_choices(args: &FetchArgs, named: &NamedDataset) -> Result<()> {
    let given = [
        ("--class", !args.class.is_empty()),
        ("--per-class", args.per_class.is_some()),
        ("--test-per-class", args.test_per_class.is_some()),
        ("--resolution", args.resolution.is_some()),
    ];
    match given.iter().find(|(_, is_given)| *is_given) {
        None => Ok(()),
        Some((option, _)) => Err(bad_usage(format!(
            "{option} is for {}; {} is fetched as it is: leave it out",
            AVATARS.name, named.name
        ))),
    }
}
