//! `--class`: the classes of a model that were typed.

use anyhow::Result;
use biggan::class_names::is_every;
use biggan::file::ModelInfo;

use crate::error::bad_usage;

/// The classes of all texts, in their order; each may be a list, see [`ClassNames`](biggan::class_names::ClassNames).
///
/// # Errors
/// If there is none, or one means no class or several; the message lists the candidates.
pub fn classes(info: &ModelInfo, choices: &[String]) -> Result<Vec<usize>> {
    let names = info.classes();
    if choices.is_empty() {
        return Err(bad_usage(format!(
            "no class; give --class '*' for all, or of {}",
            names.candidates()
        )));
    }
    let mut all = Vec::new();
    for choice in choices {
        let found = names.list(choice);
        let found = found.map_err(|error| bad_usage(error.to_string()))?;
        if let [class] = found[..]
            && is_every(choice)
            && info.class_names.len() > 1
        {
            let name = &info.class_names[class];
            let every = if name.trim() == "*" { "all" } else { "'*'" };
            note!("note: {name:?} is one of the classes; all of them are --class {every}");
        }
        all.extend(found);
    }
    Ok(all)
}
