//! `native-train export RUN --hub DIR`: a model as a repository of Hugging Face's hub.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use biggan::file::ModelFile;
use biggan::image::{Sheet, to_rgba};
use biggan::latent::{Latents, one_hot_values};
use biggan::sampler::Sampler;
use biggan::train::Pretrained;
use burn::tensor::Device;
use pollster::block_on;

use super::{dtype, of_model_or_run};
use crate::args::ExportArgs;
use crate::error::{Outcome, bad_usage};
use crate::files::hub_folder::{self, CARD, SHEET, WEIGHTS};
use crate::files::model_files::{DISCRIMINATOR, Target, stored_type};
use crate::run::atomic_file;
use crate::show::sheet;

/// Files of more bytes are a burden to the hub's visitors (its recommendation is parts of at most 5 GB).
const PART_BYTES: usize = 5_000_000_000;
/// Samples of a class on the sheet, and most classes.
const COLUMNS: usize = 8;
const MOST_ROWS: usize = 16;

/// Writes the directory.
///
/// # Errors
/// If there is no model, it is refused as by the other kinds of export, or a file cannot be written.
pub fn export(args: &ExportArgs, directory: &Path, device: &Device) -> Result<Outcome> {
    let name = name(directory)?;
    if directory.is_file() {
        return Err(bad_usage(format!(
            "{} is a file; give a directory",
            directory.display()
        )));
    }
    let (file, networks) = of_model_or_run(args, device)?;
    let dtype = match (args.dtype, &networks) {
        (None, None) => stored_type(&file.tensors),
        _ => dtype(args),
    };
    let discriminator = match (args.discriminator, networks) {
        (false, _) => None,
        (true, Some(networks)) => networks.encode_discriminator(dtype)?,
        (true, None) => {
            return Err(bad_usage(format!(
                "--discriminator: {} is a model, which has none; give the run or its checkpoint",
                args.run.display()
            )));
        }
    };
    std::fs::create_dir_all(directory)
        .with_context(|| format!("directory {}", directory.display()))?;
    let bytes = args.shard_size.map(|size| size.0);
    let large = file
        .tensors
        .0
        .values()
        .map(|tensor| 4 * tensor.values.len())
        .sum::<usize>()
        > PART_BYTES;
    let target = Target::new(
        &directory.join(WEIGHTS),
        bytes.or(large.then_some(PART_BYTES)),
    )?;
    let info = file.info.clone();
    let encoded = target.encode(&file, dtype)?;
    drop(file);
    let sampler = Sampler::new(encoded.decode()?, device)?;
    let config = hub_folder::config(directory, &info)?;
    let sheet = (directory.join(SHEET), samples(&sampler, device)?);
    let mut files = vec![config, sheet];
    files.extend(discriminator.map(|bytes| (directory.join(DISCRIMINATOR), bytes)));
    let card = directory.join(CARD);
    // somebody may have written there
    let is_new = !card.exists();
    if is_new {
        let text = hub_folder::card(&name, &info, args.license.as_deref());
        files.push((card.clone(), text.into_bytes()));
    }
    encoded.write()?;
    let files: Vec<(&Path, &[u8])> = files
        .iter()
        .map(|(path, bytes)| (path.as_path(), bytes.as_slice()))
        .collect();
    atomic_file::write_all(&files)?;
    let about = if is_new {
        ""
    } else {
        "; README.md was there and stays"
    };
    note!(
        "{}: {} bytes of weights in {} file(s){about}",
        directory.display(),
        encoded.bytes(),
        encoded.count()
    );
    if args.license.is_none() && is_new {
        note!(
            "the card states no licence; give --license, or write one into {}",
            card.display()
        );
    }
    Ok(Outcome::Done)
}

/// The model's name: that of the directory.
fn name(directory: &Path) -> Result<String> {
    let whole: PathBuf =
        std::path::absolute(directory).with_context(|| directory.display().to_string())?;
    match whole.file_name().and_then(|name| name.to_str()) {
        Some(name) => Ok(name.to_owned()),
        None => bail!(
            "{}: the model is called as its directory; give one with a name",
            directory.display()
        ),
    }
}

/// A row a class, the same z in every row.
fn samples(sampler: &Sampler, device: &Device) -> Result<Vec<u8>> {
    let generator = &sampler.info().generator;
    let rows = generator.classes.min(MOST_ROWS);
    let distribution = sampler.distribution(biggan::truncation::Truncation::Off)?;
    let z = sampler.latents(1, 0, COLUMNS, distribution);
    let classes: Vec<usize> = (0..rows).flat_map(|class| [class; COLUMNS]).collect();
    let weights = one_hot_values(&classes, generator.classes);
    let latents = Latents::from_values(
        z.repeat(rows),
        weights,
        [generator.z_dim, generator.classes],
        device,
    );
    let images = block_on(sampler.generate(latents, distribution.truncation()))?.images_pm1;
    let side = generator.resolution;
    sheet::to_png(&Sheet::new(&to_rgba(&images, side)?, side, COLUMNS))
}

/// The model, and the networks of a run.
pub(super) type Found = (ModelFile, Option<Pretrained>);
