//! `native-train data pack`: images resized once, into files that runs memory-map.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

use super::source::{Listing, PARTS, class_folders_of, labelled};
use crate::args::PackArgs;
use crate::dataset::check::listed;
use crate::dataset::image_folder::IMAGE_FOLDER;
use crate::dataset::packed::{PackFile, prepare};
use crate::dataset::preparation::Preparation;
use crate::dataset::{self, DatasetRequest, Split, packed, picture};
use crate::environment::Environment;
use crate::error::{Outcome, bad_usage};
use crate::memory;
use crate::run::plan_file;

/// Most pictures that are decoded together, in parallel.
const CHUNK: usize = 256;
/// Share of the free memory that their images may take, as a divisor.
const SHARE: usize = 4;

/// Runs the command.
///
/// # Errors
/// If an image cannot be read and may not be left out, or nothing can be written.
pub fn run(args: &PackArgs, environment: &Environment) -> Result<Outcome> {
    prepare(&args.out)?;
    let Some(folder) = &args.source.folder else {
        return recipe(args, environment);
    };
    if !(1..=4096).contains(&args.resolution) {
        return Err(bad_usage(format!(
            "--resolution is {}; use 1 to 4096",
            args.resolution
        )));
    }
    if let Some(labels) = &args.labels {
        pictures(args, folder, &labelled(folder, labels)?, Split::Train)?;
        return Ok(Outcome::Done);
    }
    let train = class_folders_of(folder, Split::Train)?;
    pictures(args, folder, &train, Split::Train)?;
    if let Ok(test) = class_folders_of(folder, Split::Test) {
        ensure!(
            test.class_names == train.class_names,
            "the test part has {} classes, the training part {}; they must have the same names",
            test.class_names.len(),
            train.class_names.len()
        );
        pictures(args, folder, &test, Split::Test)?;
    }
    Ok(Outcome::Done)
}

/// Packs picture files, of which at most [`CHUNK`] are in memory, and no more than it has room for.
fn pictures(args: &PackArgs, folder: &Path, listing: &Listing, split: Split) -> Result<()> {
    let path = args.out.join(packed::file_name(split));
    let resolution = args.resolution;
    let name = folder.file_name().and_then(|name| name.to_str());
    let shape = [3, resolution, resolution];
    let preparation = Preparation::new(
        resolution,
        args.square.fit.unwrap_or_default(),
        args.square.background.unwrap_or_default(),
    );
    let mut writer = PackFile::new(
        &path,
        name.unwrap_or("pictures"),
        &listing.class_names,
        shape,
        &preparation.notes(),
    )?;
    let bar = ProgressBar::new(listing.entries.len() as u64).with_style(
        ProgressStyle::with_template("packing {bar:24} {pos}/{len}  {per_sec}  {eta} left")?,
    );
    let image_bytes = preparation.image_bytes();
    let at_once = memory::free_bytes() / SHARE / image_bytes;
    let at_once = at_once.clamp(1, CHUNK.min(listing.entries.len().max(1)));
    let mut planes = vec![0; at_once * image_bytes];
    let mut broken = Vec::new();
    let mut of_class = vec![0usize; listing.class_names.len()];
    for chunk in listing.entries.chunks(at_once) {
        let read: Vec<Result<()>> = planes
            .par_chunks_mut(image_bytes)
            .zip(chunk)
            .map(|(planes, entry)| preparation.image(&picture::read(&entry.path)?, planes))
            .collect();
        for ((result, entry), image) in read.into_iter().zip(chunk).zip(planes.chunks(image_bytes))
        {
            bar.inc(1);
            match result {
                Ok(()) => {
                    writer.push(image, &entry.labels)?;
                    for &label in &entry.labels {
                        of_class[usize::from(label)] += 1;
                    }
                }
                Err(error) => broken.push(format!("{}: {error:#}", entry.path.display())),
            }
        }
        ensure!(
            args.skip_broken || broken.is_empty(),
            "{} of the first pictures cannot be read: {}; repair or delete them, or give --skip-broken",
            broken.len(),
            listed(&broken)
        );
    }
    bar.finish_and_clear();
    if !broken.is_empty() {
        eprintln!(
            "{} of {} pictures cannot be read and are left out: {}",
            broken.len(),
            listing.entries.len(),
            listed(&broken)
        );
    }
    let without = of_class.iter().zip(&listing.class_names);
    let without: Vec<String> = without
        .filter(|(count, _)| **count == 0)
        .map(|(_, name)| format!("{name:?}"))
        .collect();
    ensure!(
        without.is_empty(),
        "no picture is left of the class{} {}: none of {} can be read; restore them, or remove the class",
        if without.len() == 1 { "" } else { "es" },
        listed(&without),
        if without.len() == 1 {
            "its pictures"
        } else {
            "their pictures"
        },
    );
    done(writer.finish()?, listing.class_names.len(), &path)
}

/// Packs the data set of a recipe.
fn recipe(args: &PackArgs, environment: &Environment) -> Result<Outcome> {
    let config = args.source.config.as_ref().context("no recipe")?;
    let plan = plan_file::read(config, &[])?;
    let generator = &plan.train().generator;
    if plan.data().dataset == IMAGE_FOLDER.name {
        return Err(bad_usage(
            "the recipe names a folder of pictures; give the folder itself and --resolution, which packs \
             it without taking it into memory",
        ));
    }
    for (split, name) in PARTS {
        let request = DatasetRequest {
            section: plan.data(),
            split,
            classes: generator.classes,
        };
        let data_home = environment.data_home.as_deref();
        let set = match dataset::load(&request, generator.resolution, data_home) {
            Ok(set) => set,
            Err(error) if split == Split::Train => return Err(error),
            Err(error) => {
                eprintln!("no {name} part: {error:#}");
                continue;
            }
        };
        let path = args.out.join(packed::file_name(split));
        let mut writer = PackFile::new(&path, &set.info.name, &set.class_names, set.shape, &[])?;
        for indices in chosen(&set, args.per_class).chunks(CHUNK) {
            for (image, &index) in set.read(indices)?.iter().zip(indices) {
                match args.pixel_step {
                    None => writer.push(image, set.labels_of(index))?,
                    Some(step) => writer.push(&rounded(image, step), set.labels_of(index))?,
                }
            }
        }
        done(writer.finish()?, set.class_names.len(), &path)?;
    }
    Ok(Outcome::Done)
}

/// All images in order, or the first of each class, class after class.
fn chosen(set: &dataset::Dataset, per_class: Option<usize>) -> Vec<usize> {
    let Some(most) = per_class else {
        return (0..set.len()).collect();
    };
    let of = |class: usize| {
        let images = (0..set.len()).filter(move |&i| usize::from(set.labels[i]) == class);
        images.take(most)
    };
    (0..set.class_names.len()).flat_map(of).collect()
}

/// Pixels at the nearest multiple of a step, at most 255.
fn rounded(image: &[u8], step: u8) -> Vec<u8> {
    let step = u16::from(step);
    let round = |&pixel: &u8| {
        let nearest = (u16::from(pixel) + step / 2) / step * step;
        u8::try_from(nearest).unwrap_or(u8::MAX)
    };
    image.iter().map(round).collect()
}

fn done(images: usize, classes: usize, path: &Path) -> Result<()> {
    let bytes = std::fs::metadata(path)?.len();
    println!(
        "{}: {images} images of {classes} classes, {bytes} bytes",
        path.display()
    );
    Ok(())
}
