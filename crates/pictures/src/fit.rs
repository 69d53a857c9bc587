//! How a picture that is not square becomes one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// `data.fit`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum Fit {
    /// Its central square is taken.
    #[default]
    Crop,
    /// All of it is taken, and the rest of a square of its long side has the background's colour.
    Pad,
}

impl From<Fit> for &'static str {
    fn from(fit: Fit) -> Self {
        match fit {
            Fit::Crop => "crop",
            Fit::Pad => "pad",
        }
    }
}

impl fmt::Display for Fit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str((*self).into())
    }
}

impl FromStr for Fit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Crop, Self::Pad]
            .into_iter()
            .find(|fit| text == <&str>::from(*fit))
            .ok_or_else(|| {
                format!(
                    "{text:?} is not a fit; choose \"crop\" (the central square) or \"pad\" (the whole picture)"
                )
            })
    }
}

impl TryFrom<String> for Fit {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}
