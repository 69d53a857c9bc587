//! A picture file as an image of a side: decoded, made square and resized.

use std::borrow::Cow;

use anyhow::Result;

use crate::area;
use crate::color::Color;
use crate::fit::Fit;
use crate::picture::{self, Picture};

/// Decodes a file and writes it as planes `[3, resolution, resolution]`; returns the picture before that.
///
/// # Errors
/// If it is not a picture or a damaged one, or memory runs out.
///
/// # Panics
/// If the planes have another length.
pub fn image(
    file: &[u8],
    resolution: usize,
    fit: Fit,
    background: Color,
    planes: &mut [u8],
) -> Result<Picture> {
    let picture = picture::decode(file, background.0)?;
    let (width, height) = (picture.width, picture.height);
    match fit {
        Fit::Crop => area::square(&picture.rgb, width, height, resolution, planes)?,
        Fit::Pad => {
            let square = padded(&picture, background);
            let side = width.max(height);
            area::square(&square, side, side, resolution, planes)?;
        }
    }
    Ok(picture)
}

/// The picture in the middle of a square of its long side, `[side, side, 3]`.
fn padded(picture: &Picture, background: Color) -> Cow<'_, [u8]> {
    let (width, height) = (picture.width, picture.height);
    if width == height {
        return Cow::Borrowed(&picture.rgb);
    }
    let side = width.max(height);
    let (top, left) = ((side - height) / 2, (side - width) / 2);
    let mut square = background.0.repeat(side * side);
    for (y, line) in picture.rgb.chunks_exact(3 * width).enumerate() {
        let at = 3 * ((top + y) * side + left);
        square[at..at + line.len()].copy_from_slice(line);
    }
    Cow::Owned(square)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A grey PNG.
    fn grey(width: u32, height: u32, pixels: &[u8]) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, width, height);
        encoder.set_color(png::ColorType::Grayscale);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(pixels).unwrap();
        drop(writer);
        file
    }

    fn red(file: &[u8], resolution: usize, fit: Fit, background: Color) -> Vec<u8> {
        let mut planes = vec![0; 3 * resolution * resolution];
        image(file, resolution, fit, background, &mut planes).unwrap();
        planes.truncate(resolution * resolution);
        planes
    }

    #[test]
    fn pad_keeps_the_whole_picture_in_the_middle_of_the_background() {
        const B: u8 = 9;
        let background = Color([B, 8, 255]);
        let row = grey(4, 1, &[100, 110, 120, 130]);
        let column = grey(1, 3, &[100, 110, 120]);
        // the margin in front is rounded down
        let rows = [[B; 4], [100, 110, 120, 130], [B; 4], [B; 4]].concat();
        assert_eq!(red(&row, 4, Fit::Pad, background), rows);
        let columns = [[B, 100, B], [B, 110, B], [B, 120, B]].concat();
        assert_eq!(red(&column, 3, Fit::Pad, background), columns);
        assert_eq!(
            red(&row, 1, Fit::Crop, background),
            [110],
            "one of the middle two"
        );
        // then resized by area: half of each new pixel in front is of the row
        assert_eq!(red(&row, 2, Fit::Pad, background), [57, 67, B, B]);
    }

    #[test]
    fn squares_are_the_same_either_way() {
        let file = grey(3, 3, &[1, 2, 3, 4, 5, 6, 7, 8, 9]);
        let [crop, pad] = [Fit::Crop, Fit::Pad].map(|fit| red(&file, 3, fit, Color::default()));
        assert_eq!(crop, pad);
    }
}
