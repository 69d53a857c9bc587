//! `native-train inspect`: prints the content of a model, a checkpoint, a run or a recipe.

use std::path::Path;

use anyhow::{Context, Result, bail};
use biggan::file::{FORMAT, ModelFile, read_metadata};
use biggan::metrics::RANDOM_CLASSES;
use biggan::shape::NetworkShape;
use biggan::train::{CHECKPOINT_FORMAT, Counters};

use crate::args::InspectArgs;
use crate::error::{Outcome, bad_usage};
use crate::files::model_files;
use crate::input_file;
use crate::run::checkpoint::Checkpoint;
use crate::run::plan_file;
use crate::run::run_dir;
use crate::show::parameters::LEGEND;
use crate::show::summary::{generator, plan, row, table};
use crate::terminal;

/// Runs the command.
///
/// # Errors
/// If what is named cannot be read or is none of the kinds.
pub fn run(args: &InspectArgs) -> Result<Outcome> {
    let text = match (&args.path, &args.config) {
        (None, Some(config)) => plan(&plan_file::read(config, &args.set)?)?,
        (Some(path), None) if path.is_dir() => {
            let newest = run_dir::newest_checkpoint(path, |line| note!("{line}"))?;
            let (path, found) = newest
                .with_context(|| format!("{} has no checkpoint to inspect", path.display()))?;
            checkpoint(&path, &found)?
        }
        (Some(path), None) => file(path)?,
        _ => {
            return Err(bad_usage(
                "give one of: a model file, a checkpoint, a run directory, --config FILE",
            ));
        }
    };
    terminal::say_text(&text);
    Ok(Outcome::Done)
}

fn file(path: &Path) -> Result<String> {
    if model_files::is_index(path) {
        return model(path, &model_files::read(path)?, None);
    }
    let named = || path.display().to_string();
    let bytes = input_file::read("file", path)?;
    let metadata = read_metadata(&bytes).with_context(named)?;
    match metadata.get("format").map(String::as_str) {
        Some(CHECKPOINT_FORMAT) => {
            let found = Checkpoint::decode(&bytes).with_context(named)?;
            checkpoint(path, &found)
        }
        Some(FORMAT) => model(
            path,
            &ModelFile::decode(&bytes).with_context(named)?,
            Some(bytes.len()),
        ),
        other => bail!(
            "{}: its format is {}, expected {FORMAT} (a model) or {} (a checkpoint)",
            path.display(),
            other.unwrap_or("not stated"),
            CHECKPOINT_FORMAT
        ),
    }
}

fn model(path: &Path, file: &ModelFile, bytes: Option<usize>) -> Result<String> {
    let info = &file.info;
    let mut text = String::new();
    row(&mut text, "model", &path.display().to_string());
    if let Some(bytes) = bytes {
        row(&mut text, "size", &format!("{bytes} bytes"));
    }
    generator(&mut text, &info.generator);
    row(&mut text, "class names", &info.classes().candidates());
    let [low, high] = info.truncation_kind.range();
    let truncation = if info.generator.latent.truncates() {
        format!("{}, {low} to {high}, or off", info.truncation_kind)
    } else {
        "off: the latents have no tails to cut".to_owned()
    };
    row(&mut text, "truncation", &truncation);
    let truncations: Vec<String> = info
        .statistics
        .truncations
        .iter()
        .map(ToString::to_string)
        .collect();
    let samples = match info.statistics.samples {
        0 => "an unknown number of".to_owned(),
        count => count.to_string(),
    };
    let statistics = format!(
        "{} rows of {samples} samples: {}",
        truncations.len(),
        truncations.join(" ")
    );
    row(&mut text, "statistics", &statistics);
    row(
        &mut text,
        "data set",
        &format!("{}, {} images", info.dataset.name, info.dataset.images),
    );
    if let Some(source) = &info.dataset.source {
        let kind = format!("{}, {1}x{1}", source.dataset, source.resolution);
        let more = source
            .preparation
            .iter()
            .map(|(key, value)| format!(", {key} {value}"));
        row(&mut text, "read as", &(kind + &more.collect::<String>()));
    }
    let from = &info.provenance;
    let provenance = match &from.imported {
        Some(file) => format!(
            "{}, weights of {}, SHA-256 {}",
            from.program, file.source, file.sha256
        ),
        None => format!(
            "{}, recipe {}, seed {}, {} images, {} generator steps, {:.2} % initial weights",
            from.program,
            from.recipe,
            from.seed,
            from.images_seen,
            from.g_step,
            from.ema_initial_share * 100.0
        ),
    };
    row(&mut text, "provenance", &provenance);
    for (protocol, score) in &info.scores {
        row(&mut text, "score", &format!("{protocol}: {score}"));
    }
    let old = |protocol: &&String| !protocol.contains(RANDOM_CLASSES);
    if info.scores.keys().any(|protocol| old(&protocol)) {
        let note = format!(
            "scores whose protocol does not say {RANDOM_CLASSES:?} are of an earlier version, which took the classes in \
             turn: they are not comparable with others"
        );
        row(&mut text, "note", &note);
    }
    text += &table("generator", &NetworkShape::generator(&info.generator)?);
    text += LEGEND;
    Ok(text)
}

fn checkpoint(path: &Path, found: &Checkpoint) -> Result<String> {
    let mut text = String::new();
    let Counters {
        d_step,
        g_step,
        images_seen,
        ema_initial_share,
        ..
    } = found.counters;
    row(&mut text, "checkpoint", &path.display().to_string());
    let progress = format!(
        "{images_seen} of {} images, {g_step} generator and {d_step} discriminator steps",
        found.plan.run().images
    );
    row(&mut text, "progress", &progress);
    let share = format!("{:.2} % initial weights", ema_initial_share * 100.0);
    row(&mut text, "average", &share);
    text += &plan(&found.plan)?;
    Ok(text)
}
