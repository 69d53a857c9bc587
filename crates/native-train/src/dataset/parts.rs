//! The parts of a directory of pictures: which folders are the training and the test part.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::Split;
use super::folder_entries::{Entries, entries};
use super::passed::{Passed, Reason};

/// Names of the training part, in lower case.
const TRAIN: [&str; 2] = ["train", "training"];
/// Names of test parts; the first one that is there is used.
const TEST: [&str; 8] = [
    "test",
    "testing",
    "eval",
    "evaluation",
    "valid",
    "validation",
    "val",
    "dev",
];
/// Most folders around the parts, as archives unpack.
const MOST_AROUND: usize = 4;

/// Where the parts of a directory are.
#[derive(Debug)]
pub struct Layout {
    /// The directory.
    directory: PathBuf,
    /// The folder in which the parts are: the directory, or one inside it.
    root: PathBuf,
    train: Option<PathBuf>,
    test: Option<PathBuf>,
    /// Test parts of pictures without class folders.
    unlabelled: Vec<PathBuf>,
    /// What is next to the parts.
    pub passed: Passed,
}

impl Layout {
    /// Finds the parts; a directory of class folders is its own training part.
    ///
    /// # Errors
    /// If it cannot be read, or has a part twice.
    pub fn find(directory: &Path) -> Result<Self> {
        let mut root = directory.to_owned();
        let mut around = Passed::default();
        for _ in 0..=MOST_AROUND {
            let here = entries(&root)?;
            if has_parts(&here)? {
                let mut layout = Self::of(directory, root, here)?;
                layout.passed.absorb(around);
                return Ok(layout);
            }
            match &here.folders[..] {
                [only] if here.pictures.is_empty() => root.clone_from(only),
                _ => break,
            }
            around.absorb(here.passed);
        }
        Ok(Self {
            directory: directory.to_owned(),
            root: directory.to_owned(),
            train: Some(directory.to_owned()),
            test: None,
            unlabelled: Vec::new(),
            passed: Passed::default(),
        })
    }

    fn of(directory: &Path, root: PathBuf, here: Entries) -> Result<Self> {
        let mut passed = here.passed;
        for name in here.pictures {
            passed.add(Reason::BesideParts, root.join(name));
        }
        let mut named: Vec<(usize, PathBuf)> = Vec::new();
        for folder in here.folders {
            match rank(&folder) {
                Some(rank) => named.push((rank, folder)),
                None => passed.add(Reason::Folder, folder),
            }
        }
        named.sort();
        for pair in named.windows(2) {
            let [(first, one), (second, other)] = pair else {
                continue;
            };
            if first == second || [first, second].iter().all(|&&rank| rank < TRAIN.len()) {
                bail!(
                    "{} and {} are the same part; merge them, or rename one",
                    one.display(),
                    other.display()
                );
            }
        }
        let (train, tests): (Vec<_>, Vec<_>) =
            named.into_iter().partition(|(rank, _)| *rank < TRAIN.len());
        let (mut test, mut unlabelled) = (None, Vec::new());
        for (_, folder) in tests {
            match content(&folder)? {
                Content::Nothing => passed.add(Reason::Folder, folder),
                Content::Pictures => unlabelled.push(folder),
                Content::Classes if test.is_none() => test = Some(folder),
                Content::Classes => passed.add(Reason::OtherPart, folder),
            }
        }
        Ok(Self {
            directory: directory.to_owned(),
            root,
            train: train.into_iter().next().map(|(_, folder)| folder),
            test,
            unlabelled,
            passed,
        })
    }

    /// The directory of the classes of a part; `None` if there is none.
    pub fn get(&self, split: Split) -> Option<&Path> {
        match split {
            Split::Train => self.train.as_deref(),
            Split::Test => self.test.as_deref(),
        }
    }

    /// The directory of the classes of a part.
    ///
    /// # Errors
    /// If there is none.
    pub fn part(&self, split: Split) -> Result<&Path> {
        let (what, name) = match split {
            Split::Train => ("training", TRAIN[0]),
            Split::Test => ("test", TEST[0]),
        };
        if let Some(part) = self.get(split) {
            return Ok(part);
        }
        let unlabelled = match &self.unlabelled[..] {
            [first, ..] if split == Split::Test => {
                format!("; {} has pictures, but no class folders", first.display())
            }
            _ => String::new(),
        };
        bail!(
            "{}: there is no {what} part{unlabelled}; put its class folders into a folder {name:?} next to {:?}",
            self.root.display(),
            if split == Split::Train {
                TEST[0]
            } else {
                TRAIN[0]
            },
        )
    }

    /// What a user may not expect, in words.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        let inner = |path: &Path| {
            let inner = path.strip_prefix(&self.directory).unwrap_or(path);
            inner.display().to_string()
        };
        if self.root != self.directory {
            remarks.push(format!("the parts are in {}", inner(&self.root)));
        }
        if let Some(test) = self.test.as_deref().filter(|test| !test.ends_with(TEST[0])) {
            remarks.push(format!("the test part is {}", inner(test)));
        }
        remarks
    }

    /// Test parts that cannot be used, in words.
    pub fn warnings(&self) -> Vec<String> {
        let warning = |part: &PathBuf| {
            let inner = part.strip_prefix(&self.directory).unwrap_or(part);
            format!(
                "{} is not used: it has pictures, but no class folders",
                inner.display()
            )
        };
        self.unlabelled.iter().map(warning).collect()
    }

    /// All that a user may not expect, with what is passed over, in one line; `None` if there is nothing.
    pub fn line(&self, passed: &Passed) -> Option<String> {
        let said = self.remarks().into_iter().chain(self.warnings());
        let said: Vec<String> = said.chain(passed.line(&self.directory)).collect();
        (!said.is_empty()).then(|| format!("{}: {}", self.directory.display(), said.join("; ")))
    }
}

/// Whether all folders with pictures have the names of parts.
fn has_parts(here: &Entries) -> Result<bool> {
    let (parts, others): (Vec<_>, Vec<_>) = here.folders.iter().partition(|f| rank(f).is_some());
    if parts.is_empty() {
        return Ok(false);
    }
    for folder in others {
        let below = entries(folder)?;
        if !below.pictures.is_empty() {
            return Ok(false);
        }
        for deeper in &below.folders {
            if !entries(deeper)?.pictures.is_empty() {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// The place of a folder's name among those of parts, training first.
fn rank(folder: &Path) -> Option<usize> {
    let name = folder.file_name()?.to_str()?;
    let mut names = TRAIN.iter().chain(&TEST);
    names.position(|known| name.eq_ignore_ascii_case(known))
}

/// Whether a folder is a part by its name.
pub fn is_part(folder: &Path) -> bool {
    rank(folder).is_some()
}

/// What a test part holds.
enum Content {
    Nothing,
    /// Pictures without class folders: directly, or in one folder `images`, as in Tiny-ImageNet.
    Pictures,
    Classes,
}

fn content(part: &Path) -> Result<Content> {
    let here = entries(part)?;
    Ok(match (&here.folders[..], here.pictures.is_empty()) {
        ([], true) => Content::Nothing,
        ([], false) => Content::Pictures,
        ([only], true) if only.ends_with("images") => Content::Pictures,
        _ => Content::Classes,
    })
}
