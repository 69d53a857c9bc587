//! Picture files that cannot be read: named in an error, or in a warning where they may be skipped.

use anyhow::{Error, Result, bail, ensure};

use super::check::listed;
use super::class_folders::Class;

/// Files that cannot be read: the place of their class, that in the class, and why.
pub type Broken = Vec<(usize, usize, Error)>;

/// What becomes of the files that may be skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The data set is without them.
    LeftOut,
    /// Another picture of the class is shown in their place.
    Replaced,
}

impl Fate {
    fn words(self) -> &'static str {
        match self {
            Self::LeftOut => "and are left out",
            Self::Replaced => "and the next ones of their classes stand in for them",
        }
    }
}

/// Names the first files of `broken` to the user.
///
/// # Errors
/// If there are any and they may not be skipped, or nothing is left of a class.
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
    eprintln!("{count} {}: {all}", fate.words());
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
