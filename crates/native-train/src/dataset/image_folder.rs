//! The user's own pictures, one folder per class, in the layout of PyTorch's ImageFolder:
//! `DIR/<class>/<picture>`, or `DIR/train/<class>/...` with `DIR/test` ([`super::parts`]). Classes are the
//! folders in the order of their names ([`super::class_folders`]). Pictures are cropped to squares and resized:
//! once, into memory, if they fit the recipe's limit, otherwise when they are needed ([`super::picture_files`]).

use std::path::Path;

use anyhow::{Context, Result};
use biggan::file::DatasetInfo;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::broken::{self, Broken, Fate};
use super::class_folders::{self, Class};
use super::fit::{self, FOLDERS, Outline};
use super::listing::Listing;
use super::parts::Layout;
use super::picture_files::PictureFiles;
use super::pixels::Pixels;
use super::preparation::Preparation;
use super::{Dataset, DatasetRequest, NamedDataset, Split, picture};
use crate::checksum::hex;
use crate::recipe::byte_size::ByteSize;
use crate::terminal::Bar;

/// Folders of pictures.
pub const IMAGE_FOLDER: NamedDataset = NamedDataset {
    name: "image-folder",
    about: "PNG, JPEG and WebP files in data.path, one folder per class",
    read,
    test_outline: |_, directory| test_outline(directory),
    fetch: None,
    is_complete: Path::is_dir,
};

fn read(request: &DatasetRequest<'_>, directory: &Path, resolution: usize) -> Result<Dataset> {
    let layout = Layout::find(directory)?;
    let part = layout.part(request.split)?;
    let (classes, mut passed) = class_folders::list(part)?;
    // before hours go into decoding
    let outline = outline(part, &classes);
    fit::refuse(fit::with_networks(&outline, request.classes, resolution))?;
    if request.split == Split::Train {
        passed.absorb(layout.passed.clone());
        if let Some(line) = layout.line(&passed) {
            note!("{line}");
        }
    }

    let count: usize = classes.iter().map(|class| class.files.len()).sum();
    let bytes = ByteSize(count.saturating_mul(3 * resolution * resolution));
    let granted = request.section.memory;
    let skip = request.section.skip_broken;
    let preparation = Preparation::of(request.section, resolution);
    let read = if bytes.0 <= granted.0 {
        in_memory(&classes, &preparation, skip)?
    } else {
        note!(
            "{}: {count} pictures of {resolution}x{resolution} are {bytes}, more than the {granted} of \
             data.memory: they are decoded on demand",
            part.display(),
        );
        streamed(classes, preparation, skip)?
    };
    Ok(Dataset {
        images_u8: read.images_u8,
        shape: [3, resolution, resolution],
        info: DatasetInfo {
            name: super::name_of(directory),
            images: read.labels.len(),
            sha256: read.sha256,
            source: None,
        },
        labels: read.labels,
        label_rows: None,
        class_names: outline.class_names,
    })
}

/// What a part is like.
pub fn outline(part: &Path, classes: &[Class]) -> Outline {
    Outline {
        place: part.display().to_string(),
        unit: FOLDERS,
        class_names: classes.iter().map(|class| class.name.clone()).collect(),
        shape: None,
    }
}

fn test_outline(directory: &Path) -> Result<Option<Outline>> {
    let layout = Layout::find(directory)?;
    let Some(part) = layout.get(Split::Test) else {
        return Ok(None);
    };
    let (classes, _) = class_folders::list(part)?;
    Ok(Some(outline(part, &classes)))
}

/// What became of the files.
struct Read {
    images_u8: Pixels,
    labels: Vec<u16>,
    sha256: Vec<String>,
}

