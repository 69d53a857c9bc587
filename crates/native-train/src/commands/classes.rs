//! `native-train classes MODEL`: the names of a model's classes, or new ones for them.

use std::fmt::Write as _;

use anyhow::Result;
use biggan::class_names::shown;
use biggan::file::ModelInfo;

use crate::args::ClassesArgs;
use crate::error::Outcome;
use crate::files::{class_list, model_files};
use crate::terminal;

/// Runs the command.
///
/// # Errors
/// If the model or the list cannot be read, the list does not fit, or the model cannot be written.
pub fn run(args: &ClassesArgs) -> Result<Outcome> {
    let mut info = model_files::read(&args.model)?.info;
    let Some(path) = &args.class_names else {
        terminal::say_text(&table(&info));
        return Ok(Outcome::Done);
    };
    let list = class_list::read(path, info.generator.classes)?;
    class_list::rename(&mut info, list);
    model_files::write_info(&args.model, &info)?;
    note!(
        "{}: {} classes, from {} to {}",
        args.model.display(),
        info.class_names.len(),
        info.classes().described(0),
        info.classes().described(info.class_names.len() - 1)
    );
    Ok(Outcome::Done)
}

/// A line for each class: its number, its id if it has one, its name.
fn table(info: &ModelInfo) -> String {
    let mut text = String::new();
    for (class, name) in info.class_names.iter().enumerate() {
        let id = info.class_ids.get(class).map(|id| format!("{id}\t"));
        // writing to a string cannot fail
        let _ = writeln!(text, "{class}\t{}{}", id.unwrap_or_default(), shown(name));
    }
    text
}
