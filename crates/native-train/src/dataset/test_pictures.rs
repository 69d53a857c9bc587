//! Small pictures in class folders, for tests.

use std::path::Path;

use anyhow::Result;
use tempfile::TempDir;

use super::image_folder::IMAGE_FOLDER;
use super::{Dataset, DatasetRequest, Split};
use crate::recipe::byte_size::ByteSize;
use crate::recipe::data_section::DataSection;

/// Side of the images after reading.
pub const RESOLUTION: usize = 2;

/// Writes a square PNG file of one grey.
pub fn picture(path: &Path, side: u32, grey: u8) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut encoder = png::Encoder::new(std::fs::File::create(path).unwrap(), side, side);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().unwrap();
    let pixels = vec![grey; (side * side) as usize];
    writer.write_image_data(&pixels).unwrap();
}

/// Classes `b` with two pictures and `a` with one.
pub fn two_classes() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    picture(&directory.path().join("b/2.png"), 3, 20);
    picture(&directory.path().join("b/10.PNG"), 2, 10);
    picture(&directory.path().join("a/1.png"), 5, 30);
    std::fs::write(directory.path().join("a/notes.txt"), "no picture").unwrap();
    std::fs::create_dir(directory.path().join(".cache")).unwrap();
    directory
}

/// Reads the pictures of a part into memory.
pub fn load(directory: &Path, split: Split, classes: usize, skip_broken: bool) -> Result<Dataset> {
    let section = DataSection {
        skip_broken,
        ..DataSection::named(IMAGE_FOLDER.name, None)
    };
    request(directory, split, classes, &section)
}

/// The training pictures of two classes, not read into memory.
pub fn stream(directory: &Path, skip_broken: bool) -> Result<Dataset> {
    let section = DataSection {
        skip_broken,
        memory: ByteSize(1),
        ..DataSection::named(IMAGE_FOLDER.name, None)
    };
    request(directory, Split::Train, 2, &section)
}

fn request(
    directory: &Path,
    split: Split,
    classes: usize,
    section: &DataSection,
) -> Result<Dataset> {
    let request = DatasetRequest {
        section,
        split,
        classes,
    };
    (IMAGE_FOLDER.read)(&request, directory, RESOLUTION)
}
