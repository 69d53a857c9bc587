//! Colours as users type them: `#ff8000`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Red, green and blue, as stored in pictures. White by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Color(pub [u8; 3]);

impl Default for Color {
    fn default() -> Self {
        Self([u8::MAX; 3])
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl From<Color> for String {
    fn from(color: Color) -> Self {
        color.to_string()
    }
}

impl FromStr for Color {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix('#').filter(|digits| {
            digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let number = number.ok_or_else(|| {
            format!(
                "{text:?} is not a colour; give six hexadecimal digits, e.g. \"#ffffff\" (white)"
            )
        })?;
        let [_, red, green, blue] = number.to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

impl TryFrom<String> for Color {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_six_digits() {
        assert_eq!("#0aFF00".parse(), Ok(Color([10, 255, 0])));
        assert_eq!(Color([10, 255, 0]).to_string(), "#0aff00");
        assert_eq!(Color::default().to_string(), "#ffffff");
        for wrong in [
            "", "white", "ffffff", "#fff", "#fffffff", "#+fffff", "#ffffé",
        ] {
            let error = wrong.parse::<Color>().unwrap_err();
            assert!(
                error.contains(wrong) && error.contains("#ffffff"),
                "{error}"
            );
        }
    }
}
