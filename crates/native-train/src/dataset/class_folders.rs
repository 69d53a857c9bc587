//! Class folders and the pictures in them: how [`image_folder`](super::image_folder), which has the tests,
//! lists a directory.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::{Split, picture};
use crate::error::bad_usage;

/// A class and the pictures in its folder.
#[derive(Debug)]
pub struct Class {
    /// Its name, which is that of its folder.
    pub name: String,
    /// Where its pictures are.
    pub folder: PathBuf,
    /// Names of its pictures, sorted.
    pub files: Vec<OsString>,
}

impl Class {
    /// Path of its picture with index `file`.
    pub fn path(&self, file: usize) -> PathBuf {
        self.folder.join(&self.files[file])
    }
}

/// The directory of the classes of a part.
///
/// # Errors
/// If the directory cannot be read or has no such part.
pub fn part(directory: &Path, split: Split) -> Result<PathBuf> {
    let folders = entries(directory)?.0;
    let is_part = |folder: &PathBuf| ["train", "val", "test"].iter().any(|p| folder.ends_with(p));
    let has_parts = !folders.is_empty() && folders.iter().all(is_part);
    let names: &[&str] = match (split, has_parts) {
        (Split::Train, false) => return Ok(directory.to_owned()),
        (Split::Train, true) => &["train"],
        (Split::Test, _) => &["test", "val"],
    };
    let found = names
        .iter()
        .map(|name| directory.join(name))
        .find(|path| has_parts && path.is_dir());
    found.with_context(|| {
        format!(
            "{}: there is no {} part; put its class folders into a folder {:?} next to \"train\"",
            directory.display(),
            if split == Split::Train {
                "training"
            } else {
                "test"
            },
            names[0]
        )
    })
}

/// Folders and picture names directly in a directory, sorted, without hidden and other files.
/// It does not recurse, so that no symlink loop is followed.
fn entries(directory: &Path) -> Result<(Vec<PathBuf>, Vec<OsString>)> {
    let named = || format!("data directory {}", directory.display());
    let (mut folders, mut files) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(directory).with_context(named)? {
        let entry = entry.with_context(named)?;
        let name = entry.file_name();
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let is_picture = Path::new(&name)
            .extension()
            .and_then(|extension| extension.to_str())
            .is_some_and(|e| {
                picture::EXTENSIONS
                    .iter()
                    .any(|known| e.eq_ignore_ascii_case(known))
            });
        // the listing includes the file type; only links need another call
        let is_folder = match entry.file_type() {
            Ok(kind) if !kind.is_symlink() => kind.is_dir(),
            _ => entry.path().is_dir(),
        };
        if is_folder {
            folders.push(entry.path());
        } else if is_picture {
            files.push(name); // a broken link too: it is reported when it is read
        }
    }
    folders.sort();
    files.sort();
    Ok((folders, files))
}

/// The classes of a part; the error about an unusual layout says what it looks like.
///
/// # Errors
/// If a picture is not in a class folder, or a class folder has no picture.
pub fn list(directory: &Path) -> Result<Vec<Class>> {
    let (folders, loose) = entries(directory)?;
    if let Some(file) = loose.first() {
        bail!(
            "{} and {} more are not in a class folder; put every picture into the folder of its class",
            directory.join(file).display(),
            loose.len() - 1
        );
    }
    ensure!(
        folders.len() <= usize::from(u16::MAX),
        "{}: {} class folders, more than {}",
        directory.display(),
        folders.len(),
        u16::MAX
    );
    let mut classes = Vec::with_capacity(folders.len());
    for folder in folders {
        let (below, mut files) = entries(&folder)?;
        let mut pictures = folder.clone();
        if let [only] = &below[..]
            && files.is_empty()
            && only.ends_with("images")
        {
            files = entries(only)?.1; // as Tiny-ImageNet is packed
            pictures.clone_from(only);
        }
        if files.is_empty() {
            let deeper = below
                .iter()
                .find(|path| entries(path).is_ok_and(|(_, files)| !files.is_empty()));
            match deeper {
                Some(path) => bail!(
                    "class folder {} has no pictures, but {} has: they are one folder too deep; set \
                     data.path to the directory of the class folders",
                    folder.display(),
                    path.display()
                ),
                None => bail!(
                    "class folder {} has no picture (.{}); fill or remove it",
                    folder.display(),
                    picture::EXTENSIONS.join(", .")
                ),
            }
        }
        let name = folder.file_name().and_then(|name| name.to_str());
        let name = name.with_context(|| format!("{}: its name is not UTF-8", folder.display()))?;
        classes.push(Class {
            name: name.to_owned(),
            folder: pictures,
            files,
        });
    }
    Ok(classes)
}

/// Refuses another number of classes before hours go into decoding.
///
/// # Errors
/// If there are more or fewer than expected.
pub fn check_count(classes: &[Class], directory: &Path, expected: usize) -> Result<()> {
    if classes.len() == expected {
        return Ok(());
    }
    let found = match classes {
        [] => "no class folder".to_owned(),
        [only] => format!("one class folder only, {:?}", only.name),
        [first, .., last] => format!(
            "{} class folders, {:?} to {:?}",
            classes.len(),
            first.name,
            last.name
        ),
    };
    Err(bad_usage(format!(
        "{}: {found}, but train.generator.classes is {expected}; they must agree",
        directory.display()
    )))
}
