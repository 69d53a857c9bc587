//! Kinds of files by their first bytes: the three that are read, and others by name, with what to do about them.

use anyhow::{Result, bail};

/// Bytes at the start of a file that identify its kind; DICOM's mark is the last.
pub const KIND_BYTES: u64 = 132;

/// The kind of a file by its first bytes: `png`, `jpeg`, `webp`, or none of these.
pub fn kind(file: &[u8]) -> Option<&'static str> {
    if file.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some("png")
    } else if file.starts_with(b"\xff\xd8\xff") {
        Some("jpeg")
    } else if file.starts_with(b"RIFF") && file.get(8..12) == Some(b"WEBP") {
        Some("webp")
    } else {
        None
    }
}

/// The kind of a file of this many bytes by its start, at least [`KIND_BYTES`] if it has them.
///
/// # Errors
/// If it is not a kind that is read; other kinds are called by name.
pub fn check_kind(start: &[u8], bytes: u64) -> Result<&'static str> {
    const NEITHER: &str = "neither PNG, JPEG nor WebP";
    match kind(start) {
        Some(kind) => Ok(kind),
        None if bytes == 0 => bail!("{NEITHER}: the file is empty; copy or download it again"),
        None => match other_kind(start) {
            Some((name, remedy)) => bail!("{NEITHER} but {name}; {remedy}"),
            None => bail!("{NEITHER}: {bytes} bytes of another kind"),
        },
    }
}

const CONVERT: &str = "convert it to PNG, JPEG or WebP";
const AGAIN: &str = "download it again";
const UNPACK: &str = "unpack it";
const FRAMES: &str = "save its pictures as PNG or JPEG files";

/// The first bytes of other kinds, from some place on, their names and remedies; the first that fits counts.
const OTHERS: [(usize, &[u8], &str, &str); 43] = [
    (0, b"GIF87a", "GIF", CONVERT),
    (0, b"GIF89a", "GIF", CONVERT),
    (4, b"ftypheic", "HEIC", CONVERT),
    (4, b"ftypheix", "HEIC", CONVERT),
    (4, b"ftypheim", "HEIC", CONVERT),
    (4, b"ftypheis", "HEIC", CONVERT),
    (4, b"ftyphevc", "HEIC", CONVERT),
    (4, b"ftyphevx", "HEIC", CONVERT),
    (4, b"ftypmif1", "HEIC or AVIF", CONVERT),
    (4, b"ftypmsf1", "HEIC or AVIF", CONVERT),
    (4, b"ftypavif", "AVIF", CONVERT),
    (4, b"ftypavis", "AVIF", CONVERT),
    (4, b"ftypcrx ", "a camera's raw file (CR3)", CONVERT),
    (4, b"ftyp", "a video (MP4 or MOV)", FRAMES),
    (8, b"CR\x02", "a camera's raw file (CR2)", CONVERT),
    (0, b"FUJIFILMCCD-RAW", "a camera's raw file (RAF)", CONVERT),
    (0, b"IIRO", "a camera's raw file (ORF)", CONVERT),
    (0, b"IIRS", "a camera's raw file (ORF)", CONVERT),
    (0, b"IIU\0", "a camera's raw file (RW2)", CONVERT),
    (0, b"FOVb", "a camera's raw file (X3F)", CONVERT),
    (0, b"II*\0", "TIFF or a camera's raw file", CONVERT),
    (0, b"MM\0*", "TIFF or a camera's raw file", CONVERT),
    (0, b"II+\0", "TIFF", CONVERT),
    (0, b"MM\0+", "TIFF", CONVERT),
    (0, b"\xff\x0a", "JPEG XL", CONVERT),
    (4, b"JXL \r\n\x87\n", "JPEG XL", CONVERT),
    (4, b"jP  \r\n\x87\n", "JPEG 2000", CONVERT),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000", CONVERT),
    (0, b"8BPS", "PSD", CONVERT),
    (0, b"8BPB", "PSD", CONVERT),
    (0, b"\x76\x2f\x31\x01", "OpenEXR", CONVERT),
    (0, b"#?RADIANCE", "Radiance HDR", CONVERT),
    (0, b"qoif", "QOI", CONVERT),
    (0, b"DDS ", "DDS", CONVERT),
    (0, b"\0\0\x01\0", "an icon (ICO)", CONVERT),
    (128, b"DICM", "DICOM", CONVERT),
    (0, b"%PDF", "PDF", FRAMES),
    (0, b"\x93NUMPY", "a NumPy array", FRAMES),
    (0, b"PK\x03\x04", "a ZIP archive", UNPACK),
    (0, b"\x1f\x8b", "a gzip file", UNPACK),
    (0, b"RIFF", "a video or sound (RIFF)", FRAMES),
    (0, b"\x1aE\xdf\xa3", "a video (Matroska)", FRAMES),
    (
        0,
        b"version https://git-lfs",
        "a Git LFS pointer",
        "fetch the file itself: git lfs pull",
    ),
];

