//! Picture files that are decoded on demand: the images of folders that do not fit in memory.
//!
//! Sizes and first bytes are checked at the start, the rest of a file when it is decoded. A file that
//! cannot be read then is an error or, if broken files may be skipped, is replaced by the next readable picture
//! of its class: the label stays right, and the same files give the same images again.

use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, bail, ensure};
use rayon::prelude::*;

use super::broken::{self, Broken, Fate};
use super::class_folders::Class;
use super::picture;
use super::preparation::Preparation;
use crate::terminal::Bar;

/// Pictures of class folders, in the order of classes and names.
#[derive(Debug)]
pub struct PictureFiles {
    classes: Vec<Class>,
    /// Index of the first picture of each class, followed by the number of pictures.
    starts: Vec<usize>,
    /// Size of each file when it was listed.
    bytes: Vec<u64>,
    preparation: Preparation,
    skip_broken: bool,
    /// Broken files that the user has been told about.
    reported: Mutex<HashSet<usize>>,
}

impl PictureFiles {
    /// Checks the files of classes by their sizes and first bytes.
    ///
    /// # Errors
    /// If a file is broken and may not be skipped, or no picture of a class is left.
    pub fn list(
        classes: Vec<Class>,
        preparation: Preparation,
        skip_broken: bool,
        bar: &Bar,
    ) -> Result<Self> {
        let mut starts = vec![0];
        for class in &classes {
            starts.push(starts[starts.len() - 1] + class.files.len());
        }
        let mut files = Self {
            classes,
            starts,
            bytes: Vec::new(),
            preparation,
            skip_broken,
            reported: Mutex::default(),
        };
        let glances: Vec<(u64, Result<()>)> = (0..files.len())
            .into_par_iter()
            .map(|index| {
                bar.inc(1);
                glance(&files.path(index))
            })
            .collect();
        let mut broken = Broken::new();
        let mut reported = HashSet::new();
        for (index, (bytes, judged)) in glances.into_iter().enumerate() {
            files.bytes.push(bytes);
            if let Err(error) = judged {
                let (class, file) = files.place(index);
                broken.push((class, file, error));
                reported.insert(index);
            }
        }
        bar.finish();
        broken::report(&files.classes, &broken, skip_broken, Fate::Replaced)?;
        files.reported = Mutex::new(reported);
        Ok(files)
    }

    /// Number of pictures.
    pub fn len(&self) -> usize {
        self.starts[self.classes.len()]
    }

    /// Whether there is no picture.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The class folders.
    pub fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// Sizes of the files when they were listed.
    pub fn bytes(&self) -> &[u64] {
        &self.bytes
    }

    /// Decodes picture `index` and resizes it: `[3, resolution, resolution]`.
    ///
    /// # Errors
    /// If it cannot be read and may not be skipped, or no picture of its class can be read.
    pub fn image(&self, index: usize) -> Result<Vec<u8>> {
        let (class, _) = self.place(index);
        let (first, end) = (self.starts[class], self.starts[class + 1]);
        for candidate in (index..end).chain(first..index) {
            match self.decode(candidate) {
                Ok(image) => return Ok(image),
                Err(error) if self.skip_broken => self.report(candidate, &error),
                Err(error) => bail!(
                    "{}: {error:#}; restore it, or set data.skip_broken = true, so that another picture of its \
                     class replaces it; --resume continues the run",
                    self.path(candidate).display()
                ),
            }
        }
        bail!(
            "class folder {}: none of its pictures can be read; restore them",
            self.classes[class].folder.display()
        )
    }

    /// [`PictureFiles::image`] of each, in parallel in the current thread pool.
    pub fn images(&self, indices: &[usize]) -> Vec<Result<Vec<u8>>> {
        let decode = |&index: &usize| self.image(index);
        indices.par_iter().with_max_len(1).map(decode).collect()
    }

    fn decode(&self, index: usize) -> Result<Vec<u8>> {
        let file = picture::read(&self.path(index))?;
        ensure!(
            file.len() as u64 == self.bytes[index],
            "it has changed since it was listed, from {} bytes to {}",
            self.bytes[index],
            file.len()
        );
        let mut planes = vec![0; self.preparation.image_bytes()];
        self.preparation.image(&file, &mut planes)?;
        Ok(planes)
    }

    /// Tells the user about a broken file, once.
    fn report(&self, index: usize, error: &anyhow::Error) {
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        if reported.insert(index) {
            note!(
                "{}: {error:#}; the next picture of its class replaces it",
                self.path(index).display()
            );
        }
    }

    /// The class of a picture and its index there.
    fn place(&self, index: usize) -> (usize, usize) {
        let class = self.starts.partition_point(|&start| start <= index) - 1;
        (class, index - self.starts[class])
    }

    fn path(&self, index: usize) -> PathBuf {
        let (class, file) = self.place(index);
        self.classes[class].path(file)
    }
}

