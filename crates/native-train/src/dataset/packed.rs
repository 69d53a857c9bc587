//! Packed data sets: `train.pack` and optionally `test.pack` in a directory, in the format of
//! [`biggan::file::Pack`]. They are memory-mapped, so that only the disk limits their size.
//!
//! All digests are verified when a file is opened, at the speed of the disk or of SHA-256 (about 1 GB per
//! second and core), so that damage is found before a run starts and not in the middle of it.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use biggan::file::{Pack, PackWriter};
use biggan_pictures::color::Color;
use biggan_pictures::fit::Fit;
use rayon::prelude::*;

use super::fit::{CLASSES, Outline};
use super::pixels::{self, Pixels};
use super::{Dataset, DatasetRequest, NamedDataset, Split};

use crate::error::bad_usage;
use crate::recipe::data_section::DataSection;
use crate::run::atomic_file::{self, Aside};

/// Packed images.
pub const PACKED: NamedDataset = NamedDataset {
    name: "packed",
    about: "train.pack and test.pack in data.path, as `native-train data pack` writes them",
    read: |request, directory, _| read(request, directory),
    test_outline: |_, directory| test_outline(directory),
    fetch: None,
    is_complete: |directory| directory.join(file_name(Split::Train)).is_file(),
};

/// Name of the file of a part.
pub fn file_name(split: Split) -> &'static str {
    match split {
        Split::Train => "train.pack",
        Split::Test => "test.pack",
    }
}

fn read(request: &DatasetRequest<'_>, directory: &Path) -> Result<Dataset> {
    if directory.is_file() {
        return Err(bad_usage(format!(
            "data.path {} is a file; give the directory that holds {}",
            directory.display(),
            file_name(Split::Train)
        )));
    }
    let path = directory.join(file_name(request.split));
    let dataset = open(&path).with_context(|| unreadable(&path))?;
    agree(request.section, &path)?;
    Ok(dataset)
}

fn unreadable(path: &Path) -> String {
    format!(
        "packed data {}; recreate it with `native-train data pack`",
        path.display()
    )
}

/// The header of the test part, if there is one; no digest is compared.
fn test_outline(directory: &Path) -> Result<Option<Outline>> {
    let path = directory.join(file_name(Split::Test));
    if !path.is_file() {
        return Ok(None);
    }
    let outline = || -> Result<Outline> {
        let file = pixels::map(&File::open(&path)?)?;
        let pack = Pack::open(&file)?;
        Ok(Outline {
            place: path.display().to_string(),
            unit: CLASSES,
            class_names: pack.class_names,
            shape: Some(pack.shape),
        })
    };
    outline().map(Some).with_context(|| unreadable(&path))
}

/// Compares how a packed file was made with what a recipe says about pictures.
///
/// # Errors
/// If a key of the recipe says something else.
fn agree(section: &DataSection, path: &Path) -> Result<()> {
    let file = pixels::map(&File::open(path)?)?;
    let notes = Pack::open(&file)?.notes;
    let asked = [
        (
            "fit",
            section.fit.map(|fit| fit.to_string()),
            Fit::default().to_string(),
        ),
        (
            "background",
            section.background.map(|color| color.to_string()),
            Color::default().to_string(),
        ),
    ];
    for (key, asked, default) in asked {
        let made = notes.get(key).unwrap_or(&default);
        match asked {
            Some(asked) if asked != *made => {
                return Err(bad_usage(format!(
                    "data.{key} is {asked:?}, but {} was packed with {key} {made:?}; pack the pictures again with \
                     --{key} \"{asked}\", or leave data.{key} out",
                    path.display()
                )));
            }
            None if *made != default => {
                note!("{}: packed with {key} {made:?}", path.display());
            }
            _ => {}
        }
    }
    Ok(())
}

/// Opens a packed file and verifies all its digests.
///
/// # Errors
/// If it is truncated, damaged, or of another format or version.
pub fn open(path: &Path) -> Result<Dataset> {
    let file = Arc::new(pixels::map(&File::open(path)?)?);
    let pack = Pack::open(&file)?;
    let blocks = (0..pack.blocks()).into_par_iter();
    if let Some(error) = blocks.find_map_first(|block| pack.check_block(block).err()) {
        return Err(error.into());
    }
    let start = pack.images_u8.as_ptr().addr() - file.as_ptr().addr();
    Ok(Dataset {
        images_u8: Pixels::mapped(file.clone(), start..start + pack.images_u8.len()),
        shape: pack.shape,
        labels: pack.rows.first(),
        label_rows: pack.rows.several().then_some(pack.rows),
        info: pack.info,
        class_names: pack.class_names,
    })
}

/// A packed file being written; it appears under its name when it is finished.
pub struct PackFile<'a> {
    path: &'a Path,
    writer: PackWriter<BufWriter<Aside>>,
}

