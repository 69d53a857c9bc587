//! Checkpoints that a session cannot continue: of other images or networks, or trained by techniques that it would drop.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::{CheckpointInfo, TrainConfig};
use super::Session;
use crate::error::{Error, Result};
use crate::sorted_json::sorted_json;

/// Metadata key of the [`ShortRecipe`](super::super::ShortRecipe) in a checkpoint.
pub(super) const RECIPE: &str = "recipe";
/// Keys of the configuration that a session takes from its own recipe.
const OF_THE_RECIPE: [&str; 7] = [
    "adam_g.lr",
    "adam_d.lr",
    "ema.decay",
    "ema.start_step",
    "batch_size",
    "d_steps",
    "orthogonal",
];
/// The same, in a checkpoint of a session, whose recipe has the operations too.
const AUGMENT: [&str; 2] = ["techniques.augment", "techniques.augment.operations"];
/// Key of the plan of `native-train` that mirrors images, which a session never does by itself.
const FLIP: [&str; 2] = ["data", "flip"];

/// Refuses a checkpoint that a session cannot continue as it was trained.
pub(super) fn refuse_others(info: &CheckpointInfo, session: &Session) -> Result<()> {
    refuse_images(info, session)?;
    refuse_networks(info, &session.config)?;
    refuse_techniques(info, &session.config)
}

fn refuse_images(info: &CheckpointInfo, session: &Session) -> Result<()> {
    let ours = session.images.images().info();
    if info.dataset.same_images(ours) == Some(true) {
        return Ok(());
    }
    Err(Error::file("the checkpoint")
        .found(format_args!(
            "of other images: {} of {:?} with SHA-256 {}",
            info.dataset.images,
            info.dataset.name,
            info.dataset.sha256.join(", ")
        ))
        .expected(format_args!(
            "{} of {:?} with {}",
            ours.images,
            ours.name,
            ours.sha256.join(", ")
        ))
        .remedy("open the images it was trained on"))
}

fn refuse_networks(info: &CheckpointInfo, config: &TrainConfig) -> Result<()> {
    let networks = |config: &TrainConfig| {
        let parts = (&config.generator, &config.discriminator, config.seed);
        serde_json::to_string(&parts).unwrap_or_default()
    };
    let (there, here) = (networks(&info.config), networks(config));
    if there == here {
        return Ok(());
    }
    Err(Error::file("the checkpoint")
        .found(format_args!("of other networks or another seed: {there}"))
        .expected(here)
        .remedy("choose its width, z, attention and seed"))
}

/// A checkpoint of `native-train` may have an objective, penalties and the like that no short recipe has: going on
/// without them would be another training.
fn refuse_techniques(info: &CheckpointInfo, config: &TrainConfig) -> Result<()> {
    let value = |config: &TrainConfig| {
        sorted_json(config).map_err(|error| Error::config("train").not_writable(error))
    };
    let mut differences = Vec::new();
    compare("", &value(&info.config)?, &value(config)?, &mut differences);
    let is_of_session = info.more.contains_key(RECIPE);
    differences.retain(|difference| {
        let key = difference.key.as_str();
        let is_own = OF_THE_RECIPE.contains(&key) || is_of_session && AUGMENT.contains(&key);
        !is_own
    });
    let data = info.plan.get(FLIP[0]);
    if data.and_then(|data| data.get(FLIP[1])) == Some(&Value::Bool(true)) {
        differences.push(Difference {
            key: FLIP.join("."),
            there: "true".to_owned(),
            here: "false".to_owned(),
        });
    }
    if differences.is_empty() {
        return Ok(());
    }
    let words = |value: fn(&Difference) -> &str| {
        let all = differences
            .iter()
            .map(|difference| format!("{} {}", difference.key, value(difference)));
        all.collect::<Vec<_>>().join(", ")
    };
    Err(Error::file("the checkpoint")
        .found(format_args!(
            "of a run that this session would not go on with as it was: {}",
            words(|difference| &difference.there)
        ))
        .expected(words(|difference| &difference.here))
        .remedy("continue it with native-train"))
}

/// A key of the configuration with two values.
struct Difference {
    key: String,
    there: String,
    here: String,
}

/// Collects the keys at which two objects differ; a key that only one has differs as a whole.
fn compare(path: &str, there: &Value, here: &Value, differences: &mut Vec<Difference>) {
    if let (Value::Object(one), Value::Object(other)) = (there, here) {
        let keys: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
        for key in keys {
            let inner = match path {
                "" => key.clone(),
                _ => format!("{path}.{key}"),
            };
            let of = |object: &serde_json::Map<String, Value>| {
                object.get(key).cloned().unwrap_or(Value::Null)
            };
            compare(&inner, &of(one), &of(other), differences);
        }
    } else if there != here {
        let shown = |value: &Value| match value {
            Value::Null => "unset".to_owned(),
            value => value.to_string(),
        };
        differences.push(Difference {
            key: path.to_owned(),
            there: shown(there),
            here: shown(here),
        });
    }
}
