//! What a file is, by its first bytes: for messages about a file that is not what it should be.

/// What a file is instead of the expected one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstBytes {
    /// In words, with an article.
    pub what: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

/// Bytes at the start of a file, where they are, and what they mean.
type Mark = (usize, &'static [u8], &'static str, &'static str);

const UNPACK: &str = "unpack it and give the file inside";
const PICTURE: &str = "give the file itself, not a picture";
const PYTORCH: &str = "convert weights of PyTorch with `native-train import`";
const ANOTHER: &str = "give another file";

/// Kinds of files by their mark: offset, bytes, what it is, remedy.
const MARKS: &[Mark] = &[
    (
        0,
        b"version https://git-lfs.github.com/spec/",
        "a pointer of Git LFS, not the file itself",
        "run `git lfs pull`, or fetch the file from where it is hosted",
    ),
    (0, b"\x1f\x8b", "a gzip file", UNPACK),
    (0, b"BZh", "a bzip2 file", UNPACK),
    (0, b"\xfd7zXZ\0", "an xz file", UNPACK),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard file", UNPACK),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", UNPACK),
    (0, b"Rar!\x1a\x07", "a RAR archive", UNPACK),
    (257, b"ustar", "a tar archive", UNPACK),
    (
        0,
        b"PK\x03\x04",
        "a zip archive, as PyTorch writes too",
        "unpack it, or convert weights of PyTorch with `native-train import`",
    ),
    (0, b"PK\x05\x06", "an empty zip archive", ANOTHER),
    (0, b"\x80\x02", "a pickle of Python", PYTORCH),
    (0, b"\x80\x03", "a pickle of Python", PYTORCH),
    (0, b"\x80\x04", "a pickle of Python", PYTORCH),
    (0, b"\x80\x05", "a pickle of Python", PYTORCH),
    (
        0,
        b"\x89HDF\r\n\x1a\n",
        "an HDF5 file, as Keras writes",
        ANOTHER,
    ),
    (0, b"\x93NUMPY", "an array of NumPy (.npy)", ANOTHER),
    (0, b"GGUF", "a GGUF model", ANOTHER),
    (4, b"TFL3", "a TensorFlow Lite model", ANOTHER),
    (0, b"SQLite format 3\0", "an SQLite database", ANOTHER),
    (0, b"\x89PNG\r\n\x1a\n", "a PNG picture", PICTURE),
    (0, b"\xff\xd8\xff", "a JPEG picture", PICTURE),
    (0, b"GIF8", "a GIF picture", PICTURE),
    (8, b"WEBP", "a WebP picture", PICTURE),
    (0, b"II*\0", "a TIFF picture", PICTURE),
    (0, b"MM\0*", "a TIFF picture", PICTURE),
    (4, b"ftyp", "a HEIC or AVIF picture, or a video", PICTURE),
    (0, b"%PDF-", "a PDF document", ANOTHER),
    (0, b"\x7fELF", "a program", ANOTHER),
    (0, b"MZ", "a program of Windows", ANOTHER),
    (0, b"#!", "a script", ANOTHER),
    (
        0,
        b"\0\0\x08\x01",
        "an idx file of labels, as MNIST's",
        ANOTHER,
    ),
    (
        0,
        b"\0\0\x08\x03",
        "an idx file of images, as MNIST's",
        ANOTHER,
    ),
    (0, b"\xff\xfe", "text in UTF-16", "save it as UTF-8"),
    (0, b"\xfe\xff", "text in UTF-16", "save it as UTF-8"),
];

/// Tags with which pages and other documents of markup begin.
const MARKUP: &[(&str, &str)] = &[
    ("<!doctype html", "an HTML page"),
    ("<html", "an HTML page"),
    ("<head", "an HTML page"),
    ("<!--", "an HTML page"),
    ("<?xml", "an XML document"),
    ("<svg", "an SVG picture"),
];

/// Bytes of a file that are looked at for words.
const LOOKED_AT: usize = 512;

