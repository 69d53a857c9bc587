//! JPEG files (ITU-T T.81, T.871) as RGB.

use std::borrow::Cow;

use anyhow::{Result, ensure};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::exif::Orientation;
use super::jpeg_structure;
use super::profile::other_than_srgb;
use super::raw::{MAX_SIDE, Raw, Traits};

const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];

/// Decodes a JPEG.
///
/// # Errors
/// If data are missing or damaged, a side is too long, or it is of a process that is not read.
pub fn decode(file: &[u8]) -> Result<Raw> {
    let structure = jpeg_structure::read(file)?;
    let (width, height) = (structure.width, structure.height);
    let file = match structure.unmarked_end {
        None => Cow::Borrowed(file),
        // without what follows, which the decoder would take for data
        Some(end) => Cow::Owned([&file[..end], &END_OF_IMAGE].concat()),
    };
    let options = DecoderOptions::default()
        .jpeg_set_out_colorspace(ColorSpace::RGB)
        .set_max_width(MAX_SIDE)
        .set_max_height(MAX_SIDE);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(&file[..]), options);
    let pixels = decoder.decode().map_err(said)?;
    ensure!(
        pixels.len() == width * height * 3,
        "{} bytes of pixels, expected {} for {width}x{height}",
        pixels.len(),
        width * height * 3
    );
    Ok(Raw {
        width,
        height,
        pixels,
        alpha: false,
        orientation: structure.exif.map_or(Orientation::UPRIGHT, Orientation::of),
        traits: Traits {
            cmyk: structure.components == 4,
            profile: (!structure.icc.is_empty())
                .then(|| other_than_srgb(&structure.icc))
                .flatten(),
            ..Traits::default()
        },
    })
}

/// A decoder's error on one line.
fn said(error: impl std::fmt::Debug) -> anyhow::Error {
    let text = format!("{error:?}");
    anyhow::anyhow!("{}", text.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of tests/fixtures/pictures.
    fn fixture(name: &str) -> Vec<u8> {
        let folder = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/fixtures/pictures/"
        );
        std::fs::read(format!("{folder}{name}")).unwrap()
    }

    fn pixels(file: &[u8]) -> Vec<u8> {
        decode(file).unwrap().pixels
    }

    fn refusal(file: &[u8]) -> String {
        let text = decode(file).unwrap_err().to_string();
        assert!(!text.contains('\n'), "{text}");
        text
    }

    /// With a segment after the first marker.
    fn with_segment(file: &[u8], marker: u8, data: &[u8]) -> Vec<u8> {
        let length = (data.len() as u16 + 2).to_be_bytes();
        [&file[..2], &[0xff, marker], &length, data, &file[2..]].concat()
    }

    /// An Exif segment's data with an orientation.
    fn exif(orientation: u8) -> Vec<u8> {
        let head = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0";
        [head, &[orientation, 0, 0, 0, 0, 0, 0, 0][..]].concat()
    }

    const KINDS: [&str; 4] = ["baseline.jpg", "progressive.jpg", "restart.jpg", "grey.jpg"];

    #[test]
    fn a_jpeg_cut_anywhere_is_refused_though_its_thumbnail_is_whole() {
        for name in KINDS {
            let whole = fixture(name);
            let expected = pixels(&whole);
            let thumbnail = [&exif(1)[..], &fixture("grey.jpg")].concat();
            let whole = with_segment(&whole, 0xe1, &thumbnail);
            assert_eq!(pixels(&whole), expected);
            for end in 3..whole.len() - 2 {
                let text = refusal(&whole[..end]);
                assert!(text.contains("truncated"), "{name} {end}: {text}");
            }
        }
    }

    #[test]
    fn a_cut_jpeg_is_refused_though_an_end_marker_was_appended() {
        for name in ["baseline.jpg", "restart.jpg", "grey.jpg"] {
            let whole = fixture(name);
            let scan = whole.windows(2).position(|pair| pair == [0xff, 0xda]);
            // between the scan's header and the last byte of its data
            for end in scan.unwrap() + 14..whole.len() - 2 {
                if whole[end - 1] != 0xff {
                    let text = refusal(&[&whole[..end], &END_OF_IMAGE].concat());
                    assert!(text.contains("truncated"), "{name} {end}: {text}");
                }
            }
        }
        let whole = fixture("progressive.jpg");
        let text = refusal(&[&whole[..whole.len() / 2], &END_OF_IMAGE].concat());
        assert!(text.contains("truncated"), "{text}");
    }

    #[test]
    fn a_jpeg_is_whole_with_all_its_units_whatever_follows() {
        let video = [b"\0\0\0\x18ftypmp42".as_slice(), &[0; 3000]].concat();
        for name in KINDS {
            let whole = fixture(name);
            let expected = pixels(&whole);
            let unmarked = &whole[..whole.len() - 2];
            assert_eq!(pixels(unmarked), expected, "{name} without end marker");
            assert_eq!(pixels(&[unmarked, &video].concat()), expected, "{name}");
            assert_eq!(pixels(&[&whole[..], &video].concat()), expected, "{name}");
            assert_eq!(pixels(&[&whole[..], &whole].concat()), expected, "{name}");
        }
    }

    #[test]
    fn the_first_exif_segment_turns_a_jpeg() {
        let whole = fixture("baseline.jpg");
        let turned = |file: &[u8]| decode(file).unwrap().orientation;
        let six = with_segment(&whole, 0xe1, &exif(6));
        assert_eq!(turned(&six), Orientation::of(&exif(6)[6..]));
        assert_ne!(turned(&six), Orientation::UPRIGHT);
        let xmp = with_segment(&six, 0xe1, b"http://ns.adobe.com/xap/1.0/\0<x/>");
        assert_eq!(turned(&xmp), turned(&six), "XMP in front");
        for first in [exif(1), b"Exif\0\0junk".to_vec()] {
            assert_eq!(
                turned(&with_segment(&six, 0xe1, &first)),
                Orientation::UPRIGHT
            );
        }
    }

    #[test]
    fn four_inks_and_plain_rgb_have_their_colours() {
        let near = |name: &str| {
            let raw = decode(&fixture(name)).unwrap();
            let expected = [200, 60, 20].into_iter().cycle();
            let apart = raw.pixels.iter().zip(expected);
            assert!(apart.into_iter().all(|(a, b)| a.abs_diff(b) <= 2), "{name}");
            raw.traits.cmyk
        };
        assert!(near("cmyk.jpg") && !near("rgb.jpg"));
    }

    #[test]
    fn processes_that_are_not_read_are_named() {
        let whole = fixture("baseline.jpg");
        let frame = whole.windows(2).position(|pair| pair == [0xff, 0xc0]);
        let frame = frame.unwrap();
        let changed = |at: usize, byte: u8| {
            let mut file = whole.clone();
            file[frame + at] = byte;
            refusal(&file)
        };
        assert!(changed(4, 12).contains("a JPEG of 12 bits"));
        assert!(changed(1, 0xc3).contains("a lossless JPEG"));
        assert!(changed(1, 0xc9).contains("a JPEG of arithmetic coding"));
    }

    #[test]
    fn no_changed_byte_makes_it_panic() {
        for name in ["baseline.jpg", "progressive.jpg", "restart.jpg", "cmyk.jpg"] {
            let whole = fixture(name);
            for at in 2..whole.len() {
                for change in [0x01, 0x80, 0xff] {
                    let mut file = whole.clone();
                    file[at] ^= change;
                    if let Ok(raw) = decode(&file) {
                        assert_eq!(raw.pixels.len(), 3 * raw.width * raw.height);
                    }
                }
            }
        }
    }
}
