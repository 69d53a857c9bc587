//! `native-train data pack`: images resized once, into files that runs memory-map.

use std::borrow::Cow;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use rayon::prelude::*;
use same_file::is_same_file;

use super::label_list;
use super::source::{Entry, Listing, PARTS};
use crate::args::PackArgs;
use crate::dataset::check::listed;
use crate::dataset::class_folders::{self, Class};
use crate::dataset::fit::{self, Outline};
use crate::dataset::image_folder::{self, IMAGE_FOLDER};
use crate::dataset::packed::{self, Finished, PackFile, prepare};
use crate::dataset::parts::Layout;
use crate::dataset::preparation::Preparation;
use crate::dataset::{self, Dataset, DatasetRequest, Split, picture};
use crate::environment::Environment;
use crate::error::{Outcome, bad_usage};
use crate::memory;
use crate::run::plan_file;
use crate::terminal::Bar;

/// Most pictures that are decoded together, in parallel.
const CHUNK: usize = 256;
/// Share of the free memory that their images may take, as a divisor.
const SHARE: usize = 4;

/// Runs the command.
///
/// # Errors
/// If an image cannot be read and may not be left out, a class is left without images, parts differ in their
/// classes, or nothing can be written.
pub fn run(args: &PackArgs, environment: &Environment) -> Result<Outcome> {
    if args.per_class == Some(0) {
        return Err(bad_usage("--per-class is 0; use 1 or more"));
    }
    if !(1..=4096).contains(&args.resolution) {
        return Err(bad_usage(format!(
            "--resolution is {}; use 1 to 4096",
            args.resolution
        )));
    }
    let Some(folder) = &args.source.folder else {
        return recipe(args, environment);
    };
    let (train, test) = match &args.labels {
        Some(labels) => (of_list(folder, labels)?, None),
        None => of_folders(folder)?,
    };
    prepare(&args.out)?;
    let [to_train, to_test] = PARTS.map(|(split, _)| args.out.join(packed::file_name(split)));
    let train = pictures(args, folder, &train, &to_train)?;
    let test = test
        .map(|test| pictures(args, folder, &test, &to_test))
        .transpose()?;
    commit(args, train, test)
}

/// The pictures of a list of labels; says what is not used.
fn of_list(folder: &Path, labels: &Path) -> Result<Listing> {
    let list = label_list::read(folder, labels)?;
    say(labels, list.remarks.into_iter());
    say(folder, list.passed.line(folder).into_iter());
    Ok(list.listing)
}

/// The training and test pictures of class folders; says what is not used.
fn of_folders(folder: &Path) -> Result<(Listing, Option<Listing>)> {
    let layout = Layout::find(folder)?;
    let mut passed = layout.passed.clone();
    let mut list = |split| -> Result<(Vec<Class>, Outline)> {
        let part = layout.part(split)?;
        let (classes, over) = class_folders::list(part)?;
        passed.absorb(over);
        let outline = image_folder::outline(part, &classes);
        Ok((classes, outline))
    };
    let (train, trained) = list(Split::Train)?;
    ensure!(
        !train.is_empty(),
        "{}: no class folder; give one folder per class",
        trained.place
    );
    let test = match layout.get(Split::Test) {
        None => None,
        Some(_) => {
            let (test, tested) = list(Split::Test)?;
            fit::refuse(fit::with_training_part(&tested, &trained))?;
            Some(Listing::of(test))
        }
    };
    if let Some(line) = layout.line(&passed) {
        note!("{line}");
    }
    Ok((Listing::of(train), test))
}

fn say(about: &Path, remarks: impl Iterator<Item = String>) {
    let remarks: Vec<String> = remarks.collect();
    if !remarks.is_empty() {
        note!("{}: {}", about.display(), remarks.join("; "));
    }
}

/// A part that is packed, and the number of its classes.
struct Packed<'a> {
    file: Finished<'a>,
    classes: usize,
    path: &'a Path,
}

/// Gives the files their names, all of them after all are whole; a test part of an earlier pack goes.
fn commit(args: &PackArgs, train: Packed<'_>, test: Option<Packed<'_>>) -> Result<Outcome> {
    if test.is_none() && packed::remove_test_part(&args.out)? {
        say!(
            "{}: removed, since these data have no test part",
            args.out.join(packed::file_name(Split::Test)).display()
        );
    }
    for Packed {
        file,
        classes,
        path,
    } in [Some(train), test].into_iter().flatten()
    {
        let images = file.images;
        file.commit()?;
        let bytes = std::fs::metadata(path)?.len();
        say!(
            "{}: {images} images of {classes} classes, {bytes} bytes",
            path.display()
        );
    }
    Ok(Outcome::Done)
}

