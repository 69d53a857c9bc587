//! `native-train data check`: checks every image before a run.

use std::path::Path;

use anyhow::{Context, Result, bail};
use rayon::prelude::*;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::source::{Entry, Listing, PARTS};
use crate::args::CheckArgs;
use crate::dataset::check::{Facts, Finding, Severity, counts, judge, listed};
use crate::dataset::fit::{self, Misfit, Outline};
use crate::dataset::image_folder::{self, IMAGE_FOLDER};
use crate::dataset::parts::Layout;
use crate::dataset::passed::Passed;
use crate::dataset::picture::Traits;
use crate::dataset::preparation::Preparation;
use crate::dataset::{
    self, Dataset, DatasetRequest, Split, TABLE, check_pictures, class_folders, picture,
};
use crate::environment::Environment;
use crate::error::Outcome;
use crate::recipe::plan::Plan;
use crate::run::plan_file;
use crate::terminal::{self, Bar};

/// Classes that the table shows.
const MAX_CLASSES: usize = 20;
/// Layouts that are read.
const LAYOUT: &str = "DIR/<class>/<picture>, or DIR/train/<class>/<picture> and DIR/test/...";

/// Runs the command.
///
/// # Errors
/// If there are faults, after all findings have been printed.
pub fn run(args: &CheckArgs, environment: &Environment) -> Result<Outcome> {
    let mut preparation = Preparation::typed(args.square, args.resolution);
    let checked = match (&args.source.folder, &args.source.config) {
        (Some(folder), _) => of_folder(folder, None, &preparation)?,
        (None, Some(config)) => {
            let plan = plan_file::read(config, &args.set)?;
            preparation = Preparation::of(plan.data(), plan.train().generator.resolution);
            match (plan.data().dataset == IMAGE_FOLDER.name, &plan.data().path) {
                (true, Some(path)) => of_folder(path, Some(&plan), &preparation)?,
                _ => of_recipe(&plan, environment)?,
            }
        }
        (None, None) => bail!("no images; give a directory or --config"),
    };
    let Checked {
        facts,
        mut findings,
    } = checked;
    findings.extend(judge(&facts));
    findings.extend(check_pictures::judge(
        &facts,
        preparation.resolution,
        preparation.fit,
        preparation.background,
    ));
    findings.sort_by_key(|finding| finding.severity);
    if args.json {
        let parts = PARTS.map(|(_, part)| (part.to_owned(), json!(counts(&facts, part))));
        let report = json!({
            "images": facts.len(),
            "classes": serde_json::Map::from_iter(parts),
            "findings": findings,
        });
        terminal::say_text(&(serde_json::to_string_pretty(&report)? + "\n"));
    } else {
        print(&facts, &findings);
    }
    let faults = findings.iter().filter(|f| f.severity == Severity::Fault);
    match faults.count() {
        0 => Ok(Outcome::Done),
        1 => bail!("1 fault; repair it before training"),
        count => bail!("{count} faults; repair them before training"),
    }
}

