//! An untrusted PNG, JPEG or WebP file as RGB bytes. Its kind is told by its first bytes, and its header is
//! checked before memory is allocated for pixels.

use std::fs::{File, Metadata};
use std::io::{Cursor, Read};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use image_webp::WebPDecoder;
use png::{ColorType, Transformations};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

/// Most pixels of a side. Larger ones are refused by their header: a few bytes can claim gigabytes.
pub const MAX_SIDE: usize = 8192;
/// Most bytes of a file; 8192x8192 incompressible RGB pixels have 192 MiB.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// Bytes at the start of a file that identify its kind.
pub const KIND_BYTES: u64 = 12;

/// Extensions of the files that are read.
pub const EXTENSIONS: [&str; 4] = ["jpeg", "jpg", "png", "webp"];

const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
const JPEG_SIGNATURE: &[u8] = b"\xff\xd8\xff";

/// A decoded picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels per row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `[height, width, 3]`. Transparency is dropped, as by the references' `convert("RGB")`.
    pub rgb: Vec<u8>,
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

/// Decodes a file in memory.
///
/// # Errors
/// If it is neither PNG, JPEG nor WebP, is damaged, or a side is 0 or above [`MAX_SIDE`].
pub fn decode(file: &[u8]) -> Result<Picture> {
    match check_kind(file, file.len() as u64)? {
        "png" => decode_png(file),
        "jpeg" => decode_jpeg(file),
        _ => decode_webp(file),
    }
}

/// The kind of a file of this many bytes by its start, at least [`KIND_BYTES`] if it has them.
///
/// # Errors
/// If it is not a kind that is read.
pub fn check_kind(start: &[u8], bytes: u64) -> Result<&'static str> {
    let other = || format!("neither PNG, JPEG nor WebP: {bytes} bytes of another kind");
    kind(start).with_context(other)
}

/// The kind of a file by its first bytes: `png`, `jpeg`, `webp`, or none of these.
pub fn kind(file: &[u8]) -> Option<&'static str> {
    if file.starts_with(PNG_SIGNATURE) {
        Some("png")
    } else if file.starts_with(JPEG_SIGNATURE) {
        Some("jpeg")
    } else if file.starts_with(b"RIFF") && file.get(8..12) == Some(b"WEBP") {
        Some("webp")
    } else {
        None
    }
}

fn check_sides(width: usize, height: usize) -> Result<()> {
    ensure!(
        (1..=MAX_SIDE).contains(&width) && (1..=MAX_SIDE).contains(&height),
        "its header says {width}x{height} pixels; a side may have 1 to {MAX_SIDE}"
    );
    Ok(())
}

fn decode_png(file: &[u8]) -> Result<Picture> {
    let mut decoder = png::Decoder::new(Cursor::new(file));
    decoder.set_transformations(Transformations::normalize_to_color8());
    let header = decoder.read_header_info()?;
    let (width, height) = (header.width as usize, header.height as usize);
    check_sides(width, height)?;
    let mut reader = decoder.read_info()?;
    let bytes = reader
        .output_buffer_size()
        .context("its size does not fit memory")?;
    let mut pixels = vec![0; bytes];
    let frame = reader.next_frame(&mut pixels)?;
    pixels.truncate(frame.buffer_size());
    let rgb = match frame.color_type {
        ColorType::Rgb => pixels,
        ColorType::Rgba => pixels
            .chunks_exact(4)
            .flat_map(|p| [p[0], p[1], p[2]])
            .collect(),
        ColorType::Grayscale => pixels.iter().flat_map(|&p| [p; 3]).collect(),
        ColorType::GrayscaleAlpha => pixels.chunks_exact(2).flat_map(|p| [p[0]; 3]).collect(),
        ColorType::Indexed => bail!("its palette was not applied"),
    };
    Ok(Picture { width, height, rgb })
}