impl FirstBytes {
    /// What the bytes of a file say that it is; `None` for text, JSON, safetensors and what is not known.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() {
            return Some(Self {
                what: "empty",
                remedy: "fetch or write it again",
            });
        }
        let head = &bytes[..bytes.len().min(LOOKED_AT)];
        // a safetensors header may begin with any of the marks: its first byte is a length
        if head.get(8) == Some(&b'{') && !head.starts_with(b"PK") {
            return None;
        }
        let marked = MARKS
            .iter()
            .find(|(at, mark, ..)| head.get(*at..).is_some_and(|rest| rest.starts_with(mark)));
        if let Some(&(_, _, what, remedy)) = marked {
            return Some(Self { what, remedy });
        }
        if head.len() >= 16 && head.iter().all(|byte| *byte == 0) {
            return Some(Self {
                what: "zeros from its start, as an interrupted download leaves",
                remedy: "fetch it again",
            });
        }
        if head[0] == 8
            && ["biggan", "onnx", "pytorch", "tf2onnx"]
                .iter()
                .any(|name| holds(head, name))
        {
            return Some(Self {
                what: "an ONNX model",
                remedy: "give the weights from which it was exported",
            });
        }
        let text = String::from_utf8_lossy(head);
        let text = text
            .trim_start_matches('\u{feff}')
            .trim_start()
            .to_ascii_lowercase();
        let (_, what) = MARKUP.iter().find(|(tag, _)| text.starts_with(tag))?;
        Some(Self {
            what,
            remedy: "fetch the file itself: a server answered with a page, for example to sign in",
        })
    }

    /// As [`FirstBytes::of`], for a file of tensors: text is another kind too.
    pub fn of_binary(bytes: &[u8]) -> Option<Self> {
        let text = |what| Self {
            what,
            remedy: "give the file of tensors itself",
        };
        Self::of(bytes).or_else(|| {
            let head = &bytes[..bytes.len().min(64)];
            let is_text = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
            match head.trim_ascii_start().first()? {
                b'{' | b'[' if head.iter().all(is_text) => Some(text("JSON text")),
                _ if head.iter().all(is_text) => Some(text("text")),
                _ => None,
            }
        })
    }
}

fn holds(bytes: &[u8], name: &str) -> bool {
    bytes
        .windows(name.len())
        .any(|window| window == name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_other_programs_are_called_by_name() {
        let mut tar = vec![b'a'; 257];
        tar.extend(b"ustar\0");
        for (bytes, what) in [
            (&b""[..], "empty"),
            (
                b"version https://git-lfs.github.com/spec/v1\noid sha256:0",
                "Git LFS",
            ),
            (b"\xef\xbb\xbf \n<!DOCTYPE html><html>", "HTML"),
            (b"<HTML>", "HTML"),
            (b"\x1f\x8b\x08\0", "gzip"),
            (b"PK\x03\x04\x14\0", "zip"),
            (b"\x80\x02}q\0", "pickle"),
            (&tar, "tar"),
            (b"\x08\x07\x12\x07pytorch\x1a\x05", "ONNX"),
            (b"\x08\x08\x12\x06biggan\x1a\x05", "ONNX"),
            (b"\x89HDF\r\n\x1a\n", "HDF5"),
            (b"\x89PNG\r\n\x1a\n\0", "PNG"),
            (b"\xff\xd8\xff\xe0", "JPEG"),
            (&[0; 64], "zeros"),
        ] {
            let found = FirstBytes::of(bytes).map(|found| found.what);
            assert!(
                found.is_some_and(|found| found.contains(what)),
                "{what}: {found:?}"
            );
        }
    }

    #[test]
    fn own_files_and_plain_text_are_not() {
        // a header of 0x8b1f and of 0x4b50 bytes: the lengths of gzip and zip
        for own in [
            &b"\x1f\x8b\0\0\0\0\0\0{\"__metadata__\":{}}"[..],
            b"{\"name\": \"x\"}",
            b"name = \"x\"",
            b"\x40\0\0\0\0\0\0\0{",
        ] {
            assert_eq!(FirstBytes::of(own), None);
        }
        let what = |bytes| FirstBytes::of_binary(bytes).map(|found| found.what);
        assert_eq!(what(b"{\"z_dim\": 1}"), Some("JSON text"));
        assert_eq!(what(b"name = 1"), Some("text"));
        assert_eq!(what(b"\x40\0\0\0\0\0\0\0{\"a\":"), None);
    }
}
