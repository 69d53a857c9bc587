//! Draws a set into a directory: `train/<class>/00000.png`, `test/<class>/00000.png` and the licence, all or nothing.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::AvatarSet;
use super::distinct::{Part, Picture};
use super::drawing::Artist;
use super::licence;
use super::styles::Style;
use super::workspace::Workspace;
use crate::error::{Outcome, bad_usage};
use crate::run::atomic_file::{self, PARTIAL};
use crate::terminal::Counter;

/// The parts and how many pictures each has of a class, in the order in which they are drawn: a test part stays what it
/// is, however many training pictures there are.
const PARTS: [(&str, Count); 2] = [
    ("test", |set| set.test_per_class),
    ("train", |set| set.per_class),
];
/// Pixels of the pictures that are drawn together: bounds the memory, not the result.
const PIXELS_AT_ONCE: usize = 1 << 22;
/// Most pictures that are drawn together: what an interrupt waits for.
const MOST_AT_ONCE: usize = 256;

/// A number of pictures.
type Count = fn(&AvatarSet) -> usize;

/// Whether a whole set is there; the licence comes last.
pub fn is_complete(directory: &Path) -> bool {
    directory.join("train").is_dir() && directory.join(licence::FILE).is_file()
}

/// Draws a set into a directory, which must be empty or have this very set; `stop` is asked between pictures, and leaves
/// nothing.
///
/// # Errors
/// If the set cannot be drawn, the directory holds anything else, or it cannot be written.
pub fn draw(set: &AvatarSet, directory: &Path, stop: &dyn Fn() -> bool) -> Result<Outcome> {
    set.validate()?;
    let started = Instant::now();
    let text = licence::text(set)?;
    if has(directory, &text)? {
        note!("avatars: {} has them already", directory.display());
        return Ok(Outcome::Done);
    }
    let mut unfinished = Unfinished {
        set,
        workspace: Workspace::new(directory)?,
        seen: HashSet::new(),
        written: Vec::new(),
        repeats: 0,
        counter: Counter::new(set.pictures() as u64, "pictures"),
    };
    for style in &set.classes {
        if unfinished.class(style, stop)? == Outcome::Interrupted {
            note!("avatars: interrupted; no picture is kept");
            return Ok(Outcome::Interrupted);
        }
    }
    let repeats = unfinished.repeats;
    unfinished.finish(&text)?;
    note!(
        "avatars: {} pictures of {} classes drawn into {} in {:.1} s; {repeats} repeats left out",
        set.pictures(),
        set.classes.len(),
        directory.display(),
        started.elapsed().as_secs_f64()
    );
    for line in licence::lines(set)? {
        note!("  {line}");
    }
    Ok(Outcome::Done)
}

/// Whether a directory has the set with this text; no, if it is empty.
fn has(directory: &Path, text: &str) -> Result<bool> {
    let named = || format!("directory {}", directory.display());
    let listing = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        listing => listing.with_context(named)?,
    };
    let mut names = Vec::new();
    for entry in listing {
        let name = entry.with_context(named)?.file_name();
        let name = name.to_string_lossy().into_owned();
        if !name.starts_with(PARTIAL) {
            names.push(name);
        }
    }
    let Some(name) = names.iter().min() else {
        return Ok(false);
    };
    let there = std::fs::read_to_string(directory.join(licence::FILE)).unwrap_or_default();
    if there == text && is_complete(directory) {
        return Ok(true);
    }
    let holds = match there.lines().next().filter(|_| is_complete(directory)) {
        Some(other) => format!("other pictures ({other:?})"),
        None => format!("other files ({name})"),
    };
    Err(bad_usage(format!(
        "{} holds {holds}; remove it, or name another directory with --out",
        directory.display()
    )))
}

/// A set that is being drawn.
struct Unfinished<'a> {
    set: &'a AvatarSet,
    workspace: Workspace,
    /// Digests of all pictures.
    seen: HashSet<[u8; 32]>,
    written: Vec<PathBuf>,
    repeats: u64,
    counter: Counter,
}

impl Unfinished<'_> {
    /// Draws both parts of a class.
    fn class(&mut self, style: &Style, stop: &dyn Fn() -> bool) -> Result<Outcome> {
        let artist = Artist::new(style)?;
        for (part, count) in PARTS {
            let folder = self.workspace.path().join(part).join(style.name);
            std::fs::create_dir_all(&folder)
                .with_context(|| format!("directory {}", folder.display()))?;
            let seeds = format!("{}-{part}", style.name);
            let drawn = self.part(&artist, &seeds, &folder, count(self.set), stop);
            if drawn.with_context(|| format!("avatars {seeds}"))? == Outcome::Interrupted {
                return Ok(Outcome::Interrupted);
            }
        }
        Ok(Outcome::Done)
    }

    /// Draws the pictures of a folder; their seeds are `seeds-0`, `seeds-1`, ..
    fn part(
        &mut self,
        artist: &Artist,
        seeds: &str,
        folder: &Path,
        count: usize,
        stop: &dyn Fn() -> bool,
    ) -> Result<Outcome> {
        let side = self.set.resolution;
        let at_once = (PIXELS_AT_ONCE / (side * side)).clamp(1, MOST_AT_ONCE);
        let mut part = Part::new(count);
        while !part.is_whole() {
            if stop() {
                return Ok(Outcome::Interrupted);
            }
            let draw = |seed| picture(artist, &format!("{seeds}-{seed}"), side);
            let (numbers, pictures) = part.draw_some(at_once, &mut self.seen, draw)?;
            let paths: Vec<PathBuf> = numbers
                .map(|number| folder.join(format!("{number:05}.png")))
                .collect();
            write(&paths, &pictures)?;
            self.written.extend(paths);
            self.counter.show(self.written.len() as u64);
        }
        self.repeats += part.repeats();
        Ok(Outcome::Done)
    }

    /// Writes the licence, and gives all files their places.
    fn finish(self, text: &str) -> Result<()> {
        self.counter.finish();
        let folder = self.workspace.path();
        let licence = folder.join(licence::FILE);
        std::fs::write(&licence, text).with_context(|| format!("writing {}", licence.display()))?;
        atomic_file::sync_files(&self.written)?;
        atomic_file::sync_files(&[licence])?;
        for (part, _) in PARTS {
            for style in &self.set.classes {
                atomic_file::sync_directory(&folder.join(part).join(style.name))?;
            }
            atomic_file::sync_directory(&folder.join(part))?;
        }
        let [(test, _), (train, _)] = PARTS;
        self.workspace.commit(&[test, train, licence::FILE])
    }
}

/// Draws a picture and makes a file of it.
fn picture(artist: &Artist, seed: &str, side: usize) -> Result<Picture> {
    let rgb = artist.draw(seed, side)?;
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, side as u32, side as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder
        .write_header()
        .and_then(|mut writer| {
            writer.write_image_data(&rgb)?;
            writer.finish()
        })
        .context("encoding a PNG")?;
    Ok(Picture {
        sha256: Sha256::digest(&rgb).into(),
        png,
    })
}

fn write(paths: &[PathBuf], pictures: &[Picture]) -> Result<()> {
    paths
        .par_iter()
        .zip(pictures)
        .try_for_each(|(path, picture)| {
            std::fs::write(path, &picture.png)
                .with_context(|| format!("writing {}", path.display()))
        })
}