/// The size of a file, 0 if it has none, and whether it may be a picture by its size and first bytes.
fn glance(path: &Path) -> (u64, Result<()>) {
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) => return (0, Err(error.into())),
    };
    let judge = || {
        picture::check_file(&metadata)?;
        let mut start = Vec::with_capacity(picture::KIND_BYTES as usize);
        std::fs::File::open(path)?
            .take(picture::KIND_BYTES)
            .read_to_end(&mut start)?;
        picture::check_kind(&start, metadata.len()).map(|_| ())
    };
    (metadata.len(), judge())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::test_pictures::{load, picture, stream, two_classes};
    use crate::dataset::{Dataset, Split};

    fn refusal(result: Result<impl Sized>, parts: &[&str]) {
        let error = result.map(|_| ()).unwrap_err();
        let text = format!("{error:#}");
        assert!(!text.contains('\n'), "{text}");
        for part in parts {
            assert!(text.contains(part), "{text:?} lacks {part:?}");
        }
    }

    fn grey(set: &Dataset, index: usize) -> u8 {
        let image = set.read(&[index]).unwrap()[0].to_vec();
        assert_eq!(image, vec![image[0]; 12]);
        image[0]
    }

    #[test]
    fn images_are_those_that_memory_would_hold() {
        let directory = two_classes();
        let in_memory = load(directory.path(), Split::Train, 2, false).unwrap();
        let streamed = stream(directory.path(), false).unwrap();
        assert!(in_memory.images_u8.files().is_none() && streamed.images_u8.files().is_some());
        let wanted = [2, 0, 1, 2];
        assert_eq!(
            streamed.read(&wanted).unwrap(),
            in_memory.read(&wanted).unwrap()
        );
        assert_eq!(streamed.labels, in_memory.labels);
        assert_eq!(streamed.class_names, in_memory.class_names);
        assert_eq!(streamed.info.same_images(&in_memory.info), Some(true));
        // another file size is another set
        picture(&directory.path().join("b/2.png"), 90, 20);
        let other = stream(directory.path(), false).unwrap();
        assert_eq!(other.info.same_images(&in_memory.info), Some(false));
    }

    #[test]
    fn sizes_and_first_bytes_are_judged_at_the_start() {
        let directory = two_classes();
        let wrong = directory.path().join("b/3.png");
        std::fs::write(&wrong, "an error page of a server").unwrap();
        let parts = [
            "1 of 4 pictures",
            "b/3.png: neither PNG",
            "data.skip_broken",
        ];
        refusal(stream(directory.path(), false), &parts);
        let set = stream(directory.path(), true).unwrap();
        assert_eq!(
            (set.len(), grey(&set, 3)),
            (4, 10),
            "the first of the class follows the last"
        );
        std::fs::write(directory.path().join("a/1.png"), "").unwrap();
        let parts = ["class folder", "/a: none of its pictures can be read"];
        refusal(stream(directory.path(), true), &parts);
    }

    #[cfg(unix)]
    #[test]
    fn pipes_loops_of_links_and_bombs_are_no_pictures() {
        use std::os::unix::fs::symlink;
        let directory = two_classes();
        symlink("self.png", directory.path().join("b/self.png")).unwrap();
        refusal(
            stream(directory.path(), false),
            &["1 of 4 pictures", "self.png"],
        );
        std::fs::remove_file(directory.path().join("b/self.png")).unwrap();
        let large = std::fs::File::create(directory.path().join("b/large.png")).unwrap();
        large.set_len(picture::MAX_FILE_BYTES + 1).unwrap();
        refusal(
            stream(directory.path(), false),
            &["large.png: 268435457 bytes, more than"],
        );
        std::fs::remove_file(directory.path().join("b/large.png")).unwrap();
        let pipe = directory.path().join("b/pipe.png");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        if made.is_ok_and(|status| status.success()) {
            refusal(
                stream(directory.path(), false),
                &["pipe.png: not a regular file"],
            );
        }
    }

    #[test]
    fn files_that_break_later_are_named_or_replaced() {
        let directory = two_classes();
        let path = directory.path().join("b/10.PNG"); // number 1
        let whole = std::fs::read(&path).unwrap();
        let strict = stream(directory.path(), false).unwrap();
        let tolerant = stream(directory.path(), true).unwrap();
        let mut damaged = whole.clone();
        damaged[45] ^= 0xff;
        let broken: [(Option<&[u8]>, &str); 4] = [
            (Some(&damaged), ""),
            (Some(&whole[..40]), "changed since it was listed"),
            (Some(b""), "to 0"),
            (None, "No such file"),
        ];
        for (bytes, reason) in broken {
            match bytes {
                Some(bytes) => std::fs::write(&path, bytes).unwrap(),
                None => std::fs::remove_file(&path).unwrap(),
            }
            let parts = [
                "b/10.PNG: ",
                reason,
                "restore it",
                "data.skip_broken = true",
            ];
            refusal(strict.read(&[1]), &parts);
            assert_eq!([grey(&tolerant, 1), grey(&tolerant, 1)], [20, 20]);
            assert_eq!(grey(&tolerant, 2), 20);
        }
        let files = tolerant.images_u8.files().unwrap();
        assert_eq!(files.reported.lock().unwrap().len(), 1);
        std::fs::remove_file(directory.path().join("b/2.png")).unwrap();
        refusal(
            tolerant.read(&[2]),
            &["/b: none of its pictures can be read"],
        );
        std::fs::write(&path, whole).unwrap();
        assert_eq!([grey(&strict, 1), grey(&tolerant, 2)], [10, 10]);
    }
}
