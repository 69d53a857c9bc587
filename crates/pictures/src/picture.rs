//! An untrusted PNG, JPEG or WebP file as RGB bytes. Its kind is told by its first bytes, and its header is
//! checked before memory is allocated for pixels. The rules are in docs/data.md, Reading.

mod exif;
mod jpeg;
mod jpeg_huffman;
mod jpeg_structure;
mod kinds;
mod png;
mod profile;
mod raw;
mod webp;

use std::fs::{File, Metadata};
use std::io::Read;
use std::path::Path;

use anyhow::{Result, ensure};

use raw::Raw;

pub use kinds::{KIND_BYTES, check_kind, kind, other_picture};
pub use raw::{MAX_SIDE, Traits};

/// Most bytes of a file; 8192x8192 incompressible RGB pixels have 192 MiB.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// Extensions of the files that are read.
pub const EXTENSIONS: [&str; 4] = ["jpeg", "jpg", "png", "webp"];

/// A decoded picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels per row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `[height, width, 3]`, upright, without transparency.
    pub rgb: Vec<u8>,
    /// What else is known of the file.
    pub traits: Traits,
}

/// The bytes of a file.
///
/// # Errors
/// If it is not a regular file (a pipe would never end), is too large, or cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let metadata = std::fs::metadata(path)?;
    check_file(&metadata)?;
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    // a file may grow while it is read
    File::open(path)?
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)?;
    check_bytes(bytes.len() as u64)?;
    Ok(bytes)
}

/// Refuses files that cannot be pictures.
///
/// # Errors
/// If it is not a regular file, or too large.
pub fn check_file(metadata: &Metadata) -> Result<()> {
    ensure!(metadata.is_file(), "not a regular file");
    check_bytes(metadata.len())
}

fn check_bytes(bytes: u64) -> Result<()> {
    ensure!(
        bytes <= MAX_FILE_BYTES,
        "{bytes} bytes, more than {MAX_FILE_BYTES}"
    );
    Ok(())
}

/// Decodes a file in memory. What is transparent becomes the background, RGB.
///
/// # Errors
/// If it is neither PNG, JPEG nor WebP, is damaged or cut, or a side is 0 or above [`MAX_SIDE`].
pub fn decode(file: &[u8], background: [u8; 3]) -> Result<Picture> {
    let raw = match check_kind(file, file.len() as u64)? {
        "png" => png::decode(file)?,
        "jpeg" => jpeg::decode(file)?,
        _ => webp::decode(file, background)?,
    };
    let Raw {
        width,
        height,
        pixels,
        orientation,
        mut traits,
        ..
    } = raw;
    let rgb = if raw.alpha {
        traits.transparent = pixels.as_chunks::<4>().0.iter().any(|p| p[3] != u8::MAX);
        blended(&pixels, background)
    } else {
        pixels
    };
    let (rgb, width, height) = orientation.apply::<3>(rgb, width, height);
    Ok(Picture {
        width,
        height,
        rgb,
        traits,
    })
}

/// Width and height by the header, as stored.
///
/// # Errors
/// If it is not a kind that is read, or its header is damaged or says a side of 0 or above [`MAX_SIDE`].
pub fn sides(file: &[u8]) -> Result<[usize; 2]> {
    let [width, height] = match check_kind(file, file.len() as u64)? {
        "png" => png::sides(file)?,
        "jpeg" => jpeg_structure::sides(file)?,
        _ => webp::sides(file)?,
    };
    raw::check_sides(width, height)?;
    Ok([width, height])
}

