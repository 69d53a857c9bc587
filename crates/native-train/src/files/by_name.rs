//! Models that are given by a name in place of a path.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use biggan::file::{Dtype, ModelFile};
use biggan::import::{self, Source};

use super::model_files;
use crate::error::bad_usage;
use crate::hub::{Files, Hub, Name};
use crate::input_file;
use crate::run::atomic_file;
use crate::terminal;

/// End of the names of weights that need no conversion: a model file, and the index of one in parts.
const OWN: [&str; 2] = ["safetensors", "json"];

/// Puts the path of a model in the place of its name; a path stays. What the name means is fetched if it is not kept.
///
/// # Errors
/// If the name is none, or what it means cannot be fetched or read.
pub fn model(hub: &Hub, path: &mut PathBuf) -> Result<()> {
    if let Some(name) = Name::of(path)? {
        let named = || path.display().to_string();
        let files = hub.files(&name).with_context(named)?;
        *path = readable(hub, &name, &files).with_context(named)?;
    }
    Ok(())
}

/// As [`model`], but weights of another program stay as they are.
///
/// # Errors
/// As [`model`].
pub fn weights(hub: &Hub, path: &mut PathBuf) -> Result<()> {
    if let Some(name) = Name::of(path)? {
        let files = hub
            .files(&name)
            .with_context(|| path.display().to_string())?;
        *path = files.weights;
    }
    Ok(())
}

/// As [`model`], for a command that writes to it.
///
/// # Errors
/// If it is a name: what is kept of it is everyone's.
pub fn own(path: &Path) -> Result<()> {
    match Name::of(path)? {
        None => Ok(()),
        Some(_) => Err(bad_usage(format!(
            "{} stays as it was fetched; copy the file that `native-train fetch {0}` prints, and give the copy",
            path.display()
        ))),
    }
}

/// The model file of what was fetched: itself, or what another program's weights were converted to, once.
///
/// # Errors
/// If they are no weights of a generator that is known, or the model cannot be written.
pub fn readable(hub: &Hub, name: &Name, files: &Files) -> Result<PathBuf> {
    let ending = files.weights.extension().and_then(|ending| ending.to_str());
    if ending.is_some_and(|ending| OWN.contains(&ending)) {
        return Ok(files.weights.clone());
    }
    let path = hub.converted()?.join(converted(name, files));
    if !path.exists() {
        let model = convert(files)?;
        std::fs::create_dir_all(path.parent().unwrap_or(&path))
            .with_context(|| format!("directory of {}", path.display()))?;
        atomic_file::write(&path, &model.encode(Dtype::F32)?)?;
    }
    Ok(path)
}

fn converted(name: &Name, files: &Files) -> PathBuf {
    let stem = match name {
        Name::Published(published) => published.name.to_owned(),
        Name::Hub(repository) => {
            let commit = files.commit.as_deref().unwrap_or_default();
            let file = repository.file.iter().map(String::as_str);
            let parts: Vec<&str> = [repository.id.as_str(), commit]
                .into_iter()
                .chain(file)
                .collect();
            parts.join("--").replace('/', "--")
        }
    };
    PathBuf::from(format!("{stem}.safetensors"))
}

fn convert(files: &Files) -> Result<ModelFile> {
    let bytes = input_file::read("weights", &files.weights)?;
    let config = files
        .config
        .as_deref()
        .map(|path| input_file::read_text("config", path))
        .transpose()?;
    let source = Source::detect(&bytes)?;
    let (file, report) = import::model(source, &bytes, config.as_deref())?;
    terminal::note_lines(&report.summary());
    Ok(file)
}

/// What a model is, in a line.
pub fn described(path: &Path) -> Result<String> {
    let info = model_files::read(path)?.info;
    let (side, classes) = (info.generator.resolution, info.generator.classes);
    Ok(format!("{side}x{side}, {classes} classes"))
}
