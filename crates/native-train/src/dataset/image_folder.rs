//! Pictures of the user's own, one folder a class, the layout that PyTorch's ImageFolder reads:
//! `DIR/<class>/<picture>`, or `DIR/train/<class>/...` with `DIR/val` or `DIR/test`. Classes are the
//! folders in the order of their names. Pictures are cropped to squares and resized once, into memory.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use biggan::file::DatasetInfo;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::idx::hex;
use super::{Dataset, DatasetRequest, NamedDataset, area, class_folders, picture};

/// Folders of pictures.
pub const IMAGE_FOLDER: NamedDataset = NamedDataset {
    name: "image-folder",
    about: "PNG, JPEG and WebP files in data.path, one folder a class",
    read,
    fetch: None,
    is_complete: Path::is_dir,
};

/// Most bytes that the resized pictures may take; what is larger is packed first.
const MAX_BYTES: u64 = 4 << 30;
/// Broken files that a message names.
const MAX_NAMED: usize = 5;

fn read(request: &DatasetRequest<'_>, directory: &Path, resolution: usize) -> Result<Dataset> {
    let part = class_folders::part(directory, request.split)?;
    let classes = class_folders::list(&part)?;
    class_folders::check_count(&classes, &part, request.classes)?;
    let count: usize = classes.iter().map(|class| class.files.len()).sum();
    let image_bytes = 3 * resolution * resolution;
    check_bytes(count, resolution, MAX_BYTES).with_context(|| part.display().to_string())?;

    let files: Vec<(u16, &Path)> = (0u16..)
        .zip(&classes)
        .flat_map(|(label, class)| class.files.iter().map(move |file| (label, file.as_path())))
        .collect();
    let mut images_u8 = vec![0; count * image_bytes];
    let bar = ProgressBar::new(count as u64).with_style(ProgressStyle::with_template(
        "pictures {bar:24} {pos}/{len}  {eta} left",
    )?);
    let read: Vec<Result<Vec<u8>>> = images_u8
        .par_chunks_mut(image_bytes)
        .zip(&files)
        .map(|(planes, (_, file))| {
            bar.inc(1);
            read_picture(file, resolution, planes)
        })
        .collect();
    bar.finish_and_clear();
    report_broken(&read, &files, request.section.skip_broken)?;

    // what was read moves to the front; one digest of all names and bytes stands for the set
    let mut digest = Sha256::new();
    let mut labels = Vec::with_capacity(count);
    for (index, (digest_of_file, (label, file))) in read.iter().zip(&files).enumerate() {
        let Ok(digest_of_file) = digest_of_file else {
            continue;
        };
        let class = &classes[usize::from(*label)].name;
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        digest.update(format!("{class}/{name}\n"));
        digest.update(digest_of_file);
        let to = labels.len() * image_bytes;
        images_u8.copy_within(index * image_bytes..(index + 1) * image_bytes, to);
        labels.push(*label);
    }
    images_u8.truncate(labels.len() * image_bytes);
    let class_names = match &request.section.class_names {
        Some(names) => names.clone(),
        None => classes.into_iter().map(|class| class.name).collect(),
    };
    let name = directory
        .file_name()
        .and_then(|name| name.to_str())
        .with_context(|| format!("data.path {} has no name", directory.display()))?;
    Ok(Dataset {
        images_u8: images_u8.into(),
        shape: [3, resolution, resolution],
        info: DatasetInfo {
            name: name.to_owned(),
            images: labels.len(),
            sha256: vec![hex(&digest.finalize())],
        },
        labels,
        label_rows: None,
        class_names,
    })
}

/// Refuses what does not fit the memory that is granted.
fn check_bytes(count: usize, resolution: usize, limit: u64) -> Result<()> {
    let bytes = count as u64 * (3 * resolution * resolution) as u64;
    ensure!(
        bytes <= limit,
        "{count} pictures of {resolution}x{resolution} need {:.1} GiB of memory, more than the {:.1} that \
         may be taken; pack them once, `native-train data pack DIR --resolution {resolution} --out PACKED`, \
         and train with data.dataset = \"packed\"",
        bytes as f64 / (1u64 << 30) as f64,
        limit as f64 / (1u64 << 30) as f64,
    );
    Ok(())
}

/// Decodes and resizes a file; returns the SHA-256 of its bytes.
pub fn read_picture(file: &Path, resolution: usize, planes: &mut [u8]) -> Result<Vec<u8>> {
    let bytes = picture::read(file)?;
    let decoded = picture::decode(&bytes)?;
    area::square(
        &decoded.rgb,
        decoded.width,
        decoded.height,
        resolution,
        planes,
    )?;
    Ok(Sha256::digest(&bytes).to_vec())
}

