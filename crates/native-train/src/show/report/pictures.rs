//! Sample sheets inside a page: PNG as data URIs, few and small enough for a browser.

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use biggan::image::Sheet;

use crate::dataset::picture::{self, MAX_FILE_BYTES, Picture};
use crate::run::run_view::RunFile;
use crate::show::sheet;

/// Most sheets of a page.
const MOST: usize = 12;
/// Bytes above which a sheet is made smaller.
const LARGE: u64 = 1 << 20;

/// At most twelve, evenly spaced, including the first and the last.
pub fn choose(all: &[RunFile]) -> Vec<&RunFile> {
    let count = all.len().min(MOST);
    (0..count)
        .map(|i| &all[i * (all.len() - 1) / (count - 1).max(1)])
        .collect()
}

/// A sheet as a data URI; a large one is shrunk.
///
/// # Errors
/// If it cannot be read or is not a picture.
pub fn data_uri(file: &RunFile) -> Result<String> {
    ensure!(
        file.bytes <= MAX_FILE_BYTES,
        "{} bytes, more than {MAX_FILE_BYTES}",
        file.bytes
    );
    let mut bytes = std::fs::read(&file.path)?;
    let picture = picture::decode(&bytes, [u8::MAX; 3])?;
    if file.bytes > LARGE {
        // the bytes of a PNG are proportional to its area
        let factor = (file.bytes as f64 / LARGE as f64).sqrt().ceil() as usize;
        bytes = sheet::to_png(&shrunk(&picture, factor).context("a sheet without pixels")?)?;
    }
    Ok(format!("data:image/png;base64,{}", STANDARD.encode(bytes)))
}

/// Means over squares of `factor` pixels; the remainder at the right and the bottom is dropped.
fn shrunk(picture: &Picture, factor: usize) -> Option<Sheet> {
    let (width, height) = (picture.width / factor, picture.height / factor);
    let mut rgba = Vec::with_capacity(width * height * 4);
    let area = factor * factor;
    for y in 0..height {
        for x in 0..width {
            let mut sum = [0usize; 3];
            for row in y * factor..(y + 1) * factor {
                let at = (row * picture.width + x * factor) * 3;
                for pixel in picture.rgb[at..at + 3 * factor].chunks_exact(3) {
                    for (sum, &value) in sum.iter_mut().zip(pixel) {
                        *sum += usize::from(value);
                    }
                }
            }
            rgba.extend(sum.map(|sum| ((sum + area / 2) / area) as u8));
            rgba.push(u8::MAX);
        }
    }
    (width > 0 && height > 0).then_some(Sheet {
        width,
        height,
        rgba,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_sheet_are_chosen() {
        let all: Vec<RunFile> = (0..100)
            .map(|images_seen| RunFile {
                images_seen,
                path: "x".into(),
                bytes: 0,
            })
            .collect();
        let images = |all| -> Vec<u64> { choose(all).iter().map(|f| f.images_seen).collect() };
        assert_eq!(images(&all), [0, 9, 18, 27, 36, 45, 54, 63, 72, 81, 90, 99]);
        assert_eq!(images(&all[..1]), [0]);
        assert_eq!(images(&all[..12]).len(), 12);
        assert!(images(&[]).is_empty());
    }

    #[test]
    fn a_shrunk_pixel_is_a_mean() {
        let picture = Picture {
            width: 5,
            height: 2,
            rgb: (0..30).collect(),
            traits: picture::Traits::default(),
        };
        let small = shrunk(&picture, 2).unwrap();
        assert_eq!((small.width, small.height), (2, 1));
        // red of the first square: (0 + 3 + 15 + 18) / 4
        assert_eq!(small.rgba, [9, 10, 11, 255, 15, 16, 17, 255]);
        assert!(shrunk(&picture, 3).is_none());
    }
}
