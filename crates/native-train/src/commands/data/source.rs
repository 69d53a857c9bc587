//! Pictures of a directory, part by part, for `pack` and `check`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::dataset::{Split, class_folders};

/// A part of a data set and its name.
pub const PARTS: [(Split, &str); 2] = [(Split::Train, "train"), (Split::Test, "test")];

/// A picture file with its classes.
#[derive(Debug)]
pub struct Entry {
    /// Its path.
    pub path: PathBuf,
    /// Its classes, at least one.
    pub labels: Vec<u16>,
}

/// Picture files and the names of their classes.
#[derive(Debug)]
pub struct Listing {
    /// In the order of classes and names.
    pub entries: Vec<Entry>,
    /// By label.
    pub class_names: Vec<String>,
}

/// The class folders of a part.
///
/// # Errors
/// If there is no such part, or a picture is not in a class folder.
pub fn class_folders_of(folder: &Path, split: Split) -> Result<Listing> {
    let part = class_folders::part(folder, split)?;
    let classes = class_folders::list(&part)?;
    ensure!(
        !classes.is_empty(),
        "{}: no class folder; give one folder per class",
        part.display()
    );
    let mut listing = Listing {
        entries: Vec::new(),
        class_names: Vec::new(),
    };
    for (label, class) in (0u16..).zip(classes) {
        let entry = |file| Entry {
            path: class.path(file),
            labels: vec![label],
        };
        listing.entries.extend((0..class.files.len()).map(entry));
        listing.class_names.push(class.name);
    }
    Ok(listing)
}

/// The pictures that a file of labels names.
///
/// # Errors
/// If a line has no class or its path leads out of the directory; the message has the line number.
pub fn labelled(folder: &Path, labels: &Path) -> Result<Listing> {
    let named = || format!("labels {}", labels.display());
    let text = std::fs::read_to_string(labels).with_context(named)?;
    let mut rows = Vec::new();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.is_empty()) {
        let mut fields = line.split('\t');
        let path = Path::new(fields.next().unwrap_or_default());
        let classes: BTreeSet<&str> = fields.map(str::trim).filter(|c| !c.is_empty()).collect();
        ensure!(
            !classes.is_empty(),
            "{}: line {number} has no class; write PATH<tab>CLASS[<tab>CLASS...]",
            labels.display()
        );
        let inside = path
            .components()
            .all(|part| matches!(part, std::path::Component::Normal(_)));
        ensure!(
            inside,
            "{}: line {number}: the path {} leads out of the directory; write it from {} on",
            labels.display(),
            path.display(),
            folder.display()
        );
        rows.push((path, classes));
    }
    let all: BTreeSet<&str> = rows.iter().flat_map(|(_, c)| c.iter().copied()).collect();
    ensure!(
        all.len() <= usize::from(u16::MAX),
        "{}: {} classes, more than {}",
        labels.display(),
        all.len(),
        u16::MAX
    );
    let class_names: Vec<&str> = all.into_iter().collect();
    let label = |class: &str| class_names.binary_search(&class).map(|at| at as u16);
    let entries = rows.iter().map(|(path, classes)| Entry {
        path: folder.join(path),
        labels: classes
            .iter()
            .filter_map(|class| label(class).ok())
            .collect(),
    });
    Ok(Listing {
        entries: entries.collect(),
        class_names: class_names.iter().map(|&name| name.to_owned()).collect(),
    })
}
