//! `native-train report`: a run as one HTML page.

use anyhow::Result;

use crate::args::ReportArgs;
use crate::error::Outcome;
use crate::run::atomic_file;
use crate::run::run_view::RunView;
use crate::show::report;

/// Runs the command.
///
/// # Errors
/// If the directory is not a run, or the page cannot be written.
pub fn run(args: &ReportArgs) -> Result<Outcome> {
    let view = RunView::read(&args.run)?;
    let page = report::page(&view)?;
    let default = || args.run.join("report.html");
    let out = args.out.clone().unwrap_or_else(default);
    atomic_file::write(&out, page.as_bytes())?;
    for problem in &view.problems {
        note!("{problem}");
    }
    say!("{}", out.display());
    Ok(Outcome::Done)
}
