//! The project's own commands. `cargo xtask demo` and `cargo xtask test` need Rust, Node and a C
//! compiler; they set up the rest themselves.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod browser;
mod debian;
mod demo;
mod endure;
mod feature_network;
mod features;
mod floors;
mod library;
#[cfg(test)]
mod messages;
mod model;
mod mpi;
mod python;
mod run;
mod setup;
mod shipped_images;
mod test;
mod vulkan;
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
        /// Make the files as small as possible; takes minutes longer.
        #[arg(long)]
        release: bool,
    },
    /// Serve the page on this machine as soon as it draws on the CPU, and build the rest in the background.
    Demo {
        /// Serve it only once everything is built, GPU and training included.
        #[arg(long)]
        all: bool,
        /// Port on localhost.
        #[arg(long, default_value_t = 5173)]
        port: u16,
    },
    /// Measure speed and memory beside ONNX Runtime and PyTorch, which are installed first; on an idle machine.
    Bench(bench::Bench),
    /// Hold the floors of ARCHITECTURE.md against the imports of the sources.
    Floors,
    /// Kill the program a thousand times, and give its readers a hundred million hostile files; takes hours.
    Endure(endure::Endurance),
    /// Make the training images that ship with the package.
    Images,
    /// Check format and lints and run all tests, natively and in a browser; or a part of that.
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
        Command::Bench(what) => bench::bench(&workspace, &what),
        Command::Images => shipped_images::make(&workspace),
        Command::Endure(how_much) => endure::endure(&workspace, how_much),
        Command::Floors => floors::floors(&workspace),
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
