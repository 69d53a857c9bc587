//! A training state as the bytes of one file: tensors, counters, plan and data set.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use biggan::file::{DatasetInfo, Dtype, decode, encode};
use biggan::named::HostTensors;
use biggan::train::{Counters, TrainState};
use burn::tensor::Device;
use serde::de::DeserializeOwned;

use crate::collapse::Intervention;
use crate::plan::Plan;

/// Value of the metadata key `format`.
pub const FORMAT: &str = "biggan-checkpoint";
/// Value of the metadata key `format_version` that this program writes and reads.
pub const FORMAT_VERSION: &str = "1";

/// Metadata key that only runs which collapsed have.
const INTERVENTIONS: &str = "interventions";

/// A checkpoint in memory.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// What ran.
    pub plan: Plan,
    /// What it ran on.
    pub dataset: DatasetInfo,
    /// A name for each class.
    pub class_names: Vec<String>,
    /// Collapses so far, and what was done.
    pub interventions: Vec<Intervention>,
    /// How far.
    pub counters: Counters,
    /// Every tensor of the state.
    pub tensors: HostTensors,
}

impl Checkpoint {
    /// Takes the state from its device.
    ///
    /// # Errors
    /// If a value is not finite (such a state is not worth keeping), or the device fails.
    pub fn of_state(
        state: &TrainState,
        plan: &Plan,
        interventions: &[Intervention],
        dataset: &DatasetInfo,
        class_names: &[String],
    ) -> Result<Self> {
        let tensors = pollster::block_on(state.to_host())?;
        let broken = tensors
            .0
            .iter()
            .find_map(|(name, t)| Some((name, t.values.iter().find(|v| !v.is_finite())?)));
        if let Some((name, value)) = broken {
            return Err(biggan::Error::NotFinite(format!(
                "{name} holds {value} after generator step {}",
                state.g_step
            ))
            .into());
        }
        Ok(Self {
            plan: plan.clone(),
            dataset: dataset.clone(),
            class_names: class_names.to_vec(),
            interventions: interventions.to_vec(),
            counters: state.counters(),
            tensors,
        })
    }

    /// The state on a device.
    ///
    /// # Errors
    /// If tensors and plan do not fit.
    pub fn into_state(self, device: &Device) -> Result<TrainState> {
        let config = self.plan.train();
        Ok(TrainState::from_host(
            config,
            &self.counters,
            self.tensors,
            device,
        )?)
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// As the writer of safetensors.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let mut metadata = BTreeMap::from([
            ("format".to_owned(), FORMAT.to_owned()),
            ("format_version".to_owned(), FORMAT_VERSION.to_owned()),
            ("plan".to_owned(), serde_json::to_string(&self.plan)?),
            ("dataset".to_owned(), serde_json::to_string(&self.dataset)?),
            (
                "class_names".to_owned(),
                serde_json::to_string(&self.class_names)?,
            ),
            (
                "counters".to_owned(),
                serde_json::to_string(&self.counters)?,
            ),
        ]);
        if !self.interventions.is_empty() {
            let text = serde_json::to_string(&self.interventions)?;
            metadata.insert(INTERVENTIONS.to_owned(), text);
        }
        Ok(encode(&self.tensors, &metadata, Dtype::F32)?)
    }

    /// The inverse of [`Checkpoint::encode`].
    ///
    /// # Errors
    /// If the bytes are cut short, or of another format or version; the message names both values.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let stored = decode(bytes)?;
        let field = |key: &str| stored.metadata.get(key).map(String::as_str);
        let stated = |key: &str| field(key).unwrap_or("missing").to_owned();
        ensure!(
            field("format") == Some(FORMAT),
            "not a checkpoint: its format is {}, expected {FORMAT}",
            stated("format")
        );
        ensure!(
            field("format_version") == Some(FORMAT_VERSION),
            "its format_version is {}, this program reads {FORMAT_VERSION}; use a matching version of \
             the program",
            stated("format_version")
        );
        Ok(Self {
            plan: json(field("plan"), "plan")?,
            dataset: json(field("dataset"), "dataset")?,
            class_names: json(field("class_names"), "class_names")?,
            interventions: json(field(INTERVENTIONS).or(Some("[]")), INTERVENTIONS)?,
            counters: json(field("counters"), "counters")?,
            tensors: stored.tensors,
        })
    }
}

fn json<T: DeserializeOwned>(text: Option<&str>, key: &str) -> Result<T> {
    let Some(text) = text else {
        bail!("the checkpoint has no {key} in its metadata");
    };
    serde_json::from_str(text).with_context(|| format!("the checkpoint's {key} is not readable"))
}
