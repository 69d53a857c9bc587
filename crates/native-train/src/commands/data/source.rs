//! Pictures of a directory, part by part, for `pack` and `check`.

use std::path::PathBuf;

use crate::dataset::Split;
use crate::dataset::class_folders::Class;

/// A part of a data set and its name.
pub const PARTS: [(Split, &str); 2] = [(Split::Train, "train"), (Split::Test, "test")];

/// A picture file with its classes.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its path.
    pub path: PathBuf,
    /// Its classes, at least one.
    pub labels: Vec<u16>,
}

/// Picture files and the names of their classes.
#[derive(Debug)]
pub struct Listing {
    /// In the order of classes and names, or of a list.
    pub entries: Vec<Entry>,
    /// By label.
    pub class_names: Vec<String>,
}

impl Listing {
    /// The pictures of class folders.
    pub fn of(classes: Vec<Class>) -> Self {
        let mut listing = Self {
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
        listing
    }
}