/// Decodes all pictures.
fn in_memory(classes: &[Class], preparation: &Preparation, skip_broken: bool) -> Result<Read> {
    let files: Vec<(u16, usize)> = (0u16..)
        .zip(classes)
        .flat_map(|(label, class)| (0..class.files.len()).map(move |file| (label, file)))
        .collect();
    let image_bytes = preparation.image_bytes();
    let mut images_u8 = room_for(files.len() * image_bytes)?;
    let bar = progress(files.len());
    let read: Vec<Result<(u64, [u8; 32])>> = images_u8
        .par_chunks_mut(image_bytes)
        .zip(&files)
        .map(|(planes, &(label, file))| {
            bar.inc(1);
            let bytes = picture::read(&classes[usize::from(label)].path(file))?;
            preparation.image(&bytes, planes)?;
            Ok((bytes.len() as u64, Sha256::digest(&bytes).into()))
        })
        .collect();
    bar.finish();

    // what was read moves to the front
    let (mut contents, mut listing) = (Sha256::new(), Listing::default());
    for (key, value) in preparation.notes() {
        contents.update(format!("{key} {value}\n"));
        listing.note(key, &value);
    }
    let (mut labels, mut broken) = (Vec::with_capacity(files.len()), Broken::new());
    for (index, (read, (label, file))) in read.into_iter().zip(files).enumerate() {
        let class = &classes[usize::from(label)];
        match read {
            Ok((bytes, sha256)) => {
                let name = class.files[file].to_string_lossy();
                contents.update(format!("{}/{name}\n", class.name));
                contents.update(sha256);
                listing.add(class, file, bytes);
                let to = labels.len() * image_bytes;
                images_u8.copy_within(index * image_bytes..(index + 1) * image_bytes, to);
                labels.push(label);
            }
            Err(error) => broken.push((usize::from(label), file, error)),
        }
    }
    broken::report(classes, &broken, skip_broken, Fate::LeftOut)?;
    images_u8.truncate(labels.len() * image_bytes);
    Ok(Read {
        images_u8: images_u8.into(),
        labels,
        sha256: vec![hex(&contents.finalize()), listing.sha256()],
    })
}

/// Lists all pictures, to be decoded on demand.
fn streamed(classes: Vec<Class>, preparation: Preparation, skip_broken: bool) -> Result<Read> {
    let count = classes.iter().map(|class| class.files.len()).sum();
    let mut listing = Listing::default();
    for (key, value) in preparation.notes() {
        listing.note(key, &value);
    }
    let files = PictureFiles::list(classes, preparation, skip_broken, &progress(count))?;
    let mut labels = Vec::with_capacity(count);
    let mut sizes = files.bytes().iter();
    for (label, class) in (0u16..).zip(files.classes()) {
        for (file, bytes) in (0..class.files.len()).zip(&mut sizes) {
            listing.add(class, file, *bytes);
            labels.push(label);
        }
    }
    Ok(Read {
        images_u8: Pixels::streamed(files),
        labels,
        sha256: vec![listing.sha256()],
    })
}

/// Room for this many bytes of pixels.
fn room_for(bytes: usize) -> Result<Vec<u8>> {
    let mut room = Vec::new();
    room.try_reserve_exact(bytes).with_context(|| {
        format!(
            "no memory for {} of pixels; set data.memory to less, so that pictures are decoded on demand",
            ByteSize(bytes)
        )
    })?;
    room.resize(bytes, 0);
    Ok(room)
}

fn progress(files: usize) -> Bar {
    Bar::new(files, "pictures {bar:24} {pos}/{len}  {eta} left")
}

#[cfg(test)]
mod tests {
    use biggan_pictures::color::Color;
    use biggan_pictures::fit::Fit;

    use super::*;
    use crate::dataset::test_pictures::{RESOLUTION, load, picture, two_classes};

    fn refusal(directory: &Path, classes: usize, parts: &[&str]) {
        let error = load(directory, Split::Train, classes, false).unwrap_err();
        let text = format!("{error:#}");
        assert!(!text.contains('\n'), "{text}");
        for part in parts {
            assert!(text.contains(part), "{text:?} lacks {part:?}");
        }
    }

    #[test]
    fn folders_and_pictures_are_sorted() {
        let directory = two_classes();
        let set = load(directory.path(), Split::Train, 2, false).unwrap();
        assert_eq!(set.class_names, ["a", "b"]);
        assert_eq!(set.labels, [0, 1, 1]);
        assert_eq!(
            set.read(&[0, 1, 2]).unwrap().concat(),
            [[30; 12], [10; 12], [20; 12]].concat()
        );
        let again = load(directory.path(), Split::Train, 2, false).unwrap();
        assert_eq!(set.info, again.info);
        // another file name is another set: it may change the labels
        let rename = |from: &str, to: &str| {
            std::fs::rename(directory.path().join(from), directory.path().join(to)).unwrap();
        };
        rename("b/2.png", "b/3.png");
        let renamed = load(directory.path(), Split::Train, 2, false).unwrap();
        assert_ne!(set.info.sha256, renamed.info.sha256);
    }

