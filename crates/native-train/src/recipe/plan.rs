//! What will run: a recipe with its overrides, validated, immutable, saved beside every result.

use std::collections::BTreeMap;

use anyhow::Result;
use biggan::train::TrainConfig;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::bad_usage;
use crate::recipe::data_section::DataSection;
use crate::recipe::overrides;
use crate::recipe::run_section::RunSection;
use crate::recipe::values;

/// A recipe as written: the TOML file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Name of the recipe, and of its run directory.
    pub name: String,
    /// What to train on.
    pub data: DataSection,
    /// Length, and what is written when.
    pub run: RunSection,
    /// Networks and optimisers.
    pub train: TrainConfig,
}

/// Keys of the data that do not change images, or whose changes a checksum shows.
const READING: [&str; 3] = ["data.memory", "data.path", "data.skip_broken"];

/// A valid recipe. It is built only by validation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Recipe", into = "Recipe")]
pub struct Plan(Recipe);

impl Plan {
    /// Reads a recipe's text and applies `--set` values.
    ///
    /// # Errors
    /// If the text is not TOML, has an unknown key, or describes a run that is impossible.
    pub fn parse(text: &str, settings: &[String]) -> Result<Self> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error
                .span()
                .map_or(1, |span| 1 + text[..span.start].matches('\n').count());
            bad_usage(format!("line {line}: {}", one_line(error.message())))
        })?;
        Self::of_tree(values::of_toml("", toml::Value::Table(table))?, settings)
    }

    /// This plan with `--set` values.
    ///
    /// # Errors
    /// As [`Plan::parse`].
    pub fn with_settings(&self, settings: &[String]) -> Result<Self> {
        let tree = serde_json::to_value(self).expect("a plan has only string keys");
        Self::of_tree(tree, settings)
    }

    fn of_tree(mut tree: Value, settings: &[String]) -> Result<Self> {
        let mut settings = overrides::apply(&mut tree, settings)?;
        // of a value that is taken as text next: why it was refused as what it looks like
        let mut refused: Option<(String, String)> = None;
        loop {
            let error = match serde_path_to_error::deserialize::<_, Recipe>(&tree) {
                Ok(recipe) => {
                    let plan = Self::try_from(recipe)?;
                    plan.data().validate()?;
                    plan.train().validate()?;
                    return Ok(plan);
                }
                Err(error) => error,
            };
            let path = error.path().to_string();
            let message = match &refused {
                Some((place, first)) if *place == path => first.clone(),
                _ => one_line(&error.inner().to_string()),
            };
            if overrides::take_as_text(&mut tree, &mut settings, &path)? {
                refused = Some((path, message));
                continue;
            }
            return Err(bad_usage(match path.as_str() {
                "." => message,
                path => format!("{path}: {message}"),
            }));
        }
    }

    /// Name of the recipe.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What to train on.
    pub fn data(&self) -> &DataSection {
        &self.0.data
    }

    /// Length, and what is written when.
    pub fn run(&self) -> &RunSection {
        &self.0.run
    }

    /// Networks and optimisers.
    pub fn train(&self) -> &TrainConfig {
        &self.0.train
    }

    /// Differences that make it a different run, one line per key. The `run` section may change, and
    /// so may how and from where the data are read: their checksum is compared instead.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let (ours, theirs) = (self.flat(), other.flat());
        let keys: std::collections::BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
        let show = |value: Option<&Value>| value.map_or("unset".to_owned(), Value::to_string);
        keys.into_iter()
            .filter(|key| !key.starts_with("run.") && !READING.contains(&key.as_str()))
            .filter(|key| ours.get(*key) != theirs.get(*key))
            .map(|key| format!("{key} {} -> {}", show(ours.get(key)), show(theirs.get(key))))
            .collect()
    }

    /// Values by dotted key.
    fn flat(&self) -> BTreeMap<String, Value> {
        flat(serde_json::to_value(self).expect("a plan has only string keys"))
    }

    /// The plan as it is saved: JSON of the whole recipe, defaults filled in.
    ///
    /// # Errors
    /// If it cannot be written as JSON.
    pub fn to_json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

impl From<Plan> for Recipe {
    fn from(plan: Plan) -> Self {
        plan.0
    }
}

impl TryFrom<Recipe> for Plan {
    type Error = biggan::Error;

    fn try_from(recipe: Recipe) -> Result<Self, biggan::Error> {
        let name_fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if recipe.name.is_empty()
            || recipe.name.starts_with('.')
            || !recipe.name.chars().all(name_fits)
        {
            return Err(biggan::Error::config("name")
                .found(format_args!("{:?}", recipe.name))
                .expected("the name of a directory")
                .remedy("use letters, digits, '-', '_' and '.'"));
        }
        recipe.run.validate()?;
        // a saved plan may hold a combination that is refused for training by now
        recipe.train.check_values()?;
        Ok(Self(recipe))
    }
}

