//! Sizes as users type them: `64MiB`, `5GB`, `1000`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Units and their bytes.
const UNITS: [(&str, usize); 8] = [
    ("", 1),
    ("B", 1),
    ("KB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// A number of bytes, 1 or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteSize(pub usize);

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
        let unit = text[digits.len()..].trim();
        UNITS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(unit))
            .and_then(|(_, bytes)| digits.parse::<usize>().ok()?.checked_mul(*bytes))
            .filter(|&bytes| bytes > 0)
            .map(Self)
            .ok_or_else(|| {
                format!(
                    "{text:?} is not a size; give a whole number above 0 and a unit, e.g. 64MiB"
                )
            })
    }
}

/// In the largest unit of which it has at least one, to a tenth.
impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(name, bytes): &&(&str, usize)| name.ends_with("iB") && *bytes <= self.0;
        match UNITS.iter().rfind(fits) {
            Some((name, bytes)) => write!(f, "{:.1} {name}", self.0 as f64 / *bytes as f64),
            None => write!(f, "{} bytes", self.0),
        }
    }
}

/// A number of bytes, or text such as `"64MiB"`.
impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a size in bytes, or text such as \"64MiB\"")]
        enum Written {
            Bytes(usize),
            Text(String),
        }
        let text = match Written::deserialize(deserializer)? {
            Written::Bytes(bytes) => bytes.to_string(),
            Written::Text(text) => text,
        };
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// As a number of bytes.
impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("1000", 1000),
            ("64MiB", 64 << 20),
            ("5 GB", 5_000_000_000),
            ("2kib", 2048),
        ] {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
        for text in [
            "",
            "MiB",
            "0",
            "-1",
            "1.5GB",
            "64 bits",
            "99999999999999GiB",
        ] {
            assert!(text.parse::<ByteSize>().is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_shown_in_units() {
        for (bytes, text) in [
            (1, "1 bytes"),
            (1023, "1023 bytes"),
            (1536, "1.5 KiB"),
            (4 << 30, "4.0 GiB"),
        ] {
            assert_eq!(ByteSize(bytes).to_string(), text);
        }
    }

    #[test]
    fn sizes_in_files() {
        let read = |text: &str| serde_json::from_str::<ByteSize>(text);
        assert_eq!(read("\"2KiB\"").unwrap(), ByteSize(2048));
        assert_eq!(read("2048").unwrap(), ByteSize(2048));
        assert_eq!(serde_json::to_string(&ByteSize(2048)).unwrap(), "2048");
        for wrong in ["0", "-1", "\"lots\"", "1.5", "true"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
