//! Files that a user names: read whole, or refused with what is there instead and what was probably meant.

use std::fs::File;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use biggan::file::FirstBytes;
use biggan::text;

/// Most entries of a directory that are compared with a name.
const ENTRIES: usize = 2000;
/// Most directories beside a name in which it is sought.
const DIRECTORIES: usize = 50;

/// Reads a file; `what` is its part, such as "model".
///
/// # Errors
/// If it is missing, a directory, or may not be read. The message names it and the remedy.
pub fn read(what: &str, path: &Path) -> Result<Vec<u8>> {
    if path.is_dir() {
        return Err(anyhow!(
            "{what} {}: it is a directory; give a file{}",
            path.display(),
            inside(path)
        ));
    }
    std::fs::read(path).map_err(|error| refused(what, path, &error))
}

/// As [`read`], for text, in UTF-8 or with the mark of UTF-16.
///
/// # Errors
/// As [`read`], or if it is not text.
pub fn read_text(what: &str, path: &Path) -> Result<String> {
    let bytes = read(what, path)?;
    let is_wide = matches!(bytes[..], [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
    let other = FirstBytes::of(&bytes).filter(|_| !bytes.is_empty() && !is_wide);
    if let Some(other) = other {
        return Err(anyhow!(
            "{what} {}: it is {}, expected text; {}",
            path.display(),
            other.what,
            other.remedy
        ));
    }
    text::decode(&bytes).ok_or_else(|| {
        let at = match str::from_utf8(&bytes) {
            Err(error) if !is_wide => {
                let before = &bytes[..error.valid_up_to()];
                let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
                format!("line {line}, byte {} is", before.len())
            }
            _ => "it is".to_owned(),
        };
        anyhow!(
            "{what} {}: {at} not UTF-8, expected text; save it as UTF-8",
            path.display()
        )
    })
}

/// Opens a file that is read in pieces.
///
/// # Errors
/// As [`read`].
pub fn open(what: &str, path: &Path) -> Result<File> {
    File::open(path).map_err(|error| refused(what, path, &error))
}

/// `; it is ...`, what a file's first bytes are of, with the remedy; nothing if they do not say.
pub fn told(first_bytes: &[u8]) -> String {
    match FirstBytes::of(first_bytes) {
        Some(other) => format!("; it is {}: {}", other.what, other.remedy),
        None => String::new(),
    }
}

/// Why a file could not be opened, with a remedy.
pub fn refused(what: &str, path: &Path, error: &Error) -> anyhow::Error {
    let remedy = match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => suggestion(path),
        ErrorKind::PermissionDenied => "; let this user read it (chmod)".to_owned(),
        _ => String::new(),
    };
    anyhow!("{what} {}: {error}{remedy}", path.display())
}

/// `; did you mean ...?` with the path that is there and most like a missing one; nothing if none is.
pub fn suggestion(missing: &Path) -> String {
    match nearest(missing) {
        Some(path) if !missing.exists() => format!("; did you mean {}?", path.display()),
        _ => String::new(),
    }
}

/// `, such as ...` with the first file of a model or recipe in a directory.
fn inside(directory: &Path) -> String {
    let known = |path: &PathBuf| {
        let ending = path.extension().and_then(|ending| ending.to_str());
        ending.is_some_and(|ending| ["safetensors", "toml", "npz", "pth", "bin"].contains(&ending))
    };
    match entries(directory).into_iter().find(known) {
        Some(file) => format!(", such as {}", file.display()),
        None => String::new(),
    }
}

/// The path that is there and most like a missing one: its first missing part is replaced, or it is found in a
/// directory beside it.
fn nearest(missing: &Path) -> Option<PathBuf> {
    let here = |path: &Path| match path.as_os_str().is_empty() {
        true => PathBuf::from("."),
        false => path.to_owned(),
    };
    let parent = missing.parent()?;
    let name = missing.file_name()?.to_str()?;
    let parent = match here(parent).is_dir() {
        true => parent.to_owned(),
        false => {
            // the directory may be misspelt, or not wanted
            let corrected = nearest(parent).filter(|path| path.is_dir());
            return corrected
                .and_then(|directory| {
                    let exact = directory.join(name);
                    match exact.exists() {
                        true => Some(exact),
                        false => nearest(&exact),
                    }
                })
                .or_else(|| {
                    let bare = parent
                        .ancestors()
                        .find(|path| here(path).is_dir())?
                        .join(name);
                    (bare.exists()).then_some(bare)
                });
        }
    };
    let beside = entries(&parent);
    let below = beside.iter().filter(|path| path.is_dir()).take(DIRECTORIES);
    let below: Vec<PathBuf> = below.flat_map(|directory| entries(directory)).collect();
    // beside it before elsewhere, and the first of equals
    let alike = |paths: Vec<PathBuf>| {
        let scored = paths.into_iter().filter_map(|path| {
            let distance = distance(name, path.file_name()?.to_str()?)?;
            Some((distance, path))
        });
        scored.min_by_key(|(distance, _)| *distance)
    };
    match (alike(beside), alike(below)) {
        (Some((near, _)), Some((0, path))) if near > 0 => Some(path),
        (Some((_, path)), _) | (None, Some((_, path))) => Some(path),
        (None, None) => None,
    }
}

/// Letters by which two names differ, without regard to case; `None` if that is too many for a slip. Names of one stem
/// differ by 1.
fn distance(name: &str, other: &str) -> Option<usize> {
    let [name, other] = [name, other].map(str::to_lowercase);
    let stem = |name: &str| Path::new(name).file_stem().map(ToOwned::to_owned);
    if name != other && name.len() > 2 && stem(&name) == stem(&other) {
        return Some(1);
    }
    let distance = strsim::damerau_levenshtein(&name, &other);
    (distance <= name.chars().count() / 4 + 1 && distance < name.chars().count())
        .then_some(distance)
}

/// Paths in a directory, without hidden ones, sorted.
fn entries(directory: &Path) -> Vec<PathBuf> {
    let read = match directory.as_os_str().is_empty() {
        true => std::fs::read_dir("."),
        false => std::fs::read_dir(directory),
    };
    let Ok(read) = read else { return Vec::new() };
    let mut paths: Vec<PathBuf> = read
        .take(ENTRIES)
        .filter_map(|entry| {
            let name = entry.ok()?.file_name();
            let hidden = name.to_str().is_none_or(|name| name.starts_with('.'));
            (!hidden).then(|| directory.join(name))
        })
        .collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        for name in ["models/fashion32.safetensors", "recipe.toml", "runs/a/x"] {
            std::fs::create_dir_all(at(name).parent().unwrap()).unwrap();
            std::fs::write(at(name), "").unwrap();
        }
        for (missing, meant) in [
            (
                "models/fashion23.safetensors",
                "models/fashion32.safetensors",
            ),
            (
                "models/Fashion32.safetensors",
                "models/fashion32.safetensors",
            ),
            ("models/fashion32.pth", "models/fashion32.safetensors"),
            ("fashion32.safetensors", "models/fashion32.safetensors"),
            (
                "model/fashion32.safetensors",
                "models/fashion32.safetensors",
            ),
            ("model/fashon32.safetensors", "models/fashion32.safetensors"),
            ("recipe.tml", "recipe.toml"),
            ("configs/recipe.toml", "recipe.toml"),
        ] {
            // a file system may not tell cases apart
            if !at(missing).exists() {
                assert_eq!(nearest(&at(missing)), Some(at(meant)), "{missing}");
            }
        }
        assert_eq!(nearest(&at("something-else.bin")), None);
        assert_eq!(nearest(&at("x.y")), None);
    }

    #[test]
    fn directories_and_files_of_other_kinds_are_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.toml");
        let words = read("model", directory.path()).unwrap_err().to_string();
        assert!(words.contains("is a directory"), "{words}");
        std::fs::write(&path, "version https://git-lfs.github.com/spec/v1\n").unwrap();
        let words = read_text("recipe", &path).unwrap_err().to_string();
        assert!(
            words.contains("Git LFS") && words.contains("git lfs pull"),
            "{words}"
        );
        std::fs::write(&path, [b'a', 0xe9]).unwrap();
        let words = read_text("recipe", &path).unwrap_err().to_string();
        assert!(words.contains("line 1, byte 1 is not UTF-8"), "{words}");
        std::fs::write(&path, "\u{feff}a = 1").unwrap();
        assert_eq!(read_text("recipe", &path).unwrap(), "a = 1");
    }
}