/// An error or, if they may be skipped, a warning, that names the first broken files.
fn report_broken(
    read: &[Result<Vec<u8>>],
    files: &[(u16, &Path)],
    skip_broken: bool,
) -> Result<()> {
    let broken: Vec<String> = read
        .iter()
        .zip(files)
        .filter_map(|(result, (_, file))| {
            let error = result.as_ref().err()?;
            Some(format!("{}: {error:#}", file.display()))
        })
        .collect();
    if broken.is_empty() {
        return Ok(());
    }
    let mut listed = broken[..broken.len().min(MAX_NAMED)].join("; ");
    if broken.len() > MAX_NAMED {
        listed += &format!("; and {} more", broken.len() - MAX_NAMED);
    }
    let count = format!("{} of {} pictures cannot be read", broken.len(), read.len());
    ensure!(
        skip_broken,
        "{count}: {listed}; repair or delete them, or set data.skip_broken = true"
    );
    eprintln!("{count} and are left out: {listed}");
    let left = |label: u16| {
        let mut of_class = read.iter().zip(files).filter(|(_, (l, _))| *l == label);
        of_class.any(|(result, _)| result.is_ok())
    };
    let last = files.last().map_or(0, |(label, _)| *label);
    if let Some(label) = (0..=last).find(|&label| !left(label)) {
        let file = files.iter().find(|(l, _)| *l == label);
        let folder = file
            .and_then(|(_, file)| file.parent())
            .unwrap_or(Path::new(""));
        bail!(
            "class folder {}: none of its pictures can be read",
            folder.display()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Split;
    use crate::plan::DataSection;

    fn picture(path: &Path, side: u32, grey: u8) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut encoder = png::Encoder::new(std::fs::File::create(path).unwrap(), side, side);
        encoder.set_color(png::ColorType::Grayscale);
        let mut writer = encoder.write_header().unwrap();
        let pixels = vec![grey; (side * side) as usize];
        writer.write_image_data(&pixels).unwrap();
    }

    fn load(directory: &Path, split: Split, classes: usize, skip_broken: bool) -> Result<Dataset> {
        let section = DataSection {
            skip_broken,
            ..DataSection::of(IMAGE_FOLDER.name, None)
        };
        let request = DatasetRequest {
            section: &section,
            split,
            classes,
        };
        read(&request, directory, 2)
    }

    fn refusal(directory: &Path, classes: usize, parts: &[&str]) {
        let error = load(directory, Split::Train, classes, false).unwrap_err();
        let text = format!("{error:#}");
        assert!(!text.contains('\n'), "{text}");
        for part in parts {
            assert!(text.contains(part), "{text:?} lacks {part:?}");
        }
    }

    /// Classes `b` with two pictures and `a` with one.
    fn two_classes() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        picture(&directory.path().join("b/2.png"), 3, 20);
        picture(&directory.path().join("b/10.PNG"), 2, 10);
        picture(&directory.path().join("a/1.png"), 5, 30);
        std::fs::write(directory.path().join("a/notes.txt"), "no picture").unwrap();
        std::fs::create_dir(directory.path().join(".cache")).unwrap();
        directory
    }

    #[test]
    fn folders_and_pictures_are_sorted() {
        let directory = two_classes();
        let set = load(directory.path(), Split::Train, 2, false).unwrap();
        assert_eq!(set.class_names, ["a", "b"]);
        assert_eq!(set.labels, [0, 1, 1]);
        assert_eq!(set.images_u8[..], [[30; 12], [10; 12], [20; 12]].concat());
        let again = load(directory.path(), Split::Train, 2, false).unwrap();
        assert_eq!(set.info, again.info);
        // another name of a file is another set: the labels may follow from it
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
        // beside other classes, "train" is a class
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
        assert_eq!((set.labels, set.info.images), (vec![0, 1, 1], 3));
        assert_eq!(set.images_u8[..], [[30; 12], [10; 12], [20; 12]].concat());
        std::fs::write(directory.path().join("a/1.png"), "no picture").unwrap();
        let error = load(directory.path(), Split::Train, 2, true).unwrap_err();
        assert!(
            error.to_string().contains("none of its pictures"),
            "{error}"
        );
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
        refusal(root, 2, &["one class folder only, \"a\"", "classes is 2"]);
        picture(&root.join("loose.png"), 2, 0);
        refusal(root, 1, &["loose.png and 0 more stand in no class folder"]);
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
            refusal(root, 2, &["1 of 5 pictures", "pipe.png", "no regular file"]);
            std::fs::remove_file(root.join("b/pipe.png")).unwrap();
        }
        symlink(".", root.join("here")).unwrap();
        refusal(root, 3, &["class folder", "here", "one folder too deep"]);
    }

    #[test]
    fn what_does_not_fit_memory_says_how_much_it_needs() {
        assert!(check_bytes(349_525, 64, MAX_BYTES).is_ok());
        let text = check_bytes(1_281_167, 128, MAX_BYTES)
            .unwrap_err()
            .to_string();
        assert!(text.contains("58.6 GiB") && text.contains("4.0"), "{text}");
    }
}