impl<'a> PackFile<'a> {
    /// Begins a file of images of a shape, channels, height and width, made as the notes say.
    ///
    /// # Errors
    /// If nothing can be written next to `path`.
    pub fn new(
        path: &'a Path,
        name: &str,
        class_names: &[String],
        shape: [usize; 3],
        notes: &[(&str, String)],
    ) -> Result<Self> {
        let out = BufWriter::new(Aside::new(path)?);
        let writer = PackWriter::with_notes(out, name, class_names, shape, None, notes)
            .with_context(|| path.display().to_string())?;
        Ok(Self { path, writer })
    }

    /// Appends an image, `[c, h, w]`, and its labels.
    ///
    /// # Errors
    /// If the write fails.
    pub fn push(&mut self, image: &[u8], labels: &[u16]) -> Result<()> {
        let pushed = self.writer.push(image, labels);
        pushed.with_context(|| self.path.display().to_string())
    }

    /// Ends the file, which has no name yet.
    ///
    /// # Errors
    /// If it has no image, or the write fails.
    pub fn finish(self) -> Result<Finished<'a>> {
        let finished = self.writer.finish();
        let (info, out) = finished.with_context(|| self.path.display().to_string())?;
        let aside = out.into_inner().map_err(|error| error.into_error())?;
        Ok(Finished {
            path: self.path,
            images: info.images,
            aside,
        })
    }
}

/// A packed file that is whole.
pub struct Finished<'a> {
    path: &'a Path,
    /// Its images.
    pub images: usize,
    aside: Aside,
}

impl Finished<'_> {
    /// Gives it its name.
    ///
    /// # Errors
    /// If that fails.
    pub fn commit(self) -> Result<()> {
        self.aside.commit(self.path)
    }
}

/// Removes the test part of an earlier pack, which would stand next to a training part that it does not belong to;
/// returns whether there was one.
///
/// # Errors
/// If the file is no packed one, or cannot be removed.
pub fn remove_test_part(directory: &Path) -> Result<bool> {
    let path = directory.join(file_name(Split::Test));
    if !path.try_exists()? {
        return Ok(false);
    }
    test_outline(directory)?; // what is no pack is not ours
    std::fs::remove_file(&path).with_context(|| path.display().to_string())?;
    Ok(true)
}

/// Refuses to pack over a directory and makes the one that the files go to.
///
/// # Errors
/// If it cannot be made.
pub fn prepare(directory: &Path) -> Result<()> {
    std::fs::create_dir_all(directory)
        .with_context(|| format!("directory {}", directory.display()))?;
    atomic_file::remove_partial(directory)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn what_was_packed_is_mapped() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("train.pack");
        let names = ["a", "b", "c"].map(String::from);
        let mut file = PackFile::new(&path, "three", &names, [1, 2, 2], &[]).unwrap();
        file.push(&[1, 2, 3, 4], &[2]).unwrap();
        file.push(&[5, 6, 7, 8], &[0, 1]).unwrap();
        assert!(!path.exists(), "unfinished files have no name");
        let finished = file.finish().unwrap();
        assert_eq!(finished.images, 2);
        assert!(!path.exists(), "it gets its name last");
        finished.commit().unwrap();
        let set = open(&path).unwrap();
        let images = set.read(&[0, 1]).unwrap();
        assert_eq!(images.concat(), [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!((set.shape, &set.labels[..]), ([1, 2, 2], &[2, 0][..]));
        assert_eq!(set.label_rows.unwrap().row(1), [0, 1]);
        let left = std::fs::read_dir(directory.path()).unwrap().count();
        assert_eq!(left, 1, "nothing else stays");

        let mut damaged = std::fs::read(&path).unwrap();
        let pixel = damaged.len() - 32 - 3 * 2 - 2 * 8 - 8;
        damaged[pixel] ^= 1;
        std::fs::write(&path, damaged).unwrap();
        let text = format!("{:#}", open(&path).unwrap_err());
        assert!(text.contains("images 0 to 4095"), "{text}");
    }

    /// The digest of a data set covers the header: runs of a set that is packed again must find it the same.
    #[test]
    fn an_older_file_packed_again_is_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let [old, new] = ["old", "new"].map(|name| directory.path().join(name));
        let shipped = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../www/src/lib/train/data/fashion-mnist-2000.pack.gz"
        );
        let mut bytes = Vec::new();
        let mut from = flate2::read::GzDecoder::new(File::open(shipped).unwrap());
        from.read_to_end(&mut bytes).unwrap();
        std::fs::write(&old, &bytes).unwrap();
        let set = open(&old).unwrap();
        let mut file =
            PackFile::new(&new, &set.info.name, &set.class_names, set.shape, &[]).unwrap();
        for index in 0..set.len() {
            let images = set.read(&[index]).unwrap();
            file.push(&images[0], set.labels_of(index)).unwrap();
        }
        file.finish().unwrap().commit().unwrap();
        assert!(std::fs::read(&new).unwrap() == bytes, "the files differ");
    }
}
