//! `native-train sample MODEL`: pictures of a model, as a sheet or as numbers.

mod each;

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use biggan::config::GeneratorConfig;
use biggan::file::{Dtype, ModelInfo, encode};
use biggan::image::{Sheet, to_rgba};
use biggan::latent::{Latents, one_hot_values};
use biggan::named::{HostTensor, HostTensors};
use biggan::request::{self, ClassWeight, Latent, Picture, Point};
use biggan::sampler::{MAX_SAMPLES, Sampler};
use biggan::statistics_table::RowRule;
use biggan::truncation::LatentDistribution;
use burn::tensor::Device;
use pollster::block_on;

use self::each::Each;
use crate::args::SampleArgs;
use crate::device;
use crate::error::{Outcome, bad_usage};
use crate::files::latents_file::read_latents;
use crate::files::{class_choice, model_files};
use crate::input_file;
use crate::run::atomic_file;
use crate::show::sheet;

/// Most images in a row of a sheet.
const MAX_COLUMNS: usize = 16;

/// Runs the command.
///
/// # Errors
/// If the model cannot be read, the request does not suit it, or a file cannot be written.
pub fn run(args: &SampleArgs) -> Result<Outcome> {
    if args.out.is_none() && args.raw.is_none() && args.each.is_none() {
        return Err(bad_usage(
            "nothing to write: give --out SHEET.png, --raw IMAGES.safetensors, or both, or --each DIR for single \
             pictures",
        ));
    }
    if let Some(out) = &args.out {
        sheet::check_name(out)?;
    }
    let device = device::open(args.device.name)?;
    let file = model_files::read(&args.model)?;
    let digest = args
        .each
        .as_ref()
        .map(|_| each::digest(&file))
        .transpose()?;
    let mut sampler =
        Sampler::new(file, &device).with_context(|| format!("model {}", args.model.display()))?;
    if args.hf_compat {
        sampler = sampler.with_row_rule(RowRule::HfCompat);
    }
    let distribution = distribution(args, &sampler)?;
    if let (Some(directory), Some(digest)) = (&args.each, digest) {
        let info = sampler.info();
        let classes = match &args.class[..] {
            [] => (0..info.generator.classes).collect(),
            typed => class_choice::classes(info, typed)?,
        };
        let (sampler, device) = (&sampler, &device);
        let each = Each {
            args,
            sampler,
            digest,
            distribution,
            classes,
            device,
        };
        return each.run(directory);
    }
    let config = &sampler.info().generator;
    let brought = match (&args.latents, &args.pictures) {
        (None, None) => None,
        (Some(path), _) => {
            let bytes = input_file::read("latents", path)?;
            let latents = read_latents(&bytes, config, &device);
            Some(latents.with_context(|| format!("latents {}", path.display()))?)
        }
        (None, Some(path)) => {
            let text = input_file::read_text("pictures", path)?;
            let pictures = pictures(&text, config, distribution, &device);
            Some(pictures.with_context(|| format!("pictures {}", path.display()))?)
        }
    };
    let (latents, columns) = match brought {
        None => requested(args, &sampler, distribution, &device)?,
        Some(latents) => {
            let columns = square(latents.count());
            (latents, columns)
        }
    };
    let count = latents.count();
    let images = block_on(sampler.generate(latents, distribution.truncation()))?.images_pm1;
    let side = sampler.info().generator.resolution;
    let png = match &args.out {
        Some(_) => sheet::to_png(&Sheet::new(&to_rgba(&images, side)?, side, columns))?,
        None => Vec::new(),
    };
    let raw = match &args.raw {
        Some(_) => {
            let image = HostTensor {
                shape: vec![count, 3, side, side],
                values: images,
            };
            let tensors = HostTensors(BTreeMap::from([("image".to_owned(), image)]));
            encode(&tensors, &BTreeMap::new(), Dtype::F32)?
        }
        None => Vec::new(),
    };
    let both = [(&args.out, &png), (&args.raw, &raw)];
    let named = both
        .iter()
        .filter_map(|(path, bytes)| Some((path.as_deref()?, &bytes[..])));
    atomic_file::write_all(&named.collect::<Vec<_>>())?;
    Ok(Outcome::Done)
}

/// The distribution of z: of the model's kind, or of the requested kind.
fn distribution(args: &SampleArgs, sampler: &Sampler) -> Result<LatentDistribution> {
    let own = sampler.info().truncation_kind;
    let kind = args.truncation_kind.unwrap_or(own);
    if kind != own {
        note!("note: the model's statistics are for {own}; {kind} uses the row of the same number");
    }
    let latent = sampler.info().generator.latent;
    LatentDistribution::new(latent, kind, args.truncation)
        .map_err(|error| bad_usage(error.to_string()))
}

/// The latents of a JSON list of pictures.
fn pictures(
    text: &str,
    config: &GeneratorConfig,
    distribution: LatentDistribution,
    device: &Device,
) -> Result<Latents> {
    let list: Vec<Picture> =
        serde_json::from_str(text).context("not a list of pictures in JSON")?;
    if !(1..=MAX_SAMPLES).contains(&list.len()) {
        bail!("it has {} pictures; give 1 to {MAX_SAMPLES}", list.len());
    }
    Ok(request::latents(&list, config, distribution, device)?)
}

/// The latents of classes, seed and count, class after class, and the columns of their sheet.
fn requested(
    args: &SampleArgs,
    sampler: &Sampler,
    distribution: LatentDistribution,
    device: &Device,
) -> Result<(Latents, usize)> {
    let info = sampler.info();
    let rows = match &args.mix {
        Some(mix) => vec![mixed(info, mix)?],
        None => class_choice::classes(info, &args.class)?
            .iter()
            .map(|&class| one_hot_values(&[class], info.generator.classes))
            .collect(),
    };
    let total = rows.len().saturating_mul(args.count);
    if !(1..=MAX_SAMPLES).contains(&total) {
        return Err(bad_usage(format!(
            "{} classes with --count {} are {total} samples; ask for 1 to {MAX_SAMPLES}, or draw single pictures with \
             --each DIR",
            rows.len(),
            args.count
        )));
    }
    let z = sampler.latents(args.seed, 0, args.count, distribution);
    let columns = if rows.len() == 1 {
        square(args.count)
    } else {
        args.count.min(MAX_COLUMNS)
    };
    let dims = [info.generator.z_dim, info.generator.classes];
    let weights: Vec<f32> = rows.iter().flat_map(|row| row.repeat(args.count)).collect();
    let latents = Latents::from_values(z.repeat(rows.len()), weights, dims, device);
    Ok((latents, columns))
}

/// The class weights of a mix, which sum to 1.
fn mixed(info: &ModelInfo, mix: &str) -> Result<Vec<f32>> {
    let usage = |error: biggan::Error| bad_usage(error.to_string());
    let classes = info.classes().mix(mix).map_err(usage)?;
    let classes = classes
        .into_iter()
        .map(|(class, weight)| ClassWeight { class, weight })
        .collect();
    let point = Point {
        classes,
        z: Latent::of_seed(0, 0),
    };
    let weights = point.class_weights(info.generator.classes).map_err(usage)?;
    Ok(weights.into_iter().map(|weight| weight as f32).collect())
}

/// Columns of a roughly square sheet.
fn square(count: usize) -> usize {
    (1..=MAX_COLUMNS)
        .find(|columns| columns * columns >= count)
        .unwrap_or(MAX_COLUMNS)
}