/// The name of a kind that is not read, and what to do about it, by the first [`KIND_BYTES`].
fn other_kind(start: &[u8]) -> Option<(&'static str, &'static str)> {
    let fits = |at: usize, mark: &[u8]| start.get(at..).is_some_and(|rest| rest.starts_with(mark));
    let known = OTHERS.iter().find(|(at, mark, ..)| fits(*at, mark));
    if let Some((_, _, name, remedy)) = known {
        return Some((name, remedy));
    }
    // "BM", its length, and four bytes that are zero; two letters alone may be text
    if fits(0, b"BM") && fits(6, &[0; 4]) {
        return Some(("BMP", CONVERT));
    }
    if let [b'P', b'1'..=b'7', space, ..] = start
        && space.is_ascii_whitespace()
    {
        return Some(("PNM", CONVERT));
    }
    let text = String::from_utf8_lossy(start).to_ascii_lowercase();
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if text.starts_with("<!doctype html") || text.starts_with("<html") {
        return Some(("an HTML page", AGAIN));
    }
    if text.starts_with("<svg") || (text.starts_with("<?xml") && text.contains("<svg")) {
        return Some(("SVG", CONVERT));
    }
    if text.starts_with("<?xml") {
        return Some(("an XML page", AGAIN));
    }
    let empty = start.len() >= 8 && start.iter().all(|&byte| byte == 0);
    empty.then_some(("only zeros", "copy or download it again"))
}

/// The name of a kind of picture that is not read, by the first [`KIND_BYTES`].
pub fn other_picture(start: &[u8]) -> Option<&'static str> {
    let (name, remedy) = other_kind(start)?;
    (remedy == CONVERT).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_kinds_are_named_by_first_bytes() {
        let name = |start: &[u8]| other_kind(start).map(|(name, _)| name);
        assert_eq!(name(b"\0\0\0\x18ftypheic\0\0"), Some("HEIC"));
        assert_eq!(name(b"\0\0\0\x20ftypavif\0\0"), Some("AVIF"));
        assert_eq!(
            name(b"II*\0\x10\0\0\0CR\x02\0"),
            Some("a camera's raw file (CR2)")
        );
        assert_eq!(
            name(b"MM\0*\0\0\0\x08"),
            Some("TIFF or a camera's raw file")
        );
        assert_eq!(name(b"BM\x36\x10\0\0\0\0\0\0\x36"), Some("BMP"));
        assert_eq!(name(b"BMW is a maker of cars"), None);
        assert_eq!(name(b"P6\n640 480\n255\n"), Some("PNM"));
        assert_eq!(name(b"\0\0\0\x0cJXL \r\n\x87\n"), Some("JPEG XL"));
        assert_eq!(name(b"\xff\x0a\xfa\x1f"), Some("JPEG XL"));
        assert_eq!(name(b"8BPS\0\x01"), Some("PSD"));
        assert_eq!(
            name(b"\xef\xbb\xbf\n <!DOCTYPE HTML>"),
            Some("an HTML page")
        );
        assert_eq!(name(b"<?xml version=\"1.0\"?>\n<svg "), Some("SVG"));
        assert_eq!(name(&[0; 20]), Some("only zeros"));
        // archives, pages and videos are no pictures
        assert_eq!(other_picture(b"\0\0\0\x18ftypheic"), Some("HEIC"));
        for start in [&b"PK\x03\x04"[..], b"<html>", b"\0\0\0\x18ftypmp42"] {
            assert!(name(start).is_some() && other_picture(start).is_none());
        }
        let mut dicom = vec![0; 128];
        dicom.extend(b"DICM");
        assert_eq!(name(&dicom), Some("DICOM"));
        assert_eq!(dicom.len() as u64, KIND_BYTES);
        for start in [b"".as_slice(), b"P", b"an error page of a server"] {
            assert_eq!(name(start), None, "{start:?}");
        }
    }

    #[test]
    fn files_that_cannot_be_read_say_what_they_are_and_what_to_do() {
        let text = |start: &[u8]| {
            let error = check_kind(start, start.len() as u64);
            error.unwrap_err().to_string()
        };
        assert_eq!(
            text(b"\0\0\0\x18ftypheic\0\0"),
            "neither PNG, JPEG nor WebP but HEIC; convert it to PNG, JPEG or WebP"
        );
        assert!(text(b"version https://git-lfs.github.com/spec/v1\n").contains("git lfs pull"));
        assert!(text(b"").contains("the file is empty"));
        assert!(text(b"hello").contains("5 bytes of another kind"));
    }
}
