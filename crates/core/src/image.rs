//! Images between tensors and bytes.

use crate::error::{Error, Result};

/// One channel value in [-1, 1] as a byte: `round((x + 1) 127.5)`, clamped.
///
/// Ties round away from zero; native and wasm agree, since all of it is exact f32 arithmetic.
pub fn to_u8(value_pm1: f32) -> u8 {
    libm::roundf((value_pm1 + 1.0) * 127.5).clamp(0.0, 255.0) as u8
}

/// One byte as a channel value in [-1, 1]: `x / 127.5 - 1`.
pub const fn from_u8(value: u8) -> f32 {
    value as f32 / 127.5 - 1.0
}

/// RGBA bytes of images.
///
/// # Shapes
/// - images_pm1: `[n, 3, side, side]` values in [-1, 1], row-major
/// - returns `n` images of `side * side * 4` bytes, opaque
///
/// # Errors
/// If the number of values does not fit, or a value is not finite.
pub fn to_rgba(images_pm1: &[f32], side: usize) -> Result<Vec<Vec<u8>>> {
    let plane = side * side;
    if plane == 0 || !images_pm1.len().is_multiple_of(3 * plane) {
        return Err(Error::request(format_args!(
            "the number of values for RGB images of {side}x{side}"
        ))
        .found(images_pm1.len())
        .expected(format_args!("a multiple of {}", 3 * plane)));
    }
    if images_pm1.iter().any(|v| !v.is_finite()) {
        return Err(Error::not_finite("the generator's output")
            .found("not finite")
            .remedy("use another model: this one is broken"));
    }
    Ok(images_pm1
        .chunks_exact(3 * plane)
        .map(|image| {
            (0..plane)
                .flat_map(|p| {
                    let channel = |c: usize| to_u8(image[c * plane + p]);
                    [channel(0), channel(1), channel(2), 255]
                })
                .collect()
        })
        .collect())
}

/// A sheet of equal images, `columns` to a row, with a margin between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// RGBA bytes, row-major.
    pub rgba: Vec<u8>,
}

/// Pixels between the images of a sheet.
const MARGIN: usize = 2;

impl Sheet {
    /// Width and height of so many images of `side` pixels, in pixels.
    ///
    /// # Panics
    /// If `columns` is 0.
    pub fn size(count: usize, side: usize, columns: usize) -> [usize; 2] {
        assert!(columns > 0, "a sheet needs a column");
        let cell = side + MARGIN;
        [columns, count.div_ceil(columns)].map(|cells| cells * cell + MARGIN)
    }

    /// Lays out RGBA images of `side` pixels.
    ///
    /// # Panics
    /// If `columns` is 0 or an image has another number of bytes.
    pub fn new(images: &[Vec<u8>], side: usize, columns: usize) -> Self {
        let [width, height] = Self::size(images.len(), side, columns);
        let cell = side + MARGIN;
        let mut rgba = vec![255u8; width * height * 4];
        for (index, image) in images.iter().enumerate() {
            assert_eq!(image.len(), side * side * 4, "bytes of image {index}");
            let (row, column) = (index / columns, index % columns);
            for (y, line) in image.chunks_exact(side * 4).enumerate() {
                let start = ((MARGIN + row * cell + y) * width + MARGIN + column * cell) * 4;
                rgba[start..start + line.len()].copy_from_slice(line);
            }
        }
        Self {
            width,
            height,
            rgba,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives() {
        for byte in 0..=255u8 {
            assert_eq!(to_u8(from_u8(byte)), byte);
        }
        assert_eq!((to_u8(-9.0), to_u8(9.0)), (0, 255));
    }

    #[test]
    fn channels_interleave() {
        let rgba = to_rgba(&[-1.0, 0.0, 1.0], 1).unwrap();
        assert_eq!(rgba, [vec![0, 128, 255, 255]]);
        assert!(to_rgba(&[0.0; 4], 1).is_err());
        let broken = to_rgba(&[f32::NAN, 0.0, 0.0], 1).unwrap_err();
        assert_eq!(broken.kind(), crate::ErrorKind::NotFinite);
    }

    #[test]
    fn sheet_places_images() {
        let sheet = Sheet::new(&[vec![1; 4], vec![2; 4], vec![3; 4]], 1, 2);
        assert_eq!((sheet.width, sheet.height), (8, 8));
        let at = |x: usize, y: usize| sheet.rgba[(y * 8 + x) * 4];
        assert_eq!((at(2, 2), at(5, 2), at(2, 5), at(5, 5)), (1, 2, 3, 255));
    }
}
