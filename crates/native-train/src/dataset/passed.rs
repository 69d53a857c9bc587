//! What the listing of a directory passes over: counted by the reason, each with an example.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Why something is not used; what may be missed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A picture of a kind that is not read.
    OtherKind,
    /// A picture in a folder below a class folder.
    Deeper,
    /// A picture next to the parts.
    BesideParts,
    /// A picture that the list of labels does not name.
    Unlisted,
    /// A test part besides the one that is used.
    OtherPart,
    /// A file without content.
    Empty,
    /// A file that is no picture.
    OtherFile,
    /// A folder without pictures.
    Folder,
    /// A hidden file or folder, or one that a system leaves.
    Hidden,
}

impl Reason {
    /// Whether it is a picture that the user may have meant to use.
    pub fn is_picture(self) -> bool {
        self <= Self::Unlisted
    }

    fn words(self) -> [&'static str; 2] {
        match self {
            Self::OtherKind => [
                "picture of a kind that is not read",
                "pictures of kinds that are not read",
            ],
            Self::Deeper => [
                "picture in a folder below a class folder",
                "pictures in folders below class folders",
            ],
            Self::BesideParts => ["picture next to the parts", "pictures next to the parts"],
            Self::Unlisted => ["picture that is not listed", "pictures that are not listed"],
            Self::OtherPart => ["other test part", "other test parts"],
            Self::Empty => ["empty file", "empty files"],
            Self::OtherFile => ["file that is no picture", "files that are no pictures"],
            Self::Folder => ["folder without pictures", "folders without pictures"],
            Self::Hidden => ["hidden file", "hidden files"],
        }
    }

    /// What to do about it.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::OtherKind => "convert them to PNG, JPEG or WebP",
            Self::Deeper => "move them into the class folder itself, if they belong to the class",
            Self::BesideParts => "move them into a class folder of a part, or delete them",
            Self::Unlisted => "add them to the list, if they belong to the set",
            Self::OtherPart => "merge it into the part that is used, if it should count",
            Self::Empty | Self::OtherFile | Self::Folder | Self::Hidden => {
                "nothing needs doing, if they are no pictures of the set"
            }
        }
    }
}

/// Counts by reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Passed(BTreeMap<Reason, Such>);

/// Those of a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Such {
    count: usize,
    /// The first by its path.
    example: PathBuf,
    kinds: BTreeSet<&'static str>,
}

impl Passed {
    /// Counts one.
    pub fn add(&mut self, reason: Reason, path: PathBuf) {
        self.absorb(Self(BTreeMap::from([(
            reason,
            Such {
                count: 1,
                example: path,
                kinds: BTreeSet::new(),
            },
        )])));
    }

    /// Counts a picture of a kind that is not read.
    pub fn add_kind(&mut self, kind: &'static str, path: PathBuf) {
        self.add(Reason::OtherKind, path);
        if let Some(some) = self.0.get_mut(&Reason::OtherKind) {
            some.kinds.insert(kind);
        }
    }

    /// Counts all of another listing.
    pub fn absorb(&mut self, other: Self) {
        for (reason, more) in other.0 {
            match self.0.get_mut(&reason) {
                None => {
                    self.0.insert(reason, more);
                }
                Some(some) => {
                    some.count += more.count;
                    if more.example < some.example {
                        some.example = more.example;
                    }
                    some.kinds.extend(more.kinds);
                }
            }
        }
    }

    /// Each reason, and how many of which, in words; examples are named from `directory` on.
    pub fn words(&self, directory: &Path) -> Vec<(Reason, String)> {
        let one = |(reason, some): (&Reason, &Such)| {
            let Such {
                count,
                example,
                kinds,
            } = some;
            let what = reason.words()[usize::from(*count > 1)];
            let kinds: Vec<&str> = kinds.iter().copied().collect();
            let kinds = match kinds[..] {
                [] => String::new(),
                _ => format!("{}; ", kinds.join(", ")),
            };
            let example = example.strip_prefix(directory).unwrap_or(example);
            let before = if *count > 1 { "e.g. " } else { "" };
            let words = format!("{count} {what} ({kinds}{before}{})", example.display());
            (*reason, words)
        };
        self.0.iter().map(one).collect()
    }

    /// All in one line; `None` if nothing was passed over.
    pub fn line(&self, directory: &Path) -> Option<String> {
        let all: Vec<String> = self.words(directory).into_iter().map(|(_, w)| w).collect();
        (!all.is_empty()).then(|| format!("passed over: {}", all.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_an_example_and_a_number() {
        let directory = Path::new("data");
        let mut passed = Passed::default();
        assert_eq!(passed.line(directory), None);
        passed.add(Reason::Hidden, "data/.x".into());
        passed.add_kind("GIF", "data/b/2.gif".into());
        let mut more = Passed::default();
        more.add_kind("BMP", "data/a/1.bmp".into());
        passed.absorb(more);
        assert_eq!(
            passed.line(directory).as_deref(),
            Some(
                "passed over: 2 pictures of kinds that are not read (BMP, GIF; e.g. a/1.bmp), 1 hidden file (.x)"
            )
        );
    }
}