fn decode_jpeg(file: &[u8]) -> Result<Picture> {
    let options = DecoderOptions::default()
        .jpeg_set_out_colorspace(ColorSpace::RGB)
        .set_max_width(MAX_SIDE)
        .set_max_height(MAX_SIDE);
    // the decoder fills missing data with grey; a truncated picture is refused
    ensure!(
        file.windows(2)
            .rev()
            .take(MAX_TRAILER)
            .any(|w| w == END_OF_IMAGE),
        "truncated: it has no end marker"
    );
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), options);
    decoder.decode_headers().map_err(said)?;
    let (width, height) = decoder.dimensions().context("its header has no size")?;
    check_sides(width, height)?;
    let rgb = decoder.decode().map_err(said)?;
    ensure!(
        rgb.len() == width * height * 3,
        "{} bytes of pixels, expected {} for {width}x{height}",
        rgb.len(),
        width * height * 3
    );
    Ok(Picture { width, height, rgb })
}

fn decode_webp(file: &[u8]) -> Result<Picture> {
    let mut decoder = WebPDecoder::new(Cursor::new(file))?;
    let (width, height) = decoder.dimensions();
    let (width, height) = (width as usize, height as usize);
    check_sides(width, height)?;
    ensure!(!decoder.is_animated(), "an animation; give single pictures");
    decoder.set_memory_limit(8 * MAX_SIDE * MAX_SIDE);
    let bytes = decoder
        .output_buffer_size()
        .context("its size does not fit memory")?;
    let mut pixels = vec![0; bytes];
    decoder.read_image(&mut pixels)?;
    let rgb = match decoder.has_alpha() {
        false => pixels,
        true => pixels
            .chunks_exact(4)
            .flat_map(|p| [p[0], p[1], p[2]])
            .collect(),
    };
    Ok(Picture { width, height, rgb })
}

const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];
/// How far from the end to search for the end marker: cameras and servers append data after it.
const MAX_TRAILER: usize = 1 << 16;

/// A decoder's error on one line.
fn said(error: impl std::fmt::Debug) -> anyhow::Error {
    let text = format!("{error:?}");
    anyhow::anyhow!("{}", text.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32, color: ColorType, pixels: &[u8]) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, width, height);
        encoder.set_color(color);
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
        let rgb = |color, pixels: &[u8]| decode(&png(2, 1, color, pixels)).unwrap().rgb;
        assert_eq!(rgb(ColorType::Grayscale, &[7, 8]), [7, 7, 7, 8, 8, 8]);
        assert_eq!(
            rgb(ColorType::Rgba, &[1, 2, 3, 0, 4, 5, 6, 255]),
            [1, 2, 3, 4, 5, 6]
        );
        assert_eq!(rgb(ColorType::Indexed, &[1, 0]), [4, 5, 6, 1, 2, 3]);
        assert_eq!(
            rgb(ColorType::GrayscaleAlpha, &[9, 0, 8, 1]),
            [9, 9, 9, 8, 8, 8]
        );
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
        let picture = decode(&jpeg(8, false)).unwrap();
        assert_eq!((picture.width, picture.height), (8, 8));
        assert_eq!(picture.rgb, [128; 192]);
        assert_eq!(decode(&jpeg(8, true)).unwrap().rgb, [160; 192]);
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
        assert_eq!(decode(&whole).unwrap().rgb, [1, 2, 3, 4, 5, 6]);
        let see_through = encoded(ColorType::Rgba8, &[1, 2, 3, 9, 4, 5, 6, 255]);
        assert_eq!(decode(&see_through).unwrap().rgb, [1, 2, 3, 4, 5, 6]);
        for end in 0..whole.len() - 1 {
            assert!(decode(&whole[..end]).is_err(), "{end} bytes");
        }
        let mut bomb = whole;
        bomb[21..25].copy_from_slice(&0x0fff_bffeu32.to_le_bytes()); // two sides of 14 bits
        let text = decode(&bomb).unwrap_err().to_string();
        assert!(text.contains("16383x16383"), "{text}");
    }

    #[test]
    fn damage_is_refused_and_bombs_take_no_memory() {
        let refusal = |file: &[u8]| {
            let text = decode(file).unwrap_err().to_string();
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
        assert!(refusal(&whole[..whole.len() - 2]).contains("truncated"));
        assert!(refusal(b"GIF89a").contains("neither PNG, JPEG nor WebP"));
        refusal(b"");
    }
}
