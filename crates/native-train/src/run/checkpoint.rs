//! A checkpoint of a run: the core's file, with a plan and the responses to collapses.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use biggan::file::DatasetInfo;
use biggan::named::HostTensors;
use biggan::train::{CheckpointInfo, Counters, TrainState, finite_tensors};
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::recipe::data_section::DataSection;
use crate::recipe::plan::{Plan, Recipe};
use crate::recipe::run_section::RunSection;
use crate::records::intervention::Intervention;

/// Metadata key, present only if the run has collapsed.
const INTERVENTIONS: &str = "interventions";

/// A recipe without the networks and optimisers, which the core writes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sections {
    name: String,
    data: DataSection,
    run: RunSection,
}

/// A checkpoint in memory.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// What ran.
    pub plan: Plan,
    /// What it ran on.
    pub dataset: DatasetInfo,
    /// A name for each class.
    pub class_names: Vec<String>,
    /// Collapses so far, and the actions taken.
    pub interventions: Vec<Intervention>,
    /// Progress.
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
        Ok(Self {
            tensors: pollster::block_on(finite_tensors(state))?,
            plan: plan.clone(),
            dataset: dataset.clone(),
            class_names: class_names.to_vec(),
            interventions: interventions.to_vec(),
            counters: state.counters(),
        })
    }

    /// The state on a device.
    ///
    /// # Errors
    /// If tensors and plan do not match.
    pub fn into_state(self, device: &Device) -> Result<TrainState> {
        let config = self.plan.train();
        Ok(TrainState::from_host(
            config,
            &self.counters,
            self.tensors,
            device,
        )?)
    }

    /// The bytes of the info.
    ///
    /// # Errors
    /// As the writer of safetensors.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let Recipe {
            name,
            data,
            run,
            train,
        } = self.plan.clone().into();
        let mut info = CheckpointInfo {
            config: train,
            plan: Sections { name, data, run },
            dataset: self.dataset.clone(),
            class_names: self.class_names.clone(),
            counters: self.counters.clone(),
            more: BTreeMap::new(),
        };
        if !self.interventions.is_empty() {
            let text = serde_json::to_string(&self.interventions)?;
            info.more.insert(INTERVENTIONS.to_owned(), text);
        }
        Ok(info.encode(&self.tensors)?)
    }

    /// The inverse of [`Checkpoint::encode`].
    ///
    /// # Errors
    /// If the bytes are truncated, or of another format or version; the message names both values.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let (info, tensors) = CheckpointInfo::<Sections>::decode(bytes)?;
        let Sections { name, data, run } = info.plan;
        let recipe = Recipe {
            name,
            data,
            run,
            train: info.config,
        };
        let interventions = info.more.get(INTERVENTIONS).map_or("[]", String::as_str);
        Ok(Self {
            plan: Plan::try_from(recipe)?,
            interventions: serde_json::from_str(interventions)
                .context("the checkpoint's interventions is not readable")?,
            dataset: info.dataset,
            class_names: info.class_names,
            counters: info.counters,
            tensors,
        })
    }
}
