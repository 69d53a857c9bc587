//! WebP files (RFC 9649) as RGB, with alpha where they have it.

use std::io::Cursor;

use anyhow::{Context, Result, ensure};
use image_webp::WebPDecoder;

use super::exif::Orientation;
use super::profile::other_than_srgb;
use super::raw::{MAX_SIDE, Raw, Traits, check_sides};

/// Decodes a WebP; of an animation, its first frame, and the background where that has no pixels.
///
/// # Errors
/// If it is damaged or cut, or a side is too long.
pub fn decode(file: &[u8], background: [u8; 3]) -> Result<Raw> {
    let mut decoder = WebPDecoder::new(Cursor::new(file))?;
    check_length(file)?;
    let (width, height) = decoder.dimensions();
    let (width, height) = (width as usize, height as usize);
    check_sides(width, height)?;
    decoder.set_memory_limit(8 * MAX_SIDE * MAX_SIDE);
    let alpha = decoder.has_alpha();
    if decoder.is_animated() && !alpha {
        let [red, green, blue] = background;
        decoder.set_background_color([red, green, blue, u8::MAX])?;
    }
    let bytes = decoder
        .output_buffer_size()
        .context("its size does not fit memory")?;
    let mut pixels = vec![0; bytes];
    decoder.read_image(&mut pixels)?;
    // some programs write the mark that JPEG segments begin with
    let exif = decoder.exif_metadata()?.unwrap_or_default();
    let exif = exif.strip_prefix(b"Exif\0\0").unwrap_or(&exif);
    let icc = decoder.icc_profile()?;
    Ok(Raw {
        width,
        height,
        pixels,
        alpha,
        orientation: Orientation::of(exif),
        traits: Traits {
            animated: decoder.is_animated(),
            profile: icc.and_then(|icc| other_than_srgb(&icc)),
            ..Traits::default()
        },
    })
}

/// Refuses a file that is shorter than it says, but for the last byte, which may be padding; the decoder takes the
/// end of the data of a lossy picture for zeros.
fn check_length(file: &[u8]) -> Result<()> {
    let said = file.get(4..).and_then(|rest| rest.first_chunk());
    let said = said.map_or(0, |bytes| u64::from(u32::from_le_bytes(*bytes)));
    ensure!(
        file.len() as u64 + 1 >= said + 8,
        "truncated: {} bytes, of which its header says {}",
        file.len(),
        said + 8
    );
    Ok(())
}

/// Width and height by the header.
///
/// # Errors
/// If the header is damaged.
pub fn sides(file: &[u8]) -> Result<[usize; 2]> {
    let (width, height) = WebPDecoder::new(Cursor::new(file))?.dimensions();
    Ok([width as usize, height as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHITE: [u8; 3] = [u8::MAX; 3];

    fn fixture(name: &str) -> Vec<u8> {
        let folder = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/fixtures/pictures/"
        );
        std::fs::read(format!("{folder}{name}")).unwrap()
    }

    #[test]
    fn a_cut_webp_is_refused() {
        let whole = fixture("lossy.webp");
        assert_eq!(decode(&whole, WHITE).unwrap().pixels.len(), 37 * 29 * 3);
        for end in 0..whole.len() - 1 {
            assert!(decode(&whole[..end], WHITE).is_err(), "{end}");
        }
        let trailing = [&whole[..], &[7; 100]].concat();
        assert!(decode(&trailing, WHITE).is_ok());
    }

    #[test]
    fn the_first_frame_of_an_animation_is_over_the_background() {
        // its frames are smaller than its canvas, though it has no alpha
        let background = [10, 20, 30];
        let raw = decode(&fixture("moving.webp"), background).unwrap();
        assert!(raw.traits.animated && !raw.alpha);
        let pixel = |x: usize, y: usize| &raw.pixels[3 * (y * raw.width + x)..][..3];
        assert_eq!(pixel(5, 5), [200, 60, 20]);
        assert_eq!([pixel(0, 0), pixel(14, 14)], [background; 2]);
    }

    /// The extended form (RFC 9649, 2.7) of a simple file, with Exif data after its pixels.
    #[test]
    fn exif_turns_a_webp_with_and_without_its_mark() {
        let simple = fixture("lossy.webp");
        let tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        for mark in [&b""[..], b"Exif\0\0"] {
            let exif = [mark, tiff].concat();
            let mut body = b"WEBPVP8X\x0a\0\0\0\x08\0\0\0".to_vec();
            body.extend([36, 0, 0, 28, 0, 0]); // sides minus 1
            body.extend(&simple[12..]);
            body.extend(b"EXIF");
            body.extend((exif.len() as u32).to_le_bytes());
            body.extend(exif);
            let mut file = b"RIFF".to_vec();
            file.extend((body.len() as u32).to_le_bytes());
            file.extend(body);
            let raw = decode(&file, WHITE).unwrap();
            assert_eq!(raw.orientation, Orientation::of(tiff));
            assert_ne!(raw.orientation, Orientation::UPRIGHT);
        }
    }
}