/// RGBA over a background: `round(c a / 255) + round(b (255 - a) / 255)`, of which a canvas holds the first term.
fn blended(rgba: &[u8], background: [u8; 3]) -> Vec<u8> {
    let share = |value: u8, of_255: u8| {
        let product = u16::from(value) * u16::from(of_255);
        ((product + 127) / 255) as u8 // at most 255; no product is half way
    };
    let pixels = rgba.as_chunks::<4>().0.iter();
    pixels
        .flat_map(|&[red, green, blue, alpha]| {
            let under = background.map(|value| share(value, u8::MAX - alpha));
            let over = [red, green, blue].map(|value| share(value, alpha));
            [0, 1, 2].map(|channel: usize| over[channel] + under[channel])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use ::png::{BitDepth, ColorType};

    use super::*;

    const WHITE: [u8; 3] = [u8::MAX; 3];

    fn png(width: u32, height: u32, color: ColorType, pixels: &[u8]) -> Vec<u8> {
        png_of(width, height, color, BitDepth::Eight, None, pixels)
    }

    fn png_of(
        width: u32,
        height: u32,
        color: ColorType,
        depth: BitDepth,
        transparency: Option<&[u8]>,
        pixels: &[u8],
    ) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = ::png::Encoder::new(&mut file, width, height);
        encoder.set_color(color);
        encoder.set_depth(depth);
        if let Some(transparency) = transparency {
            encoder.set_trns(transparency.to_vec());
        }
        if color == ColorType::Indexed {
            encoder.set_palette(vec![1, 2, 3, 4, 5, 6]);
        }
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(pixels).unwrap();
        drop(writer);
        file
    }

    #[test]
    fn kinds_of_png_become_rgb() {
        let rgb = |color, pixels: &[u8]| decode(&png(2, 1, color, pixels), WHITE).unwrap().rgb;
        assert_eq!(rgb(ColorType::Grayscale, &[7, 8]), [7, 7, 7, 8, 8, 8]);
        assert_eq!(rgb(ColorType::Indexed, &[1, 0]), [4, 5, 6, 1, 2, 3]);
        let deep = |color, values: &[u16]| {
            let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_be_bytes()).collect();
            decode(&png_of(2, 1, color, BitDepth::Sixteen, None, &bytes), WHITE).unwrap()
        };
        let twelve = deep(ColorType::Grayscale, &[4095, 0x01ff]);
        assert_eq!(twelve.rgb, [15, 15, 15, 1, 1, 1]);
        assert_eq!(twelve.traits.largest_of_16_bits, Some(4095));
        // alpha is no value
        let half = deep(ColorType::GrayscaleAlpha, &[0, 0x8000, 7, 0xffff]);
        assert_eq!(half.rgb, [127, 127, 127, 0, 0, 0]);
        assert_eq!(half.traits.largest_of_16_bits, Some(7));
    }

    #[test]
    fn transparency_is_blended_over_the_background() {
        let over = |file: &[u8], background| {
            let picture = decode(file, background).unwrap();
            assert!(picture.traits.transparent);
            picture.rgb
        };
        let rgba = png(2, 1, ColorType::Rgba, &[255, 0, 255, 0, 200, 100, 0, 128]);
        // 200 128/255 = 100.4;  255 127/255 = 127;  10 127/255 = 4.98
        assert_eq!(over(&rgba, WHITE), [255, 255, 255, 227, 177, 127]);
        assert_eq!(over(&rgba, [0, 0, 0]), [0, 0, 0, 100, 50, 0]);
        assert_eq!(over(&rgba, [10, 20, 30]), [10, 20, 30, 105, 60, 15]);
        let grey = png(2, 1, ColorType::GrayscaleAlpha, &[9, 0, 8, 255]);
        assert_eq!(over(&grey, WHITE), [255, 255, 255, 8, 8, 8]);
        let opaque = png(1, 1, ColorType::Rgba, &[1, 2, 3, 255]);
        assert!(!decode(&opaque, WHITE).unwrap().traits.transparent);
        // a palette with alpha, and a colour that means transparent, in 8 and 16 bits
        let palette = |alpha: &[u8]| {
            let depth = BitDepth::Eight;
            png_of(2, 1, ColorType::Indexed, depth, Some(alpha), &[0, 1])
        };
        assert_eq!(over(&palette(&[0]), WHITE), [255, 255, 255, 4, 5, 6]);
        let key = |depth, key: &[u8], bytes: &[u8]| {
            png_of(2, 1, ColorType::Grayscale, depth, Some(key), bytes)
        };
        assert_eq!(
            over(&key(BitDepth::Eight, &[0, 7], &[7, 8]), WHITE),
            [255, 255, 255, 8, 8, 8]
        );
        let both = [7, 1, 7, 2]; // they differ in the lower 8 bits
        assert_eq!(
            over(&key(BitDepth::Sixteen, &[7, 1], &both), WHITE),
            [255, 255, 255, 7, 7, 7]
        );
    }

    #[test]
    fn a_png_is_whole_with_all_its_rows() {
        let noise: Vec<u8> = (0..40u32 * 40 * 3)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        let whole = png(40, 40, ColorType::Rgb, &noise);
        let expected = decode(&whole, WHITE).unwrap().rgb;
        let end = whole.len() - 12; // IEND
        assert_eq!(decode(&whole[..end], WHITE).unwrap().rgb, expected);
        let trailing = [&whole[..], &[0x55; 100_000]].concat();
        assert_eq!(decode(&trailing, WHITE).unwrap().rgb, expected);
        for end in [end / 4, end / 2, end - 60] {
            assert!(decode(&whole[..end], WHITE).is_err(), "{end}");
        }
    }

    /// A grey JPEG of 8x8 pixels whose one block has only a constant, `dc` steps of 16 above 128.
    /// Written by the tables of ITU-T T.81: one quantiser, one code of one bit for each kind.
    fn jpeg(side: u16, dc: bool) -> Vec<u8> {
        let mut file = vec![0xff, 0xd8, 0xff, 0xdb, 0, 67, 0];
        file.extend([16; 64]);
        file.extend([0xff, 0xc0, 0, 11, 8]);
        file.extend(side.to_be_bytes());
        file.extend(side.to_be_bytes());
        file.extend([1, 1, 0x11, 0]);
        // DC: code 0 is category 0, code 10 category 5;  AC: code 0 is the end of the block
        file.extend([0xff, 0xc4, 0, 21, 0x00, 1, 1]);
        file.extend([0; 14]);
        file.extend([0, 5]);
        file.extend([0xff, 0xc4, 0, 20, 0x10, 1]);
        file.extend([0; 15]);
        file.push(0);
        file.extend([0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0]);
        // 10 10000 0: a DC of 16, times 16, over 8 is 32 above 128;  else 0 0
        file.push(if dc { 0b1010_0000 } else { 0b0011_1111 });
        file.extend([0xff, 0xd9]);
        file
    }

    #[test]
    fn jpeg_becomes_rgb() {
        let picture = decode(&jpeg(8, false), WHITE).unwrap();
        assert_eq!((picture.width, picture.height), (8, 8));
        assert_eq!(picture.rgb, [128; 192]);
        assert_eq!(decode(&jpeg(8, true), WHITE).unwrap().rgb, [160; 192]);
    }

    #[test]
    fn webp_becomes_rgb() {
        use image_webp::{ColorType, WebPEncoder};
        let encoded = |color, pixels: &[u8]| {
            let mut file = Vec::new();
            let encoder = WebPEncoder::new(&mut file); // lossless
            encoder.encode(pixels, 2, 1, color).unwrap();
            file
        };
        let whole = encoded(ColorType::Rgb8, &[1, 2, 3, 4, 5, 6]);
        assert_eq!(decode(&whole, WHITE).unwrap().rgb, [1, 2, 3, 4, 5, 6]);
        let see_through = encoded(ColorType::Rgba8, &[1, 2, 3, 9, 4, 5, 6, 255]);
        // 1 9/255 = 0.04;  255 246/255 = 246
        assert_eq!(
            decode(&see_through, WHITE).unwrap().rgb,
            [246, 246, 246, 4, 5, 6]
        );
        for end in 0..whole.len() - 1 {
            assert!(decode(&whole[..end], WHITE).is_err(), "{end} bytes");
        }
        let mut bomb = whole;
        bomb[21..25].copy_from_slice(&0x0fff_bffeu32.to_le_bytes()); // two sides of 14 bits
        let text = decode(&bomb, WHITE).unwrap_err().to_string();
        assert!(text.contains("16383x16383"), "{text}");
    }

    #[test]
    fn damage_is_refused_and_bombs_take_no_memory() {
        let refusal = |file: &[u8]| {
            let text = decode(file, WHITE).unwrap_err().to_string();
            assert!(!text.contains('\n'), "{text}");
            text
        };
        let whole = png(9, 9, ColorType::Grayscale, &(0..81).collect::<Vec<u8>>());
        refusal(&whole[..whole.len() - 30]);
        let mut bomb = whole.clone();
        let side = 100_000u32.to_be_bytes();
        bomb[16..24].copy_from_slice(&[side, side].concat());
        let crc = crc32fast::hash(&bomb[12..29]).to_be_bytes();
        bomb[29..33].copy_from_slice(&crc);
        assert!(refusal(&bomb).contains("100000x100000"));
        let text = refusal(&jpeg(60_000, true));
        assert!(text.contains("60000"), "{text}");
        let whole = jpeg(8, true);
        assert!(refusal(&whole[..whole.len() - 3]).contains("truncated"));
        assert!(refusal(b"GIF89a").contains("neither PNG, JPEG nor WebP"));
        refusal(b"");
    }
}
