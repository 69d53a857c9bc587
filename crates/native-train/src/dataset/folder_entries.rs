//! What is directly in a directory: folders, pictures, and what is passed over. A picture is told by the ending
//! of its name or, without a known one, by its first bytes.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::passed::{Passed, Reason};
use super::picture;

/// Files and folders that systems leave, in lower case.
const OF_SYSTEMS: [&str; 8] = [
    "__macosx",
    "@eadir",
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    "$recycle.bin",
    "system volume information",
    "lost+found",
];
/// First characters of names that are hidden, and of the lock files of office programs.
const HIDDEN: [&[u8]; 2] = [b".", b"~$"];

/// What is in a directory.
#[derive(Debug, Default)]
pub struct Entries {
    /// Its folders, sorted.
    pub folders: Vec<PathBuf>,
    /// Names of its pictures, sorted; broken ones too, which are reported when they are read.
    pub pictures: Vec<OsString>,
    /// The rest.
    pub passed: Passed,
}

/// Reads a directory, without the folders below, so that no loop of links is followed.
///
/// # Errors
/// If it cannot be read.
pub fn entries(directory: &Path) -> Result<Entries> {
    let named = || format!("data directory {}", directory.display());
    let mut all = Entries::default();
    for entry in std::fs::read_dir(directory).with_context(named)? {
        let entry = entry.with_context(named)?;
        let (name, path) = (entry.file_name(), entry.path());
        if is_hidden(&name) {
            all.passed.add(Reason::Hidden, path);
            continue;
        }
        // the listing includes the file type; only links need another call
        let is_folder = match entry.file_type() {
            Ok(kind) if !kind.is_symlink() => kind.is_dir(),
            _ => path.is_dir(),
        };
        if is_folder {
            all.folders.push(path);
        } else if has_picture_ending(&name) {
            all.pictures.push(name);
        } else {
            match look(&path) {
                Look::Picture => all.pictures.push(name),
                Look::OtherKind(kind) => all.passed.add_kind(kind, path),
                Look::Empty => all.passed.add(Reason::Empty, path),
                Look::Other => all.passed.add(Reason::OtherFile, path),
            }
        }
    }
    all.folders.sort();
    all.pictures.sort();
    Ok(all)
}

fn is_hidden(name: &OsStr) -> bool {
    let bytes = name.as_encoded_bytes();
    HIDDEN.iter().any(|start| bytes.starts_with(start))
        || OF_SYSTEMS
            .iter()
            .any(|known| bytes.eq_ignore_ascii_case(known.as_bytes()))
}

fn has_picture_ending(name: &OsStr) -> bool {
    let ending = Path::new(name).extension().and_then(OsStr::to_str);
    ending.is_some_and(|e| {
        picture::EXTENSIONS
            .iter()
            .any(|known| e.eq_ignore_ascii_case(known))
    })
}

/// What the first bytes of a file say.
enum Look {
    Picture,
    OtherKind(&'static str),
    Empty,
    Other,
}

fn look(path: &Path) -> Look {
    // opening a pipe would wait for its writer
    if !std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        return Look::Other;
    }
    let mut start = Vec::with_capacity(picture::KIND_BYTES as usize);
    let read = std::fs::File::open(path)
        .and_then(|file| file.take(picture::KIND_BYTES).read_to_end(&mut start));
    match (read, picture::kind(&start), picture::other_picture(&start)) {
        (Err(_), ..) => Look::Other,
        (Ok(0), ..) => Look::Empty,
        (Ok(_), Some(_), _) => Look::Picture,
        (Ok(_), None, Some(kind)) => Look::OtherKind(kind),
        (Ok(_), None, None) => Look::Other,
    }
}

/// Counts what is in folders as passed over, with all folders below; links to folders are not followed.
///
/// # Errors
/// If a folder cannot be read.
pub fn pass_over(folders: Vec<PathBuf>, reason: Reason, passed: &mut Passed) -> Result<()> {
    for folder in folders {
        if folder.is_symlink() {
            passed.add(Reason::Folder, folder);
            continue;
        }
        let below = entries(&folder)?;
        let is_bare = below.folders.is_empty() && below.pictures.is_empty();
        passed.absorb(below.passed);
        for name in below.pictures {
            passed.add(reason, folder.join(name));
        }
        pass_over(below.folders, reason, passed)?;
        if is_bare {
            passed.add(Reason::Folder, folder);
        }
    }
    Ok(())
}