    #[test]
    fn parts_are_folders_too() {
        let directory = two_classes();
        let test = load(directory.path(), Split::Test, 2, false).unwrap_err();
        assert!(test.to_string().contains("no test part"), "{test}");
        for part in ["train", "val"] {
            picture(&directory.path().join(part).join("x/1.png"), 2, 1);
        }
        // next to other classes, "train" is a class
        refusal(directory.path(), 2, &["one folder too deep"]);
        for class in ["a", "b"] {
            std::fs::remove_dir_all(directory.path().join(class)).unwrap();
        }
        for split in [Split::Train, Split::Test] {
            let set = load(directory.path(), split, 1, false).unwrap();
            assert_eq!(set.class_names, ["x"]);
        }
    }

    #[test]
    fn broken_pictures_are_named_or_left_out() {
        let directory = two_classes();
        std::fs::write(directory.path().join("b/3.png"), "no picture").unwrap();
        refusal(
            directory.path(),
            2,
            &["1 of 4 pictures", "b/3.png: neither", "data.skip_broken"],
        );
        let set = load(directory.path(), Split::Train, 2, true).unwrap();
        assert_eq!(
            set.read(&[0, 1, 2]).unwrap().concat(),
            [[30; 12], [10; 12], [20; 12]].concat()
        );
        assert_eq!((set.labels, set.info.images), (vec![0, 1, 1], 3));
        std::fs::write(directory.path().join("a/1.png"), "no picture").unwrap();
        let error = load(directory.path(), Split::Train, 2, true).unwrap_err();
        assert!(
            error.to_string().contains("none of its pictures"),
            "{error}"
        );
    }

    #[test]
    fn files_that_vanish_after_the_listing_are_named() {
        let directory = two_classes();
        let (classes, _) = class_folders::list(directory.path()).unwrap();
        let preparation = Preparation::new(RESOLUTION, Fit::Crop, Color::default());
        std::fs::remove_file(directory.path().join("b/2.png")).unwrap();
        let error = in_memory(&classes, &preparation, false).map(|_| ());
        let text = error.unwrap_err().to_string();
        assert!(
            text.contains("1 of 3 pictures") && text.contains("b/2.png: No such file"),
            "{text}"
        );
        let left = in_memory(&classes, &preparation, true).unwrap();
        assert_eq!(left.labels, [0, 1]);
        std::fs::remove_dir_all(directory.path().join("b")).unwrap();
        let error = in_memory(&classes, &preparation, true).map(|_| ());
        let text = error.unwrap_err().to_string();
        assert!(text.contains("none of its pictures"), "{text}");
    }

    #[test]
    fn other_layouts_say_what_is_wrong() {
        let directory = two_classes();
        let root = directory.path();
        refusal(
            root,
            3,
            &["2 class folders", "\"a\" to \"b\"", "classes is 3"],
        );
        std::fs::create_dir(root.join("c")).unwrap();
        refusal(root, 3, &["class folder", "c has no picture"]);
        std::fs::remove_dir_all(root.join("c")).unwrap();
        std::fs::remove_dir_all(root.join("b")).unwrap();
        refusal(root, 2, &["1 class folder only, \"a\"", "classes is 2"]);
        picture(&root.join("loose.png"), 2, 0);
        refusal(root, 1, &["loose.png and 0 more are not in a class folder"]);
        let empty = tempfile::tempdir().unwrap();
        refusal(empty.path(), 2, &["no class folder"]);
        refusal(&root.join("none"), 2, &["none", "No such file"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_read_and_loops_are_not_followed() {
        use std::os::unix::fs::symlink;
        let directory = two_classes();
        let root = directory.path();
        symlink(root.join("a/1.png"), root.join("b/4.png")).unwrap();
        assert_eq!(load(root, Split::Train, 2, false).unwrap().len(), 4);
        symlink("self.png", root.join("b/self.png")).unwrap();
        refusal(root, 2, &["1 of 5 pictures", "self.png"]);
        std::fs::remove_file(root.join("b/self.png")).unwrap();
        symlink("..", root.join("b/up")).unwrap();
        assert_eq!(load(root, Split::Train, 2, false).unwrap().len(), 4);
        let fifo = std::process::Command::new("mkfifo")
            .arg(root.join("b/pipe.png"))
            .status();
        if fifo.is_ok_and(|status| status.success()) {
            refusal(
                root,
                2,
                &["1 of 5 pictures", "pipe.png", "not a regular file"],
            );
            std::fs::remove_file(root.join("b/pipe.png")).unwrap();
        }
        symlink(".", root.join("here")).unwrap();
        refusal(root, 3, &["class folder", "here", "one folder too deep"]);
    }
}