fn print(facts: &[Facts], findings: &[Finding]) {
    for (_, part) in PARTS {
        let counts = counts(facts, part);
        if counts.is_empty() {
            say!("{part}: none");
            continue;
        }
        let images: usize = counts.values().sum();
        say!("{part}: {images} images in {} classes", counts.len());
        for (class, count) in counts.iter().take(MAX_CLASSES) {
            say!("  {count:>8}  {class}");
        }
        if counts.len() > MAX_CLASSES {
            say!(
                "            and {} more classes",
                counts.len() - MAX_CLASSES
            );
        }
    }
    for finding in findings {
        let word = match finding.severity {
            Severity::Fault => "FAULT",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        say!("{word}: {}: {}", finding.kind, finding.message);
        if !finding.remedy.is_empty() {
            say!("  remedy: {}", finding.remedy);
        }
    }
    if findings.iter().all(|f| f.severity == Severity::Note) {
        say!("no problems found");
    }
}

/// What was found in a data set.
#[derive(Default)]
struct Checked {
    facts: Vec<Facts>,
    findings: Vec<Finding>,
}

impl Checked {
    fn find(
        &mut self,
        severity: Severity,
        kind: &'static str,
        message: String,
        remedy: &'static str,
    ) {
        self.findings.push(Finding {
            severity,
            kind,
            message,
            remedy: remedy.into(),
        });
    }

    /// Adds what training refuses, in the words in which it does.
    fn misfits(&mut self, misfits: impl IntoIterator<Item = Misfit>) {
        for Misfit { kind, error } in misfits {
            let remedy = error.fields().remedy.clone().unwrap_or_default();
            let message = error.to_string();
            let message = message
                .strip_suffix(&format!("; {remedy}"))
                .unwrap_or(&message);
            self.findings.push(Finding {
                severity: Severity::Fault,
                kind,
                message: message.to_owned(),
                remedy: remedy.into(),
            });
        }
    }

    /// Adds what a listing passes over.
    fn passed(&mut self, passed: &Passed, folder: &Path) {
        for (reason, words) in passed.words(folder) {
            let severity = match reason.is_picture() {
                true => Severity::Warning,
                false => Severity::Note,
            };
            self.find(severity, "passed over", words, reason.remedy());
        }
    }
}

/// Decodes all pictures of a directory; those that cannot be listed or decoded are findings.
fn of_folder(folder: &Path, plan: Option<&Plan>, preparation: &Preparation) -> Result<Checked> {
    std::fs::read_dir(folder).with_context(|| format!("directory {}", folder.display()))?;
    let mut checked = Checked::default();
    let layout = match Layout::find(folder) {
        Ok(layout) => layout,
        Err(error) => {
            checked.find(Severity::Fault, "layout", format!("{error:#}"), LAYOUT);
            return Ok(checked);
        }
    };
    for remark in layout.remarks() {
        let remedy = "nothing needs doing, if that is meant";
        checked.find(Severity::Note, "parts", remark, remedy);
    }
    for warning in layout.warnings() {
        let remedy = "sort its pictures into class folders, or move it away";
        checked.find(Severity::Warning, "parts", warning, remedy);
    }
    let mut passed = layout.passed.clone();
    let mut outlines = Vec::new();
    for (split, part) in PARTS {
        if split == Split::Test && layout.get(split).is_none() {
            continue; // a test part is optional
        }
        let listed = layout.part(split).and_then(|directory| {
            let (classes, over) = class_folders::list(directory)?;
            Ok((directory, classes, over))
        });
        let (directory, classes, over) = match listed {
            Ok(listed) => listed,
            Err(error) => {
                checked.find(Severity::Fault, "layout", format!("{error:#}"), LAYOUT);
                continue;
            }
        };
        passed.absorb(over);
        let outline = image_folder::outline(directory, &classes);
        let names = &outline.class_names;
        if names.is_empty() {
            checked.find(
                Severity::Fault,
                "layout",
                no_class_folder(directory),
                LAYOUT,
            );
            continue;
        }
        if let (Some(plan), Split::Train) = (plan, split) {
            let generator = &plan.train().generator;
            let (classes, resolution) = (generator.classes, generator.resolution);
            checked.misfits(fit::with_networks(&outline, classes, resolution));
            if let Some(given) = &plan.data().class_names {
                let name = folder.file_name().unwrap_or_default().to_string_lossy();
                checked.misfits(fit::names(given, names.len(), &name));
            }
        }
        let skip = plan.is_some_and(|plan| plan.data().skip_broken);
        pictures(&Listing::of(classes), part, skip, preparation, &mut checked)?;
        outlines.push(outline);
    }
    if let [train, test] = &outlines[..] {
        checked.misfits(fit::with_training_part(test, train));
    }
    checked.passed(&passed, folder);
    Ok(checked)
}

/// Says that there is no class folder, and what the directory looks like.
fn no_class_folder(directory: &Path) -> String {
    // idx, which any such files are, before Fashion-MNIST
    let mut others = TABLE
        .iter()
        .rev()
        .filter(|named| named.name != IMAGE_FOLDER.name);
    let looks = others.find(|named| (named.is_complete)(directory));
    let looks = looks.map_or(String::new(), |named| {
        let name = named.name;
        format!("; it looks like the data set {name:?}: give a recipe with it by --config")
    });
    format!("{}: no class folder{looks}", directory.display())
}

/// Decodes the pictures of a part.
fn pictures(
    listing: &Listing,
    part: &'static str,
    skip: bool,
    preparation: &Preparation,
    checked: &mut Checked,
) -> Result<()> {
    let bar = Bar::new(
        listing.entries.len(),
        "pictures {bar:24} {pos}/{len}  {eta} left",
    );
    let seen: Vec<Result<Facts, String>> = listing
        .entries
        .par_iter()
        .map(|entry| {
            bar.inc(1);
            facts_of(entry, part, &listing.class_names, preparation)
                .map_err(|error| format!("{}: {error:#}", entry.path.display()))
        })
        .collect();
    bar.finish();
    let mut broken = Vec::new();
    let mut images = vec![0; listing.class_names.len()];
    for (seen, entry) in seen.into_iter().zip(&listing.entries) {
        match seen {
            Ok(fact) => {
                checked.facts.push(fact);
                images[usize::from(entry.labels[0])] += 1;
            }
            Err(error) => broken.push(error),
        }
    }
    if !broken.is_empty() {
        let message = format!(
            "{} of {} {part} pictures: {}",
            broken.len(),
            listing.entries.len(),
            listed(&broken)
        );
        let (severity, remedy) = match skip {
            true => (Severity::Warning, "repair or delete them: they are skipped"),
            false => (
                Severity::Fault,
                "repair or delete them, or set data.skip_broken = true",
            ),
        };
        checked.find(severity, "unreadable", message, remedy);
    }
    let place = format!("the {part} part");
    checked.misfits(fit::without_images(&images, &listing.class_names, &place));
    Ok(())
}

fn facts_of(
    entry: &Entry,
    part: &'static str,
    class_names: &[String],
    preparation: &Preparation,
) -> Result<Facts> {
    let bytes = picture::read(&entry.path)?;
    let decoded = preparation.picture(&bytes)?;
    let ending = entry.path.extension().and_then(|e| e.to_str());
    let ending = ending.map(str::to_ascii_lowercase);
    let ending = ending.as_deref().map(|e| match e {
        "jpg" | "jpe" | "jfif" | "pjpeg" | "pjp" => "jpeg",
        other => other,
    });
    let pixels = decoded.rgb.as_chunks::<3>().0;
    Ok(Facts {
        part,
        class: class_names[usize::from(entry.labels[0])].clone(),
        place: entry.path.display().to_string(),
        size: [decoded.width, decoded.height],
        grey: pixels.iter().all(|[r, g, b]| r == g && g == b),
        constant: pixels.windows(2).all(|pair| pair[0] == pair[1]),
        misnamed: ending.is_some() && ending != picture::kind(&bytes),
        largest: decoded.rgb.iter().copied().max().unwrap_or(0),
        digest: digest([3, decoded.height, decoded.width], &decoded.rgb),
        traits: decoded.traits,
    })
}

/// All images of a recipe's data set; what training refuses are findings.
fn of_recipe(plan: &Plan, environment: &Environment) -> Result<Checked> {
    let mut checked = Checked::default();
    let generator = &plan.train().generator;
    let (classes, resolution) = (generator.classes, generator.resolution);
    let (named, directory) =
        dataset::locate(plan.data(), resolution, environment.data_home.as_deref())?;
    let mut outlines = Vec::new();
    for (split, part) in PARTS {
        let request = DatasetRequest {
            section: plan.data(),
            split,
            classes,
        };
        let set = match (named.read)(&request, &directory, resolution) {
            Ok(set) => set,
            Err(error) => {
                let outline = (named.test_outline)(&request, &directory);
                if split == Split::Test && outline.is_ok_and(|test| test.is_none()) {
                    note!("no {part} part: {error:#}");
                } else {
                    let remedy = "repair or replace the files";
                    checked.find(Severity::Fault, "unreadable", format!("{error:#}"), remedy);
                }
                continue;
            }
        };
        let place = directory.display().to_string();
        let outline = match split {
            Split::Train => Outline::of(&set, place),
            Split::Test => (named.test_outline)(&request, &directory)?
                .unwrap_or_else(|| Outline::of(&set, place)),
        };
        if split == Split::Train {
            checked.misfits(fit::with_networks(&outline, classes, resolution));
            if let Some(given) = &plan.data().class_names {
                let classes = outline.class_names.len();
                checked.misfits(fit::names(given, classes, &set.info.name));
            }
        }
        match fit::images_by_class(&set, &outline.place) {
            Ok(images) if split == Split::Train => {
                let names = &outline.class_names;
                checked.misfits(fit::without_images(&images, names, &outline.place));
            }
            Ok(_) => {}
            Err(misfit) => checked.misfits([misfit]),
        }
        checked.facts.extend(facts_of_set(&set, part, resolution)?);
        outlines.push(outline);
    }
    if let [train, test] = &outlines[..] {
        checked.misfits(fit::with_training_part(test, train));
    }
    Ok(checked)
}

/// Images of a data set are padded to the resolution, never enlarged: their size is the resolution.
fn facts_of_set(set: &Dataset, part: &'static str, resolution: usize) -> Result<Vec<Facts>> {
    let [_, height, width] = set.shape;
    let plane = height * width;
    let facts = |index: usize| {
        let image = &set.read(&[index])?[0];
        Ok(Facts {
            part,
            class: match set.class_names.get(usize::from(set.labels[index])) {
                Some(name) => name.clone(),
                None => format!("label {}", set.labels[index]), // out of range, which is a finding
            },
            place: format!("{part} image {index}"),
            size: [resolution; 2],
            grey: image.chunks_exact(plane).all(|p| *p == image[..plane]),
            constant: image
                .chunks_exact(plane)
                .all(|p| p.iter().all(|value| *value == p[0])),
            misnamed: false,
            largest: image.iter().copied().max().unwrap_or(0),
            traits: Traits::default(),
            digest: digest(set.shape, image),
        })
    };
    (0..set.len()).into_par_iter().map(facts).collect()
}

fn digest(shape: [usize; 3], pixels: &[u8]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for side in shape {
        digest.update((side as u64).to_le_bytes());
    }
    digest.update(pixels);
    digest.finalize().into()
}
