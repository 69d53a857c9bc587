//! Class folders and the pictures in them: how [`image_folder`](super::image_folder), which has the tests,
//! lists a part. Classes are in the order of the bytes of their names.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::folder_entries::{Entries, entries, pass_over};
use super::parts::is_part;
use super::passed::{Passed, Reason};
use super::picture;

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

/// The classes of a part, and what is passed over; the error about an unusual layout says what it looks like.
///
/// # Errors
/// If a picture is not in a class folder, or a class folder has no picture.
pub fn list(directory: &Path) -> Result<(Vec<Class>, Passed)> {
    let Entries {
        folders,
        pictures: loose,
        mut passed,
    } = entries(directory)?;
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
        let mut here = entries(&folder)?;
        let mut pictures = folder.clone();
        if let [only] = &here.folders[..]
            && here.pictures.is_empty()
            && only.ends_with("images")
        {
            pictures.clone_from(only); // as Tiny-ImageNet is packed
            let inner = entries(only)?;
            here.passed.absorb(inner.passed);
            (here.folders, here.pictures) = (inner.folders, inner.pictures);
        }
        if here.pictures.is_empty() {
            return Err(without_pictures(&folder, &here));
        }
        passed.absorb(here.passed);
        pass_over(here.folders, Reason::Deeper, &mut passed)?;
        let name = folder.file_name().and_then(|name| name.to_str());
        let name = name.with_context(|| format!("{}: its name is not UTF-8", folder.display()))?;
        classes.push(Class {
            name: name.to_owned(),
            folder: pictures,
            files: here.pictures,
        });
    }
    Ok((classes, passed))
}

/// Says why a class folder has no pictures.
fn without_pictures(folder: &Path, here: &Entries) -> anyhow::Error {
    let deeper = here
        .folders
        .iter()
        .find(|path| entries(path).is_ok_and(|below| !below.pictures.is_empty()));
    let (folder_name, folder) = (folder, folder.display());
    match deeper {
        Some(path) if is_part(path) => anyhow::anyhow!(
            "class folder {folder} has no pictures, but its part {} has: put the classes into the parts, {}",
            path.display(),
            "DIR/train/<class> and DIR/test/<class>"
        ),
        Some(path) if is_part(folder_name) => anyhow::anyhow!(
            "{folder} is named like a part, but other folders next to it have pictures too; {} has pictures \
             that are one folder too deep for a class: move the other folders away, or set data.path to {folder}",
            path.display()
        ),
        Some(path) => anyhow::anyhow!(
            "class folder {folder} has no pictures, but {} has: they are one folder too deep; set \
             data.path to the directory of the class folders",
            path.display()
        ),
        None => {
            let passed = here.passed.line(folder_name);
            let passed = passed.map_or(String::new(), |line| format!("; {line}"));
            anyhow::anyhow!(
                "class folder {folder} has no picture (.{}){passed}; fill or remove it",
                picture::EXTENSIONS.join(", .")
            )
        }
    }
}
