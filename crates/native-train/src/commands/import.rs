//! `native-train import --from SOURCE WEIGHTS --out MODEL`: weights of other programs as a model, or
//! with `--training` as a run that `--resume` continues.

use std::path::Path;

use anyhow::{Context, Result, bail};
use biggan::class_names::KnownClasses;
use biggan::file::DatasetInfo;
use biggan::import::{self, NamedClasses, Report};
use biggan::sampler::Sampler;
use biggan::visible::visible_lines;
use burn::tensor::Device;

use crate::args::ImportArgs;
use crate::error::{Outcome, bad_usage};
use crate::files::model_files::Target;
use crate::files::{class_list, foreign_run};
use crate::input_file;
use crate::recipe::plan::Plan;
use crate::run::atomic_file;
use crate::run::checkpoint::Checkpoint;
use crate::run::keep::KeepPolicy;
use crate::run::plan_file;
use crate::run::run_dir::{self, RunDir};
use crate::terminal;

/// Name of the default config, next to the weights.
const CONFIG: &str = "config.json";

/// Runs the command.
///
/// # Errors
/// If the weights or their config cannot be read, are not what they are said to be, or a file cannot
/// be written.
pub fn run(args: &ImportArgs) -> Result<Outcome> {
    if args.training {
        return training(args);
    }
    if args.recipe.is_some() || !args.set.is_empty() || args.suffix.is_some() {
        return Err(bad_usage(
            "--recipe, --set and --suffix belong to --training",
        ));
    }
    let target = Target::new(&args.out, args.shard_size.map(|size| size.0))?;
    let config = read_config(args)?;
    let named = || args.weights.display().to_string();
    let bytes = input_file::read("weights", &args.weights)?;
    let (mut file, mut report) =
        import::model(args.from, &bytes, config.as_deref()).with_context(named)?;
    drop(bytes);
    if let Some(path) = &args.class_names {
        file.info.class_ids.clear();
        let list = class_list::read(path, file.info.generator.classes)?;
        class_list::rename(&mut file.info, list);
        report.classes = None;
    }
    let encoded = target.encode(&file, args.dtype.into())?;
    drop(file);
    // what was written must load
    Sampler::new(encoded.decode()?, &Device::flex())?;
    encoded.write()?;
    tell(&[report], args.report.as_deref())?;
    note!(
        "{}: {} bytes in {} file(s)",
        encoded.path().display(),
        encoded.bytes(),
        encoded.count()
    );
    Ok(Outcome::Done)
}

/// The config that is named, or `config.json` beside the weights if there is one.
fn read_config(args: &ImportArgs) -> Result<Option<String>> {
    let (path, is_named) = match &args.config {
        Some(path) => (path.clone(), true),
        None => (args.weights.with_file_name(CONFIG), false),
    };
    if !is_named && !path.exists() {
        return Ok(None);
    }
    let text = input_file::read_text("config", &path)?;
    note!("config {}", path.display());
    Ok(Some(text))
}

/// Writes the tables if requested, and shows the summaries.
fn tell(reports: &[Report], file: Option<&Path>) -> Result<()> {
    if let Some(path) = file {
        let tables: Vec<String> = reports.iter().map(ToString::to_string).collect();
        let text = tables.join("\n");
        atomic_file::write(path, visible_lines(&text).as_bytes())?;
    }
    for report in reports {
        terminal::note_lines(&report.summary());
    }
    Ok(())
}

fn training(args: &ImportArgs) -> Result<Outcome> {
    let Some(recipe) = &args.recipe else {
        return Err(bad_usage(
            "--training needs the recipe to continue with; give --recipe, for example \
             --recipe configs/biggan-pytorch-imagenet128.toml",
        ));
    };
    if args.config.is_some() || args.shard_size.is_some() {
        return Err(bad_usage(
            "--config and --shard-size do not go with --training: the recipe tells",
        ));
    }
    let plan = plan_file::read(recipe, &args.set)?;
    let files = foreign_run::find(args.from, &args.weights, args.suffix.as_deref())?;
    let bytes = files.read()?;
    let imported = import::training(args.from, &bytes.files(), plan.train())
        .with_context(|| args.weights.display().to_string())?;
    if !run_dir::checkpoints(&args.out)?.is_empty() {
        bail!(
            "run directory {} has checkpoints already; choose another with --out",
            args.out.display()
        );
    }
    let checkpoint = Checkpoint {
        class_names: class_names(&plan, args.class_names.as_deref())?,
        dataset: DatasetInfo {
            name: plan.data().dataset.clone(),
            images: 0,
            sha256: Vec::new(), // its training data are unknown
            source: None,
        },
        interventions: Vec::new(),
        counters: imported.counters,
        tensors: imported.tensors,
        plan,
    };
    // what is written must resume
    checkpoint.clone().into_state(&Device::flex())?;
    let run_dir = RunDir::open(&args.out)?;
    run_dir.write_plan(&checkpoint.plan)?;
    let path = run_dir.write_checkpoint(&checkpoint, &KeepPolicy::default())?;
    tell(&imported.reports, args.report.as_deref())?;
    note!(
        "{}: after {} generator steps; continue with native-train --config {} --out {} --resume",
        path.display(),
        checkpoint.counters.g_step,
        recipe.display(),
        args.out.display()
    );
    Ok(Outcome::Done)
}

/// The names that were typed, the recipe's, or those of its data set.
fn class_names(plan: &Plan, typed: Option<&Path>) -> Result<Vec<String>> {
    let generator = &plan.train().generator;
    if let Some(path) = typed {
        return Ok(class_list::read(path, generator.classes)?.names);
    }
    Ok(match &plan.data().class_names {
        Some(names) => names.clone(),
        None => {
            // "image-folder" says nothing of its classes
            let data_set = plan.data().dataset.as_str();
            let data_set = KnownClasses::called(data_set).map(|_| data_set);
            let named = NamedClasses::of(generator, data_set);
            note!("note: {}", named.remark);
            named.list.names
        }
    })
}
