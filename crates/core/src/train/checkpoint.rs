//! A training state as the bytes of one file: tensors, counters, configuration and data set. `native-train` and
//! browsers write the same format, so that a run can continue in either.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Counters, TrainConfig, TrainState};
use crate::error::{Error, Result};
use crate::file::{DatasetInfo, Dtype, decode, encode};
use crate::named::HostTensors;

/// Value of the metadata key `format`.
pub const CHECKPOINT_FORMAT: &str = "biggan-checkpoint";
/// Value of the metadata key `format_version` that this program writes and reads.
pub const CHECKPOINT_VERSION: &str = "1";

/// Key of the configuration in the metadata `plan`, a JSON object.
const TRAIN: &str = "train";

/// Metadata key of the CRC-32 of all other metadata, 8 hex digits: a flipped digit of a counter or a rate is found as a flipped
/// bit of a weight is, whose digests the container has.
const DIGEST: &str = "metadata_crc32";

fn digest(metadata: &BTreeMap<String, String>) -> String {
    let mut hasher = crc32fast::Hasher::new();
    for text in metadata.iter().flat_map(|(key, value)| [key, value]) {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    format!("{:08x}", hasher.finalize())
}

/// The metadata of a checkpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckpointInfo<P = Map<String, Value>> {
    /// What trained.
    pub config: TrainConfig,
    /// The rest of the caller's plan, fields next to `train` in the metadata `plan`: passed on, never read here.
    pub plan: P,
    /// What it ran on.
    pub dataset: DatasetInfo,
    /// A name for each class.
    pub class_names: Vec<String>,
    /// Progress.
    pub counters: Counters,
    /// Metadata under other keys, which the program that wrote the file understands.
    pub more: BTreeMap<String, String>,
}

/// The metadata `plan`.
#[derive(Serialize)]
struct Plan<'a, P> {
    #[serde(flatten)]
    rest: &'a P,
    train: &'a TrainConfig,
}

impl<P: Serialize + DeserializeOwned> CheckpointInfo<P> {
    /// The bytes of the file.
    ///
    /// # Errors
    /// As the writer of safetensors.
    pub fn encode(&self, tensors: &HostTensors) -> Result<Vec<u8>> {
        let plan = Plan {
            rest: &self.plan,
            train: &self.config,
        };
        let mut metadata = self.more.clone();
        for (key, value) in [
            ("format", CHECKPOINT_FORMAT.to_owned()),
            ("format_version", CHECKPOINT_VERSION.to_owned()),
            ("plan", to_json("plan", &plan)?),
            ("dataset", to_json("dataset", &self.dataset)?),
            ("class_names", to_json("class_names", &self.class_names)?),
            ("counters", to_json("counters", &self.counters)?),
        ] {
            metadata.insert(key.to_owned(), value);
        }
        // what cannot be read again, such as a number that is not finite, is not written
        Self::from_metadata(metadata.clone())?;
        metadata.insert(DIGEST.to_owned(), digest(&metadata));
        encode(tensors, &metadata, Dtype::F32)
    }

    /// The inverse of [`CheckpointInfo::encode`].
    ///
    /// # Errors
    /// If the bytes are truncated, or of another format or version; the message names both values.
    pub fn decode(bytes: &[u8]) -> Result<(Self, HostTensors)> {
        let stored = decode(bytes)?;
        Ok((Self::from_metadata(stored.metadata)?, stored.tensors))
    }

    fn from_metadata(mut more: BTreeMap<String, String>) -> Result<Self> {
        let stated = more.remove(DIGEST); // files of older programs have none
        let found = digest(&more);
        for (key, expected, remedy) in [
            ("format", CHECKPOINT_FORMAT, "give a checkpoint"),
            (
                "format_version",
                CHECKPOINT_VERSION,
                "use a matching version of the program",
            ),
        ] {
            let found = more.remove(key).unwrap_or_else(|| "missing".to_owned());
            if found != expected {
                return Err(Error::file(format_args!("the checkpoint's {key}"))
                    .found(found)
                    .expected(expected)
                    .remedy(remedy));
            }
        }
        if let Some(stated) = stated.filter(|stated| *stated != found) {
            return Err(Error::file("the checkpoint's metadata")
                .found(format_args!("damaged: CRC-32 {found}"))
                .expected(format_args!("{stated}, by the file"))
                .remedy("use another checkpoint"));
        }
        let mut take = |key: &str| {
            more.remove(key).ok_or_else(|| {
                Error::file(format_args!("the checkpoint's {key}"))
                    .found("missing from its metadata")
            })
        };
        let mut plan: Map<String, Value> = from_json("plan", &take("plan")?)?;
        let config = plan.remove(TRAIN).unwrap_or_default();
        Ok(Self {
            config: serde_json::from_value(config).map_err(|error| unreadable(TRAIN, &error))?,
            plan: serde_json::from_value(plan.into())
                .map_err(|error| unreadable("plan", &error))?,
            dataset: from_json("dataset", &take("dataset")?)?,
            class_names: from_json("class_names", &take("class_names")?)?,
            counters: from_json("counters", &take("counters")?)?,
            more,
        })
    }
}

/// The tensors of a state, if all are finite.
///
/// # Errors
/// [`ErrorKind::NotFinite`](crate::ErrorKind::NotFinite) naming a value that is not finite; or if the device fails.
pub async fn finite_tensors(state: &TrainState) -> Result<HostTensors> {
    let tensors = state.to_host().await?;
    let broken = tensors
        .0
        .iter()
        .find_map(|(name, t)| Some((name, t.values.iter().find(|v| !v.is_finite())?)));
    match broken {
        None => Ok(tensors),
        Some((name, value)) => Err(Error::not_finite(name)
            .found(value)
            .within(format_args!("after generator step {}", state.g_step))),
    }
}

fn to_json(key: &str, value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| Error::file(format_args!("the checkpoint's {key}")).not_writable(error))
}

fn from_json<T: DeserializeOwned>(key: &str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| unreadable(key, &error))
}

fn unreadable(key: &str, error: &serde_json::Error) -> Error {
    Error::file(format_args!("the checkpoint's {key}")).not_readable(error)
}
