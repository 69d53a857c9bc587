//! `native-train fetch NAME`: a model of the hub into what is kept of it.

use anyhow::{Context, Result};

use crate::args::FetchModelArgs;
use crate::environment::Environment;
use crate::error::Outcome;
use crate::files::by_name;

/// Runs the command: prints the path of the model.
///
/// # Errors
/// If the hub has no such model, or it cannot be fetched or read.
pub fn run(args: &FetchModelArgs, environment: &Environment) -> Result<Outcome> {
    let name = args.name.parse()?;
    let named = || args.name.clone();
    let files = environment.hub.fetch(&name).with_context(named)?;
    let path = by_name::readable(&environment.hub, &name, &files).with_context(named)?;
    let commit = files
        .commit
        .as_deref()
        .map(|commit| format!(" at {}", &commit[..7]));
    note!(
        "{}{}: {}",
        args.name,
        commit.unwrap_or_default(),
        by_name::described(&path).with_context(named)?
    );
    say!("{}", path.display());
    Ok(Outcome::Done)
}
