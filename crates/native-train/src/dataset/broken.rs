//! Picture files that cannot be read: named in an error, or in a warning if they may be skipped.

use anyhow::{Error, Result, bail, ensure};

use super::check::listed;
use super::class_folders::Class;

/// Files that cannot be read: the index of their class, the index in the class, and why.
pub type Broken = Vec<(usize, usize, Error)>;

/// What becomes of files that may be skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// They are left out of the data set.
    LeftOut,
    /// Another picture of the class replaces them.
    Replaced,
}

impl Fate {
    fn words(self) -> &'static str {
        match self {
            Self::LeftOut => "and are left out",
            Self::Replaced => "and are replaced by the next pictures of their classes",
        }
    }
}

/// Names the first files of `broken` to the user.
///
/// # Errors
/// If there are any and they may not be skipped, or no picture of a class is left.
pub fn report(classes: &[Class], broken: &Broken, skip: bool, fate: Fate) -> Result<()> {
    if broken.is_empty() {
        return Ok(());
    }
    let named = |(class, file, error): &(usize, usize, Error)| {
        format!("{}: {error:#}", classes[*class].path(*file).display())
    };
    let all = listed(&broken.iter().map(named).collect::<Vec<_>>());
    let files: usize = classes.iter().map(|class| class.files.len()).sum();
    let count = format!("{} of {files} pictures cannot be read", broken.len());
    ensure!(
        skip,
        "{count}: {all}; repair or delete them, or set data.skip_broken = true"
    );
    note!("{count} {}: {all}", fate.words());
    for (place, class) in classes.iter().enumerate() {
        let lost = broken.iter().filter(|(of, ..)| *of == place).count();
        if lost == class.files.len() {
            bail!(
                "class folder {}: none of its pictures can be read",
                class.folder.display()
            );
        }
    }
    Ok(())
}
