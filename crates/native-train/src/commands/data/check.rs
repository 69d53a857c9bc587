//! `native-train data check`: checks every image before a run.

use std::path::Path;

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::source::{Entry, PARTS, class_folders_of};
use crate::args::CheckArgs;
use crate::dataset::check::{Facts, Finding, Severity, counts, judge, listed};
use crate::dataset::image_folder::IMAGE_FOLDER;
use crate::dataset::picture::Traits;
use crate::dataset::preparation::Preparation;
use crate::dataset::{self, Dataset, DatasetRequest, Split, check_pictures, picture};
use crate::environment::Environment;
use crate::error::Outcome;
use crate::recipe::plan::Plan;
use crate::run::plan_file;

/// Classes that the table shows.
const MAX_CLASSES: usize = 20;

/// Runs the command.
///
/// # Errors
/// If there are faults, after all findings have been printed.
pub fn run(args: &CheckArgs, environment: &Environment) -> Result<Outcome> {
    let mut findings = Vec::new();
    let fit = args.square.fit.unwrap_or_default();
    let background = args.square.background.unwrap_or_default();
    let mut preparation = Preparation::new(args.resolution, fit, background);
    let facts = match (&args.source.folder, &args.source.config) {
        (Some(folder), _) => of_folder(folder, &preparation, &mut findings)?,
        (None, Some(config)) => {
            let plan = plan_file::read(config, &[])?;
            preparation = Preparation::of(plan.data(), plan.train().generator.resolution);
            match (plan.data().dataset == IMAGE_FOLDER.name, &plan.data().path) {
                (true, Some(path)) => of_folder(path, &preparation, &mut findings)?,
                _ => of_recipe(&plan, environment)?,
            }
        }
        (None, None) => bail!("no images; give a directory or --config"),
    };
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
        println!("{}", serde_json::to_string_pretty(&report)?);
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
            println!("{part}: none");
            continue;
        }
        let images: usize = counts.values().sum();
        println!("{part}: {images} images in {} classes", counts.len());
        for (class, count) in counts.iter().take(MAX_CLASSES) {
            println!("  {count:>8}  {class}");
        }
        if counts.len() > MAX_CLASSES {
            println!(
                "            and {} more classes",
                counts.len() - MAX_CLASSES
            );
        }
    }
    for finding in findings {
        let word = match finding.severity {
            Severity::Fault => "FAULT",
            Severity::Warning => "warning",
        };
        println!("{word}: {}: {}", finding.kind, finding.message);
        println!("  remedy: {}", finding.remedy);
    }
    if findings.is_empty() {
        println!("no problems found");
    }
}

/// Decodes all pictures of a directory; those that cannot be listed or decoded are findings.
fn of_folder(
    folder: &Path,
    preparation: &Preparation,
    findings: &mut Vec<Finding>,
) -> Result<Vec<Facts>> {
    std::fs::read_dir(folder).with_context(|| format!("directory {}", folder.display()))?;
    let mut facts = Vec::new();
    for (split, part) in PARTS {
        let listing = match class_folders_of(folder, split) {
            Ok(listing) => listing,
            Err(error) if split == Split::Train => {
                findings.push(Finding {
                    severity: Severity::Fault,
                    kind: "layout",
                    message: format!("{error:#}"),
                    remedy: "DIR/<class>/<picture>, or DIR/train/<class>/<picture> and DIR/test/...",
                });
                continue;
            }
            Err(_) => continue, // a test part is optional
        };
        let bar = ProgressBar::new(listing.entries.len() as u64).with_style(
            ProgressStyle::with_template("pictures {bar:24} {pos}/{len}  {eta} left")?,
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
        bar.finish_and_clear();
        let mut broken = Vec::new();
        for seen in seen {
            match seen {
                Ok(fact) => facts.push(fact),
                Err(error) => broken.push(error),
            }
        }
        if !broken.is_empty() {
            findings.push(Finding {
                severity: Severity::Fault,
                kind: "unreadable",
                message: format!(
                    "{} of {} {part} pictures: {}",
                    broken.len(),
                    listing.entries.len(),
                    listed(&broken)
                ),
                remedy: "repair or delete them, or set data.skip_broken = true",
            });
        }
    }
    Ok(facts)
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
    let ending = ending.map(|e| e.to_ascii_lowercase().replace("jpg", "jpeg"));
    let pixels = decoded.rgb.as_chunks::<3>().0;
    Ok(Facts {
        part,
        class: class_names[usize::from(entry.labels[0])].clone(),
        place: entry.path.display().to_string(),
        size: [decoded.width, decoded.height],
        grey: pixels.iter().all(|[r, g, b]| r == g && g == b),
        constant: pixels.windows(2).all(|pair| pair[0] == pair[1]),
        misnamed: ending.as_deref() != picture::kind(&bytes),
        largest: decoded.rgb.iter().copied().max().unwrap_or(0),
        digest: digest([3, decoded.height, decoded.width], &decoded.rgb),
        traits: decoded.traits,
    })
}

/// All images of a recipe's data set.
fn of_recipe(plan: &Plan, environment: &Environment) -> Result<Vec<Facts>> {
    let mut facts = Vec::new();
    for (split, part) in PARTS {
        let generator = &plan.train().generator;
        let request = DatasetRequest {
            section: plan.data(),
            split,
            classes: generator.classes,
        };
        let data_home = environment.data_home.as_deref();
        match dataset::load(&request, generator.resolution, data_home) {
            Ok(set) => facts.extend(facts_of_set(&set, part, generator.resolution)?),
            Err(error) if split == Split::Train => return Err(error),
            Err(error) => eprintln!("no {part} part: {error:#}"),
        }
    }
    Ok(facts)
}

/// Images of a data set are padded to the resolution, never enlarged: their size is the resolution.
fn facts_of_set(set: &Dataset, part: &'static str, resolution: usize) -> Result<Vec<Facts>> {
    let [_, height, width] = set.shape;
    let plane = height * width;
    let facts = |index: usize| {
        let image = &set.read(&[index])?[0];
        Ok(Facts {
            part,
            class: set.class_names[usize::from(set.labels[index])].clone(),
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
