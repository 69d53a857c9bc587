//! `--init`: a run that starts from trained networks.

use std::path::Path;

use anyhow::{Context, Result};
use biggan::train::{ClassStart, Pretrained, TrainState};
use burn::tensor::Device;

use crate::dataset::Dataset;
use crate::files::model_files::{self, DISCRIMINATOR};
use crate::input_file;
use crate::recipe::plan::Plan;
use crate::run::checkpoint::Checkpoint;
use crate::run::run_dir;

/// The networks of a model, a checkpoint or the newest checkpoint of a run, if they are those of the plan.
///
/// # Errors
/// If what is named cannot be read, is neither, or has other networks; the message names it.
pub fn read(path: &Path, plan: &Plan) -> Result<Pretrained> {
    let pretrained = networks(path)?;
    pretrained
        .check(plan.train())
        .with_context(|| format!("--init {}", path.display()))?;
    Ok(pretrained)
}

fn networks(path: &Path) -> Result<Pretrained> {
    let named = || format!("--init {}", path.display());
    if path.is_dir() {
        let newest = run_dir::newest_checkpoint(path, |line| note!("{line}"))?;
        let (_, checkpoint) = newest.with_context(|| {
            format!(
                "--init {}: no checkpoint in it; give a run that has one, a checkpoint or a model",
                path.display()
            )
        })?;
        return Ok(of_checkpoint(checkpoint));
    }
    let networks = match model_files::is_index(path) {
        true => Pretrained::from_model(model_files::read(path)?),
        false => Pretrained::decode(&input_file::read("--init", path)?),
    };
    let networks = networks.with_context(named)?;
    let beside = path.with_file_name(DISCRIMINATOR);
    if networks.has_discriminator() || !beside.exists() {
        return Ok(networks);
    }
    let bytes = input_file::read("discriminator", &beside)?;
    networks
        .with_discriminator(&bytes)
        .with_context(|| format!("discriminator {}", beside.display()))
}

fn of_checkpoint(checkpoint: Checkpoint) -> Pretrained {
    Pretrained::from_checkpoint(
        checkpoint.plan.train(),
        checkpoint.class_names,
        checkpoint.tensors,
    )
}

/// The state before the first step, from trained networks; says on stderr what each part starts from.
///
/// # Errors
/// If tensors and plan do not match, or the device fails.
pub fn begin(
    pretrained: Pretrained,
    path: &Path,
    plan: &Plan,
    dataset: &Dataset,
    device: &Device,
) -> Result<(TrainState, Vec<String>)> {
    let train = plan.train();
    let starts = pretrained.class_starts(&dataset.class_names, train.seed);
    let said = describe(&pretrained, &dataset.class_names, &starts);
    for line in &said {
        note!("{}: {line}", path.display());
    }
    let state = pretrained
        .begin(train, &starts, device)
        .with_context(|| format!("--init {}", path.display()))?;
    Ok((state, said))
}

/// New classes that are named one by one.
const NAMED: usize = 12;

fn describe(pretrained: &Pretrained, names: &[String], starts: &[ClassStart]) -> Vec<String> {
    let networks = match pretrained.has_discriminator() {
        true => "G, its average and D start from it",
        false => "G starts from it, D anew: a model file has no D; a checkpoint has",
    };
    let borrowed: Vec<String> = names
        .iter()
        .zip(starts)
        .filter_map(|(name, start)| match start {
            ClassStart::Same(_) => None,
            ClassStart::Borrowed(label) => {
                Some(format!("{name} as {}", pretrained.class_names[*label]))
            }
        })
        .collect();
    let same = starts.len() - borrowed.len();
    let mut classes = format!("{same} of {} classes have its names", starts.len());
    if !borrowed.is_empty() {
        let more = match borrowed.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let named = borrowed.iter().take(NAMED).cloned().collect::<Vec<_>>();
        classes.push_str(&format!(
            "; new ones start as old ones: {}{more}",
            named.join(", ")
        ));
    }
    vec![networks.to_owned(), classes]
}
