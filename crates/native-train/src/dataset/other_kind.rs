//! Names of the kinds of pictures that are not read, by their first bytes.

/// Brands of the ISO base media format (ISO/IEC 14496-12, box `ftyp`) that are still pictures.
const BRANDS: [(&[u8; 4], &str); 9] = [
    (b"heic", "HEIC"),
    (b"heix", "HEIC"),
    (b"heim", "HEIC"),
    (b"hevc", "HEIC"),
    (b"mif1", "HEIC"),
    (b"msf1", "HEIC"),
    (b"avif", "AVIF"),
    (b"avis", "AVIF"),
    (b"crx ", "CR3"),
];

/// First bytes of other formats.
const SIGNATURES: [(&[u8], &str); 11] = [
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"8BPS", "PSD"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"v/1\x01", "OpenEXR"),
];

/// The kind of a picture that is not read, by at least [`super::picture::KIND_BYTES`] of its first bytes.
pub fn other_kind(start: &[u8]) -> Option<&'static str> {
    if let Some((_, kind)) = SIGNATURES
        .iter()
        .find(|(first, _)| start.starts_with(first))
    {
        return Some(kind);
    }
    if start.get(4..8) == Some(b"ftyp") {
        let brand = start.get(8..12)?;
        return BRANDS
            .iter()
            .find(|(b, _)| *b == brand)
            .map(|(_, kind)| *kind);
    }
    // two letters tell little: the four reserved bytes of a bitmap's header are zero
    let bitmap = start.starts_with(b"BM") && start.get(6..10) == Some(&[0; 4]);
    bitmap.then_some("BMP")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_first_bytes() {
        for (start, kind) in [
            (&b"GIF89a\x40\0\x40\0\0\0"[..], Some("GIF")),
            (b"BM\x36\x30\0\0\0\0\0\0\x36\0", Some("BMP")),
            (b"BM is a text", None),
            (b"\0\0\0\x18ftypheic", Some("HEIC")),
            (b"\0\0\0\x18ftypmp42", None),
            (b"II*\0\x08\0\0\0\0\0\0\0", Some("TIFF")),
            (b"BM", None),
            (b"", None),
        ] {
            assert_eq!(other_kind(start), kind, "{start:?}");
        }
    }
}