/// The values of a tree of objects by dotted key; an object without fields has none.
pub fn flat(value: Value) -> BTreeMap<String, Value> {
    fn walk(prefix: &str, value: Value, into: &mut BTreeMap<String, Value>) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    let key = if prefix.is_empty() {
                        key
                    } else {
                        format!("{prefix}.{key}")
                    };
                    walk(&key, value, into);
                }
            }
            value => {
                into.insert(prefix.to_owned(), value);
            }
        }
    }
    let mut flat = BTreeMap::new();
    walk("", value, &mut flat);
    flat
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const FASHION: &str = include_str!("../../../../configs/fashion32.toml");

    fn message(settings: &[&str]) -> String {
        let settings: Vec<String> = settings.iter().map(|&s| s.to_owned()).collect();
        format!("{:#}", Plan::parse(FASHION, &settings).unwrap_err())
    }

    /// ADA's target with an objective without a boundary was allowed once: such a run is still read, and not begun.
    #[test]
    fn a_saved_plan_may_hold_what_is_refused_by_now() {
        let ada = "train.techniques.augment={ operations = [\"flip\"], ada_target = 0.5 }";
        let plan = Plan::parse(FASHION, &[ada.to_owned()]).unwrap();
        let saved = plan.to_json().unwrap();
        let earlier = saved.replace("\"hinge\"", "\"wasserstein\"");
        assert_ne!(saved, earlier);
        serde_json::from_str::<Plan>(&earlier).unwrap();
        let refused = message(&[ada, "train.techniques.objective=wasserstein"]);
        assert!(refused.contains("ada_target is 0.5"), "{refused}");
    }

    #[test]
    fn refusals_name_the_key() {
        let unknown = message(&["train.generator.chanels=8"]);
        assert!(
            unknown.contains("train.generator") && unknown.contains("`chanels`"),
            "{unknown}"
        );
        let indivisible = message(&["train.generator.z_dim=81"]);
        assert!(
            indivisible.contains("81") && indivisible.contains("use 80 or 84"),
            "{indivisible}"
        );
        let odd = message(&["train.generator.resolution=33"]);
        assert!(
            odd.contains("33") && odd.contains("[16, 32, 64, 128, 256, 512]"),
            "{odd}"
        );
        assert!(message(&["run.images=0"]).contains("run.images is 0"));
        let watch = message(&["run.watch_every_steps=75"]);
        assert!(watch.contains("75") && watch.contains("50"), "{watch}");
        assert!(message(&["name='a/b'"]).contains("\"a/b\""));
        let text = Plan::parse("name = \n", &[]).unwrap_err().to_string();
        assert!(text.starts_with("line 1") && !text.contains('\n'), "{text}");
    }

    #[test]
    fn a_value_that_looks_like_a_number_is_text_where_the_key_is() {
        let plan = |setting: &str| Plan::parse(FASHION, &[setting.to_owned()]);
        for value in ["2019", "true", "1e5", "0x10", "2024-01-31", "1.50", "-3"] {
            let named = plan(&format!("data.path={value}")).unwrap();
            assert_eq!(named.data().path.as_deref(), Some(Path::new(value)));
        }
        for value in ["2024", "007", "1e5"] {
            assert_eq!(plan(&format!("name={value}")).unwrap().name(), value);
        }
        let ten = "data.class_names=[0, 1, 2, 3, 4, 5, 6, 7, 8, 0x9]";
        let names = plan(ten).unwrap().data().class_names.clone().unwrap();
        assert_eq!((names.len(), names[9].as_str()), (10, "0x9"));
        // where the key is a number, the refusal is of the number
        let refused = message(&["run.images=1.5"]);
        assert!(
            refused.contains("1.5") && !refused.contains("string"),
            "{refused}"
        );
    }

    #[test]
    fn every_seed_can_be_set() {
        let seed = u64::MAX - 1;
        let plan = Plan::parse(FASHION, &[format!("train.seed={seed}")]).unwrap();
        assert_eq!(plan.train().seed, seed);
        let more = plan.with_settings(&["run.images=9".to_owned()]).unwrap();
        assert_eq!((more.train().seed, more.run().images), (seed, 9));
        let beyond = message(&["train.seed=18446744073709551616"]);
        assert!(
            beyond.contains("train.seed") && beyond.contains("18446744073709551616"),
            "{beyond}"
        );
    }

    #[test]
    fn an_empty_path_is_refused_and_the_current_directory_is_one() {
        let empty = message(&["data.path="]);
        assert!(
            empty.contains("data.path is empty") && empty.contains("\".\""),
            "{empty}"
        );
        let here = Plan::parse(FASHION, &["data.path=.".to_owned()]).unwrap();
        assert_eq!(here.data().path.as_deref(), Some(Path::new(".")));
        let infinite = message(&["train.adam_g.lr=inf"]);
        assert!(
            infinite.contains("train.adam_g.lr") && infinite.contains("finite"),
            "{infinite}"
        );
    }

    #[test]
    fn saved_plans_read_back_and_compare() {
        let plan = Plan::parse(FASHION, &[]).unwrap();
        let back: Plan = serde_json::from_str(&plan.to_json().unwrap()).unwrap();
        assert_eq!(plan, back);
        let longer =
            Plan::parse(FASHION, &["run.images=9".into(), "data.path='x'".into()]).unwrap();
        assert!(plan.differences(&longer).is_empty());
        let wider = Plan::parse(FASHION, &["train.adam_g.lr=0.5".into()]).unwrap();
        assert_eq!(plan.differences(&wider), ["train.adam_g.lr 0.0002 -> 0.5"]);
    }
}
