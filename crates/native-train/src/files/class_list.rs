//! `--class-names`: a file of names, or the name of a data set whose names are known.

use std::path::Path;

use anyhow::Result;
use biggan::class_names::{ClassList, KnownClasses};
use biggan::file::ModelInfo;

use crate::error::bad_usage;
use crate::input_file;

/// Names for so many classes.
///
/// # Errors
/// If the file cannot be read, is no list of names, or of another number of classes.
pub fn read(path: &Path, classes: usize) -> Result<ClassList> {
    let named = || format!("class names {}", path.display());
    let known = path.to_str().and_then(KnownClasses::called);
    // a file of that name comes first
    if let Some(known) = known.filter(|_| !path.exists()) {
        return match known.count() {
            count if count == classes => Ok(known.list()),
            count => Err(bad_usage(format!(
                "class names {}: {} has {count} classes, expected {classes}, the model's",
                path.display(),
                known.title()
            ))),
        };
    }
    let bytes = input_file::read("class names", path)?;
    ClassList::read(&bytes, classes).map_err(|error| bad_usage(error.within(named()).to_string()))
}

/// Gives a model's classes the names of a list; says so where that takes its ids away.
pub fn rename(info: &mut ModelInfo, list: ClassList) {
    if list.ids.is_empty() && !info.class_ids.is_empty() {
        note!(
            "note: the ids of its classes ({}, ..) go, since the new names have none; a list with lines such as \
             \"n01440764 tench\" has them",
            info.class_ids[0]
        );
    }
    info.class_names = list.names;
    info.class_ids = list.ids;
}
