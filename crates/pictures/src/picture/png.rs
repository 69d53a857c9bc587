//! PNG files (third edition) as RGB, with alpha where they have it.

use std::io::Cursor;

use anyhow::{Context, Result, bail};
use png::{BitDepth, ColorType, Info, Transformations};

use super::exif::Orientation;
use super::profile::other_than_srgb;
use super::raw::{Raw, Traits, check_sides};

/// Gammas that are sRGB's or close to it.
const SRGB_GAMMA: std::ops::Range<f32> = 0.4..0.5;
/// Primaries of sRGB by ITU-T H.273.
const BT709: u8 = 1;

/// The last chunk of a file.
const END: [u8; 12] = *b"\0\0\0\0IEND\xae\x42\x60\x82";

/// Decodes a PNG; of an animation, its first picture. The last chunk may be missing.
///
/// # Errors
/// If it is damaged or rows are missing, or a side is too long.
pub fn decode(file: &[u8]) -> Result<Raw> {
    decode_ended(file).or_else(|error| {
        // the decoder wants to see what follows the pixels; without all of them it finds the end within them
        if file.ends_with(&END) {
            return Err(error);
        }
        decode_ended(&[file, &END].concat()).map_err(|_| error)
    })
}

fn decode_ended(file: &[u8]) -> Result<Raw> {
    let mut decoder = png::Decoder::new(Cursor::new(file));
    decoder.set_transformations(Transformations::EXPAND);
    let header = decoder.read_header_info()?;
    let (width, height) = (header.width as usize, header.height as usize);
    check_sides(width, height)?;
    let mut reader = decoder.read_info()?;
    let bytes = reader
        .output_buffer_size()
        .context("its size does not fit memory")?;
    let mut values = vec![0; bytes];
    let frame = reader.next_frame(&mut values)?;
    values.truncate(frame.buffer_size());
    let info = reader.info();
    let exif = info.exif_metadata.as_deref();
    let mut traits = Traits {
        animated: info.animation_control.is_some(),
        profile: profile(info),
        ..Traits::default()
    };
    if frame.bit_depth == BitDepth::Sixteen {
        let values_16 = values.as_chunks::<2>().0;
        let samples = frame.color_type.samples();
        let opaque = match frame.color_type {
            ColorType::GrayscaleAlpha | ColorType::Rgba => samples - 1,
            _ => samples,
        };
        let colours = values_16
            .chunks_exact(samples)
            .flat_map(|pixel| &pixel[..opaque]);
        traits.largest_of_16_bits = colours.map(|&value| u16::from_be_bytes(value)).max();
        values = values_16.iter().map(|value| value[0]).collect();
    }
    let pixels = match frame.color_type {
        ColorType::Rgb | ColorType::Rgba => values,
        ColorType::Grayscale => values.iter().flat_map(|&v| [v; 3]).collect(),
        ColorType::GrayscaleAlpha => {
            let pixels = values.as_chunks::<2>().0.iter();
            pixels.flat_map(|&[v, alpha]| [v, v, v, alpha]).collect()
        }
        ColorType::Indexed => bail!("its palette was not applied"),
    };
    Ok(Raw {
        width,
        height,
        pixels,
        alpha: matches!(
            frame.color_type,
            ColorType::Rgba | ColorType::GrayscaleAlpha
        ),
        orientation: exif.map_or(Orientation::UPRIGHT, Orientation::of),
        traits,
    })
}

/// Width and height by the header.
///
/// # Errors
/// If the header is damaged.
pub fn sides(file: &[u8]) -> Result<[usize; 2]> {
    let mut decoder = png::Decoder::new(Cursor::new(file));
    let header = decoder.read_header_info()?;
    Ok([header.width as usize, header.height as usize])
}

/// What says that the colours are others than sRGB's, in the order of precedence.
fn profile(info: &Info<'_>) -> Option<String> {
    if let Some(points) = info.coding_independent_code_points {
        let primaries = points.color_primaries;
        return (primaries != BT709).then(|| format!("cICP primaries {primaries}"));
    }
    if let Some(icc) = &info.icc_profile {
        return other_than_srgb(icc);
    }
    let gamma = info.gama_chunk.map(png::ScaledFloat::into_value);
    let other = gamma.filter(|gamma| info.srgb.is_none() && !SRGB_GAMMA.contains(gamma));
    other.map(|gamma| format!("gamma {gamma}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A grey PNG of three columns and two rows with a chunk in front of or after its pixels.
    fn with_chunk(kind: [u8; 4], data: &[u8], in_front: bool) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, 3, 2);
        encoder.set_color(ColorType::Grayscale);
        let mut writer = encoder.write_header().unwrap();
        let chunk = png::chunk::ChunkType(kind);
        if in_front {
            writer.write_chunk(chunk, data).unwrap();
        }
        writer.write_image_data(&[0, 1, 2, 3, 4, 5]).unwrap();
        if !in_front {
            writer.write_chunk(chunk, data).unwrap();
        }
        drop(writer);
        file
    }

    #[test]
    fn exif_in_front_of_the_pixels_turns_a_png() {
        let tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        let turned = |in_front| {
            let raw = decode(&with_chunk(*b"eXIf", tiff, in_front)).unwrap();
            raw.orientation
        };
        assert_eq!(turned(true), Orientation::of(tiff));
        assert_ne!(turned(true), Orientation::UPRIGHT);
        assert_eq!(turned(false), Orientation::UPRIGHT, "as in browsers");
    }

    #[test]
    fn other_colours_than_srgb_are_named() {
        let profile = |kind, data: &[u8]| {
            decode(&with_chunk(kind, data, true))
                .unwrap()
                .traits
                .profile
        };
        assert_eq!(profile(*b"gAMA", &45455u32.to_be_bytes()), None);
        let linear = profile(*b"gAMA", &100_000u32.to_be_bytes());
        assert_eq!(linear.as_deref(), Some("gamma 1"));
        let wide = profile(*b"cICP", &[12, 13, 0, 1]);
        assert_eq!(wide.as_deref(), Some("cICP primaries 12"));
        assert_eq!(profile(*b"cICP", &[1, 13, 0, 1]), None);
    }

    #[test]
    fn an_animation_gives_its_first_picture() {
        let folder = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/fixtures/pictures/"
        );
        let file = std::fs::read(format!("{folder}moving.png")).unwrap();
        let raw = decode(&file).unwrap();
        assert!(raw.traits.animated);
        assert_eq!(
            raw.pixels[4 * (5 * raw.width + 5)..][..4],
            [200, 60, 20, 255]
        );
        assert_eq!(raw.pixels[4 * (14 * raw.width + 14) + 3], 0);
    }
}
