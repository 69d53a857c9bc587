//! The project's own commands. `cargo xtask demo` and `cargo xtask test` need Rust, Node and a C
//! compiler; they set up the rest themselves.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod browser;
mod debian;
mod demo;
mod feature_network;
mod model;
mod mpi;
mod run;
mod setup;
mod shipped_images;
mod test;
mod web;
mod workspace;

use workspace::Workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what the other commands need: the wasm target, wasm-bindgen, npm packages.
    Setup,
    /// Build the package for browsers and the page, into www/dist.
    Web {
        /// Make the files as small as they get; takes minutes more.
        #[arg(long)]
        release: bool,
    },
    /// Serve the page on this machine as soon as it draws on the CPU, and build the rest of it behind.
    Demo {
        /// Serve it when the rest is built too: the GPU, and training.
        #[arg(long)]
        all: bool,
        /// Port on localhost.
        #[arg(long, default_value_t = 5173)]
        port: u16,
    },
    /// Make the images that the package ships to train on.
    Images,
    /// Check formats and lints, run all tests, natively and in a browser; or a part of that.
    Test(test::Parts),
}

fn main() -> ExitCode {
    let command = Args::parse().command;
    let outcome = Workspace::find().and_then(|workspace| match command {
        Command::Setup => setup::setup(&workspace),
        Command::Web { release } => {
            setup::setup(&workspace)?;
            web::web(&workspace, release)
        }
        Command::Demo { all, port } => demo::demo(&workspace, all, port),
        Command::Images => shipped_images::make(&workspace),
        Command::Test(parts) => test::test(&workspace, parts),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
