//! `[run.collapse] action` of a recipe: the response to a collapse.

use std::fmt;

use biggan::Error;
use serde::de::value::{MapAccessDeserializer, MapDeserializer};
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What to do after returning to a good checkpoint.
///
/// BigGAN appendix G tries two of them, from ten to twenty thousand steps before a collapse on: a lower
/// rate of G delays it, in some cases by more than a hundred thousand steps, and cripples learning (a
/// lower rate of D, which must stay optimal, brings it on at once); a frozen G leaves D stable.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "snake_case",
    deny_unknown_fields,
    remote = "Self"
)]
pub enum Action {
    /// The run ends.
    Stop,
    /// Learning rates are multiplied, again at each collapse.
    LowerRates {
        /// Factor of G's rate.
        #[serde(default = "half")]
        factor_g: f64,
        /// Factor of D's rate.
        #[serde(default = "one")]
        factor_d: f64,
    },
    /// D trains alone: G's rate is 0 for this many images.
    FreezeGenerator {
        /// Real images that D sees meanwhile.
        #[serde(default = "frozen_images")]
        images: u64,
    },
    /// The latents of the steps come from another seed; the order of the data stays.
    OtherSeed,
}

fn half() -> f64 {
    0.5
}
fn one() -> f64 {
    1.0
}
fn frozen_images() -> u64 {
    10_000
}

/// A table with its `kind`, or the kind alone.
impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KindOrTable;
        impl<'de> Visitor<'de> for KindOrTable {
            type Value = Action;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an action such as \"stop\", or a table with its kind")
            }
            fn visit_str<E: de::Error>(self, kind: &str) -> Result<Action, E> {
                Action::deserialize(MapDeserializer::new(std::iter::once(("kind", kind))))
            }
            fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Action, A::Error> {
                Action::deserialize(MapAccessDeserializer::new(table))
            }
        }
        deserializer.deserialize_any(KindOrTable)
    }
}

impl Serialize for Action {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl Action {
    /// Checks the values.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](biggan::ErrorKind::Config) naming the key, its value and the range.
    pub fn validate(&self) -> Result<(), Error> {
        match *self {
            Self::LowerRates { factor_g, factor_d } => {
                for (key, value) in [("factor_g", factor_g), ("factor_d", factor_d)] {
                    if !(value > 0.0 && value <= 1.0) {
                        return Err(Error::config(format_args!("run.collapse.action.{key}"))
                            .found(value)
                            .expected("above 0 and at most 1"));
                    }
                }
            }
            Self::FreezeGenerator { images: 0 } => {
                return Err(Error::config("run.collapse.action.images")
                    .found(0)
                    .expected("1 or more"));
            }
            _ => {}
        }
        Ok(())
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stop => write!(f, "stop"),
            Self::LowerRates { factor_g, factor_d } => {
                write!(
                    f,
                    "learning rate of G times {factor_g}, of D times {factor_d}"
                )
            }
            Self::FreezeGenerator { images } => write!(f, "G frozen for {images} images"),
            Self::OtherSeed => write!(f, "latents of another seed"),
        }
    }
}
