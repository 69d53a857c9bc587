//! The central square of a picture, resized by area resampling (BigGAN): each pixel is the mean of the area
//! it covers.
//!
//! The crate `resize` resamples, with a kernel that gives that mean: libraries' box filters take
//! pixels whole or not at all, which from 3 to 2 pixels is not the mean (docs/data.md has the differences). It
//! sums f32 in the same order everywhere, without machine-specific instructions, so that bytes agree.

use anyhow::{Context, Result};
use resize::{Filter, Pixel, Type};
use rgb::FromSlice;

/// Share of a source pixel that a target pixel covers, by the distance of their centres: a trapezoid as
/// wide as both.
fn area_filter(from: usize, to: usize) -> Filter {
    let ratio = from as f64 / to as f64; // length of a target pixel in source pixels
    let unit = ratio.max(1.0); // in which the crate measures distances, in source pixels
    let covered = move |distance: f32| {
        let apart = f64::from(distance).abs() * unit;
        ((ratio + 1.0) / 2.0 - apart).clamp(0.0, ratio.min(1.0)) as f32
    };
    Filter::new(Box::new(covered), ((ratio + 1.0) / 2.0 / unit) as f32)
}

/// Writes the middle of an RGB picture, `[height, width, 3]`, as planes `[3, resolution, resolution]`.
///
/// # Errors
/// If memory runs out.
///
/// # Panics
/// If a length does not match the sizes, or the picture has no pixel.
pub fn square(
    rgb: &[u8],
    width: usize,
    height: usize,
    resolution: usize,
    planes: &mut [u8],
) -> Result<()> {
    assert_eq!(rgb.len(), width * height * 3, "{width}x{height}");
    assert_eq!(planes.len(), 3 * resolution * resolution, "{resolution}");
    assert!(!rgb.is_empty() && resolution > 0, "{width}x{height}");
    let side = width.min(height);
    let (top, left) = ((height - side) / 2, (width - side) / 2);
    let failed = || format!("resizing {side}x{side} to {resolution}x{resolution}");
    let kind = Type::Custom(area_filter(side, resolution));
    let mut resizer =
        resize::new(side, side, resolution, resolution, Pixel::RGB8, kind).with_context(failed)?;
    let mut resized = vec![0; planes.len()];
    let middle = &rgb.as_rgb()[top * width + left..];
    resizer
        .resize_stride(middle, width, resized.as_rgb_mut())
        .with_context(failed)?;
    for (channel, plane) in planes.chunks_exact_mut(resolution * resolution).enumerate() {
        for (value, pixel) in plane.iter_mut().zip(resized.chunks_exact(3)) {
            *value = pixel[channel];
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(pixels: &[u8], width: usize, resolution: usize) -> Vec<u8> {
        let rgb: Vec<u8> = pixels.iter().flat_map(|&p| [p, p, p]).collect();
        let mut planes = vec![0; 3 * resolution * resolution];
        square(&rgb, width, pixels.len() / width, resolution, &mut planes).unwrap();
        let (red, rest) = planes.split_at(resolution * resolution);
        assert_eq!([red, red].concat(), rest);
        red.to_vec()
    }

    #[test]
    fn a_pixel_is_the_mean_of_what_it_covers() {
        // columns 0, 30, 90: the first target covers all of 0 and half of 30
        let thirds = grey(&[0, 30, 90, 0, 30, 90, 0, 30, 90], 3, 2);
        assert_eq!(thirds, [10, 70, 10, 70]);
        assert_eq!(grey(&[10, 20, 30, 41], 2, 1), [25]); // 25.25
        assert_eq!(grey(&[7], 1, 2), [7; 4]); // enlarged
        let same: Vec<u8> = (0..16).collect();
        assert_eq!(grey(&same, 4, 4), same);
        assert_eq!(grey(&[255; 49], 7, 3), [255; 9]);
    }

    /// Sums of f32 may round differently from the exact mean where that is close to a half.
    const ROUNDING: u8 = 1;

    /// The mean in integers: both lengths divided into `from * to` parts.
    fn exact(line: &[u8], to: usize) -> Vec<u64> {
        let from = line.len();
        let part = |i: usize| u64::from(line[i / to]);
        let mean = |t: usize| (t * from..(t + 1) * from).map(part).sum::<u64>();
        (0..to)
            .map(|t| (mean(t) + from as u64 / 2) / from as u64)
            .collect()
    }

    #[test]
    fn all_ratios_are_exact_means() {
        for (from, to) in [(7, 3), (252, 128), (500, 128), (97, 96), (3, 7), (28, 32)] {
            let line: Vec<u8> = (0..from).map(|i| (i * i * 31 % 256) as u8).collect();
            let rows: Vec<u8> = line.iter().copied().cycle().take(from * from).collect();
            let columns: Vec<u8> = (0..from * from).map(|i| line[i / from]).collect();
            let expected = exact(&line, to);
            for (pixels, step) in [(rows, 1), (columns, to)] {
                let got = grey(&pixels, from, to);
                for (place, &mean) in expected.iter().enumerate() {
                    let apart = u64::from(got[place * step]).abs_diff(mean);
                    assert!(apart <= u64::from(ROUNDING), "{from} to {to}, {place}");
                }
            }
        }
    }

    #[test]
    fn the_long_edge_is_cropped_around_the_middle() {
        assert_eq!(grey(&[9, 1, 2, 9, 9, 3, 4, 9], 4, 2), [1, 2, 3, 4]);
        assert_eq!(grey(&[9, 9, 1, 2, 3, 4, 9, 9], 2, 2), [1, 2, 3, 4]);
    }

    #[test]
    fn channels_become_planes() {
        let mut planes = [0; 3];
        square(&[1, 2, 3], 1, 1, 1, &mut planes).unwrap();
        assert_eq!(planes, [1, 2, 3]);
    }
}
