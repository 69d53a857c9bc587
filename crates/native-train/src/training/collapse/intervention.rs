//! What is done against a collapse, and what training becomes by it.

use std::fmt;

use biggan::Error;
use biggan::train::TrainConfig;
use serde::de::value::{MapAccessDeserializer, MapDeserializer};
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::detector::Alarm;

/// What is done after going back to a good checkpoint.
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
    /// D trains alone: G's rate is 0 for so many images.
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
    /// [`Error::Config`] naming the key, its value and the range.
    pub fn validate(&self) -> Result<(), Error> {
        match *self {
            Self::LowerRates { factor_g, factor_d } => {
                for (key, value) in [("factor_g", factor_g), ("factor_d", factor_d)] {
                    if !(value > 0.0 && value <= 1.0) {
                        return Err(Error::Config(format!(
                            "run.collapse.action.{key} is {value}; it must be above 0 and at most 1"
                        )));
                    }
                }
            }
            Self::FreezeGenerator { images: 0 } => {
                return Err(Error::Config(
                    "run.collapse.action.images is 0; it must be 1 or more".into(),
                ));
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

/// A collapse of a run and what was done. It is part of every later checkpoint, and a line of
/// `events.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intervention {
    /// What was seen.
    pub alarm: Alarm,
    /// Images seen at the checkpoint that training went back to; 0 for the beginning.
    pub back_to_images: u64,
    /// What was done there.
    pub action: Action,
}

/// What runs after `interventions` at `images_seen`: the recipe with the actions applied in order.
pub fn effective(
    recipe: &TrainConfig,
    interventions: &[Intervention],
    images_seen: u64,
) -> TrainConfig {
    let mut train = recipe.clone();
    for (number, intervention) in (1..).zip(interventions) {
        match intervention.action {
            Action::LowerRates { factor_g, factor_d } => {
                train.adam_g.lr *= factor_g;
                train.adam_d.lr *= factor_d;
            }
            Action::OtherSeed => train.seed = recipe.seed.wrapping_add(number),
            Action::Stop | Action::FreezeGenerator { .. } => {}
        }
    }
    if is_frozen(interventions, images_seen) {
        train.adam_g.lr = 0.0;
    }
    train
}

/// Whether G stands still at `images_seen`.
pub fn is_frozen(interventions: &[Intervention], images_seen: u64) -> bool {
    interventions.last().is_some_and(|last| match last.action {
        Action::FreezeGenerator { images } => {
            let since = images_seen.checked_sub(last.back_to_images);
            since.is_some_and(|since| since < images)
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::plan::Plan;
    use crate::training::collapse::Signal;

    const FASHION: &str = include_str!("../../../../../configs/fashion32.toml");

    fn after(actions: &[Action], images_seen: u64) -> TrainConfig {
        let plan = Plan::parse(FASHION, &[]).unwrap();
        let all: Vec<Intervention> = actions
            .iter()
            .map(|&action| Intervention {
                alarm: Alarm::not_finite(7, 2000, 1900, "loss_g"),
                back_to_images: 1000,
                action,
            })
            .collect();
        assert!(all.iter().all(|i| i.alarm.signal == Signal::NotFinite));
        effective(plan.train(), &all, images_seen)
    }

    #[test]
    fn actions_add_up() {
        let lower = Action::LowerRates {
            factor_g: 0.5,
            factor_d: 0.9,
        };
        let recipe = after(&[], 0);
        assert_eq!(after(&[Action::Stop], 0), recipe);
        let twice = after(&[lower, Action::Stop, lower], 0);
        assert!((twice.adam_g.lr - recipe.adam_g.lr * 0.25).abs() < 1e-12);
        assert!((twice.adam_d.lr - recipe.adam_d.lr * 0.81).abs() < 1e-12);
        let seeds: Vec<u64> = [&[Action::OtherSeed][..], &[Action::OtherSeed; 2]]
            .map(|actions| after(actions, 0).seed)
            .to_vec();
        assert_eq!(seeds, [recipe.seed + 1, recipe.seed + 2]);
        let freeze = Action::FreezeGenerator { images: 500 };
        assert_eq!(after(&[freeze], 1499).adam_g.lr, 0.0);
        assert_eq!(after(&[freeze], 1500), recipe);
    }
    #[test]
    fn a_kind_alone_is_an_action_with_its_defaults() {
        let read = |json: &str| serde_json::from_str::<Action>(json);
        let lower = Action::LowerRates {
            factor_g: 0.5,
            factor_d: 1.0,
        };
        assert_eq!(read("\"lower_rates\"").unwrap(), lower);
        assert_eq!(read("{\"kind\": \"lower_rates\"}").unwrap(), lower);
        let written = serde_json::to_string(&lower).unwrap();
        assert_eq!(read(&written).unwrap(), lower, "{written}");
        for (wrong, part) in [
            ("\"pray\"", "freeze_generator"),
            ("7", "an action such as"),
            ("{\"kind\": \"freeze_generator\", \"factor\": 3}", "images"),
        ] {
            let message = read(wrong).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
    }
}