/// Packs picture files, of which at most [`CHUNK`] are in memory, and no more than it has room for.
fn pictures<'a>(
    args: &PackArgs,
    folder: &Path,
    listing: &Listing,
    path: &'a Path,
) -> Result<Packed<'a>> {
    let labels: Vec<u16> = listing
        .entries
        .iter()
        .map(|entry| entry.labels[0])
        .collect();
    let chosen = chosen(&labels, listing.class_names.len(), args.per_class);
    let entries: Vec<&Entry> = chosen
        .iter()
        .map(|&index| &listing.entries[index])
        .collect();
    let resolution = args.resolution;
    let shape = [3, resolution, resolution];
    let preparation = Preparation::typed(args.square, resolution);
    let mut writer = PackFile::new(
        path,
        &dataset::name_of(folder),
        &listing.class_names,
        shape,
        &preparation.notes(),
    )?;
    let bar = Bar::new(
        entries.len(),
        "packing {bar:24} {pos}/{len}  {per_sec}  {eta} left",
    );
    let image_bytes = preparation.image_bytes();
    let at_once = memory::free_bytes() / SHARE / image_bytes;
    let at_once = at_once.clamp(1, CHUNK.min(entries.len().max(1)));
    let mut planes = vec![0; at_once * image_bytes];
    let mut broken = Vec::new();
    let mut of_class = vec![0usize; listing.class_names.len()];
    for chunk in entries.chunks(at_once) {
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
                    writer.push(&rounded(image, args.pixel_step), &entry.labels)?;
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
    bar.finish();
    if !broken.is_empty() {
        note!(
            "{} of {} pictures cannot be read and are left out: {}",
            broken.len(),
            entries.len(),
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
    Ok(Packed {
        file: writer.finish()?,
        classes: listing.class_names.len(),
        path,
    })
}

/// Packs the data set of a recipe.
fn recipe(args: &PackArgs, environment: &Environment) -> Result<Outcome> {
    let config = args.source.config.as_ref().context("no recipe")?;
    let plan = plan_file::read(config, &args.set)?;
    let generator = &plan.train().generator;
    if plan.data().dataset == IMAGE_FOLDER.name {
        return Err(bad_usage(
            "the recipe names a folder of pictures; give the folder itself and --resolution, which packs \
             it without taking it into memory",
        ));
    }
    let own = plan.data().path.as_deref();
    let own = own.filter(|_| plan.data().dataset == packed::PACKED.name);
    if own.is_some_and(|own| is_same_file(own, &args.out).unwrap_or(false)) {
        return Err(bad_usage(format!(
            "--out {} is the directory of the recipe's own data, whose files would be replaced; name another",
            args.out.display()
        )));
    }
    prepare(&args.out)?;
    let [to_train, to_test] = PARTS.map(|(split, _)| args.out.join(packed::file_name(split)));
    let request = |split| DatasetRequest {
        section: plan.data(),
        split,
        classes: generator.classes,
    };
    let data_home = environment.data_home.as_deref();
    let train = dataset::load_to_train(&request(Split::Train), generator.resolution, data_home)?;
    let train = set(args, &train, &to_train)?;
    let test = match dataset::load(&request(Split::Test), generator.resolution, data_home) {
        Ok(test) => Some(set(args, &test, &to_test)?),
        Err(error)
            if dataset::has_test_part(&request(Split::Test), generator.resolution, data_home)? =>
        {
            return Err(error);
        }
        Err(error) => {
            note!("no test part: {error:#}");
            None
        }
    };
    commit(args, train, test)
}

/// Packs a data set.
fn set<'a>(args: &PackArgs, set: &Dataset, path: &'a Path) -> Result<Packed<'a>> {
    let mut writer = PackFile::new(path, &set.info.name, &set.class_names, set.shape, &[])?;
    let classes = set.class_names.len();
    for indices in chosen(&set.labels, classes, args.per_class).chunks(CHUNK) {
        for (image, &index) in set.read(indices)?.iter().zip(indices) {
            writer.push(&rounded(image, args.pixel_step), set.labels_of(index))?;
        }
    }
    Ok(Packed {
        file: writer.finish()?,
        classes,
        path,
    })
}

/// The indices of all images in order, or of the first ones of each class, class after class.
fn chosen(labels: &[u16], classes: usize, per_class: Option<usize>) -> Vec<usize> {
    let Some(most) = per_class else {
        return (0..labels.len()).collect();
    };
    let of = |class: usize| {
        let images = (0..labels.len()).filter(move |&i| usize::from(labels[i]) == class);
        images.take(most)
    };
    (0..classes).flat_map(of).collect()
}

/// Pixels at the nearest multiple of a step, at most 255.
fn rounded(image: &[u8], step: Option<u8>) -> Cow<'_, [u8]> {
    let Some(step) = step.map(u16::from) else {
        return Cow::Borrowed(image);
    };
    let round = |&pixel: &u8| {
        let nearest = (u16::from(pixel) + step / 2) / step * step;
        u8::try_from(nearest).unwrap_or(u8::MAX)
    };
    image.iter().map(round).collect()
}
