//! No output replaces an input: the paths of every command are compared before it starts, by device and inode, so that
//! links and other spellings of a path are seen too.

use std::path::{Path, PathBuf};

use anyhow::Result;
use biggan::file::{INDEX_SUFFIX, part_names};
use clap::ArgMatches;
use same_file::is_same_file;

use crate::error::bad_usage;
use crate::files::model_files::{is_index, is_part};
use crate::run::destination::{Destination, destination};

/// Options that name what is written; the other paths of a command are read. A test holds both lists against the
/// command line.
const OUTPUTS: [&str; 9] = [
    "out", "onnx", "hub", "each", "raw", "json", "picture", "report", "table",
];
/// Paths without an option.
const POSITIONAL: [&str; 5] = ["model", "run", "weights", "folder", "path"];
/// What a run directory holds; other files in it are the user's.
const OF_A_RUN: [&str; 9] = [
    "plan.json",
    "log.jsonl",
    "scores.jsonl",
    "events.jsonl",
    "lock",
    "checkpoints",
    "samples",
    "collapse",
    "tensorboard",
];
/// Endings of files that commands may replace in a directory of data.
const RESULTS: [&str; 6] = ["html", "json", "npz", "safetensors", "svg", "txt"];

/// A path that was typed, or that follows from it.
#[derive(Debug)]
struct Named {
    /// `--out`, or the name of the argument.
    option: String,
    path: PathBuf,
}

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.option, self.path.display())
    }
}

/// Refuses a command line whose outputs would replace an input or each other.
///
/// # Errors
/// The usage; the message has both names.
pub fn check(matches: &ArgMatches) -> Result<()> {
    let (mut command, mut matches) = ("train", matches);
    while let Some((name, sub)) = matches.subcommand() {
        (command, matches) = (name, sub);
    }
    let (mut outputs, mut inputs) = (Vec::new(), Vec::new());
    for id in matches.ids().map(clap::Id::as_str) {
        // a group of options, or another type
        let Ok(Some(paths)) = matches.try_get_many::<PathBuf>(id) else {
            continue;
        };
        let named = paths.map(|path| Named {
            option: option(id),
            path: path.clone(),
        });
        match OUTPUTS.contains(&id) {
            true => outputs.extend(named),
            false => inputs.extend(named),
        }
    }
    let path_of = |id| matches.try_get_one::<PathBuf>(id).ok().flatten();
    let own_config = path_of("config").is_some();
    match (command, path_of("run"), path_of("weights")) {
        ("report", Some(run), _) if outputs.is_empty() => outputs.push(Named {
            option: "the page".to_owned(),
            path: run.join("report.html"),
        }),
        ("import", _, Some(weights)) if !own_config => inputs.push(Named {
            option: "the config".to_owned(),
            path: weights.with_file_name("config.json"),
        }),
        _ => {}
    }
    let in_parts = matches.try_contains_id("shard_size").unwrap_or(false);
    for (number, output) in outputs.iter().enumerate() {
        let parts = in_parts && output.option == "--out";
        let output = Output::new(output, parts);
        if let Some(input) = inputs.iter().find_map(|input| output.replaces(input)) {
            return Err(bad_usage(format!(
                "{} is an input of the command, {input}, and would be replaced; name another file",
                output.named
            )));
        }
        if let Some(other) = outputs[number + 1..].iter().find(|o| output.is(&o.path)) {
            return Err(bad_usage(format!(
                "{} and {other} are the same file; name two",
                output.named
            )));
        }
    }
    Ok(())
}

fn option(id: &str) -> String {
    match POSITIONAL.contains(&id) {
        true => id.to_owned(),
        false => format!("--{}", id.replace('_', "-")),
    }
}

/// What is written.
struct Output<'a> {
    named: &'a Named,
    /// The file in whose place it comes; `None` for pipes, devices and directories.
    to: Option<PathBuf>,
    /// The beginning of the names of its parts.
    stem: Option<String>,
}

