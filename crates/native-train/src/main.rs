//! parse -> command -> exit code; the only place that prints an error.

use std::process::ExitCode;

use clap::Parser;
use native_train::args::Args;
use native_train::commands::{self, Environment};
use native_train::error::exit_code;

fn main() -> ExitCode {
    let args = Args::parse();
    match commands::run(args, &Environment::from_process()) {
        Ok(outcome) => outcome.exit_code(),
        Err(error) => {
            eprintln!("error: {error:#}");
            exit_code(&error)
        }
    }
}