impl<'a> Output<'a> {
    fn new(named: &'a Named, in_parts: bool) -> Self {
        let to = match destination(&named.path) {
            Ok(Destination::Replaced(to)) => Some(to),
            Ok(Destination::Through(_)) | Err(_) => None,
        };
        let stem = || {
            let name = to.as_ref()?.file_name()?.to_str()?;
            let stem = name.strip_suffix(INDEX_SUFFIX);
            stem.or_else(|| name.strip_suffix(".safetensors"))
                .map(str::to_owned)
        };
        Self {
            stem: if in_parts { stem() } else { None },
            to,
            named,
        }
    }

    /// Whether this is the file at `path`, or one of its parts.
    fn is(&self, path: &Path) -> bool {
        let (Some(to), Ok(Destination::Replaced(path))) = (&self.to, destination(path)) else {
            return false;
        };
        if is_file(to) && is_file(&path) && is_same_file(to, &path).unwrap_or(false) {
            return true;
        }
        let name = path.file_name();
        match (directory(to), directory(&path)) {
            (Some(ours), Some(theirs)) if ours == theirs => {}
            _ => return *to == path, // a directory that is missing
        }
        let of_stem = |stem: &String| {
            let name = name.and_then(|name| name.to_str());
            name.is_some_and(|name| name == format!("{stem}{INDEX_SUFFIX}") || is_part(stem, name))
        };
        to.file_name() == name || self.stem.as_ref().is_some_and(of_stem)
    }

    /// The file of an input that this would replace.
    fn replaces(&self, input: &Named) -> Option<String> {
        if input.path.is_dir() {
            let inside = self.inside(&input.path)?;
            return Some(format!("{input}, its file {}", inside.display()));
        }
        if !is_file(&input.path) {
            return None;
        }
        if self.is(&input.path) {
            return Some(input.to_string());
        }
        let bytes = is_index(&input.path).then(|| std::fs::read(&input.path).ok());
        let parts = bytes.flatten().and_then(|bytes| part_names(&bytes).ok());
        let part = parts
            .into_iter()
            .flatten()
            .find(|part| self.is(&input.path.with_file_name(part)))?;
        Some(format!("{input}, its part {part}"))
    }

    /// Its path within a directory that is read, if it would replace what is read there.
    fn inside(&self, read: &Path) -> Option<PathBuf> {
        let to = self.to.as_ref()?;
        let within = directory(to)?
            .strip_prefix(read.canonicalize().ok()?)
            .ok()?
            .join(to.file_name()?);
        let is_run = ["plan.json", "log.jsonl", "checkpoints"]
            .iter()
            .any(|mark| read.join(mark).exists());
        let first = within.iter().next()?;
        let ending = to.extension().and_then(|ending| ending.to_str());
        let is_read = match is_run {
            true => OF_A_RUN.iter().any(|name| first == *name),
            false => is_file(to) && !ending.is_some_and(|ending| RESULTS.contains(&ending)),
        };
        is_read.then_some(within)
    }
}

fn is_file(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| found.is_file())
}

/// The directory of a file that need not exist.
fn directory(path: &Path) -> Option<PathBuf> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.canonicalize().ok(),
        _ => Path::new(".").canonicalize().ok(),
    }
}

#[cfg(test)]
mod tests {
    use std::any::TypeId;

    use super::*;

    /// Paths that are read.
    const INPUTS: [&str; 16] = [
        "init",
        "class_names",
        "classifier",
        "config",
        "data",
        "folder",
        "labels",
        "latents",
        "model",
        "network",
        "path",
        "pictures",
        "recipe",
        "reference",
        "run",
        "weights",
    ];

    fn paths(command: &clap::Command, found: &mut Vec<String>) {
        for arg in command.get_arguments() {
            if arg.get_value_parser().type_id() == TypeId::of::<PathBuf>() {
                found.push(arg.get_id().to_string());
            }
        }
        command.get_subcommands().for_each(|sub| paths(sub, found));
    }

    #[test]
    fn every_path_of_every_command_is_an_input_or_an_output() {
        let mut found = Vec::new();
        paths(&super::super::help::command(), &mut found);
        for id in ["out", "model", "raw", "latents", "picture", "run"] {
            assert!(found.iter().any(|found| found == id), "{id}");
        }
        for id in found {
            let known = INPUTS.iter().chain(&OUTPUTS);
            let times = known.filter(|known| **known == id).count();
            assert_eq!(
                times, 1,
                "{id}: name it in OUTPUTS if it is written, else in INPUTS"
            );
        }
    }
}
