//! One state on all ranks: sent by rank 0, and compared.

use anyhow::{Result, bail};
use biggan::named::{HostTensor, HostTensors};
use biggan::train::{Counters, TrainConfig, TrainState};
use burn::tensor::Device;
use pollster::block_on;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Job;
use crate::records::intervention::Intervention;

/// What is sent before the tensors.
#[derive(Serialize, Deserialize)]
struct Header {
    counters: Counters,
    interventions: Vec<Intervention>,
    /// Names and shapes, in the order in which they follow.
    tensors: Vec<(String, Vec<usize>)>,
}

impl Job {
    /// Rank 0's bytes on every rank.
    fn send(&self, bytes: Option<Vec<u8>>) -> Vec<u8> {
        let mut len = bytes.as_ref().map_or(0, |b| b.len() as u64).to_le_bytes();
        self.world.broadcast(&mut len, 0);
        let mut bytes = bytes.unwrap_or_else(|| vec![0; u64::from_le_bytes(len) as usize]);
        self.world.broadcast(&mut bytes, 0);
        bytes
    }

    /// Rank 0's value on every rank; the others' values are ignored.
    ///
    /// # Errors
    /// If it cannot be written or read as JSON.
    pub fn of_rank_0<T: Serialize + DeserializeOwned>(&self, value: T) -> Result<T> {
        if self.is_alone() {
            return Ok(value);
        }
        let own = self
            .leads()
            .then(|| serde_json::to_vec(&value))
            .transpose()?;
        Ok(serde_json::from_slice(&self.send(own))?)
    }
}

/// Rank 0's state and interventions on every rank, bit for bit. Only rank 0 provides them.
///
/// # Errors
/// If the device fails, or the state does not match the configuration.
pub fn share_state(
    job: &Job,
    own: Option<(TrainState, Vec<Intervention>)>,
    config: &TrainConfig,
    device: &Device,
) -> Result<(TrainState, Vec<Intervention>)> {
    let Some((state, interventions)) = own else {
        return receive(job, config, device);
    };
    if job.is_alone() {
        return Ok((state, interventions));
    }
    let tensors = block_on(state.to_host())?;
    let shapes = tensors
        .0
        .iter()
        .map(|(name, t)| (name.clone(), t.shape.clone()));
    let header = Header {
        counters: state.counters(),
        interventions,
        tensors: shapes.collect(),
    };
    job.send(Some(serde_json::to_vec(&header)?));
    for tensor in tensors.0.values() {
        let mut bytes = bytes_of(&tensor.values);
        job.group().broadcast(&mut bytes, 0);
    }
    Ok((state, header.interventions))
}

fn receive(
    job: &Job,
    config: &TrainConfig,
    device: &Device,
) -> Result<(TrainState, Vec<Intervention>)> {
    let header: Header = serde_json::from_slice(&job.send(None))?;
    let mut tensors = HostTensors::default();
    for (name, shape) in header.tensors {
        let mut bytes = vec![0; shape.iter().product::<usize>() * size_of::<f32>()];
        job.group().broadcast(&mut bytes, 0);
        let (words, _) = bytes.as_chunks();
        let values = words.iter().map(|word| f32::from_le_bytes(*word)).collect();
        tensors.0.insert(name, HostTensor { shape, values });
    }
    let state = TrainState::from_host(config, &header.counters, tensors, device)?;
    Ok((state, header.interventions))
}

fn bytes_of(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

/// SHA-256 of the bits of a state.
///
/// # Errors
/// If the device fails.
pub fn fingerprint(state: &TrainState) -> Result<[u8; 32]> {
    let mut hash = Sha256::new();
    for (name, tensor) in block_on(state.to_host())?.0 {
        hash.update(name.as_bytes());
        for values in tensor.values.chunks(1 << 14) {
            hash.update(bytes_of(values));
        }
    }
    Ok(hash.finalize().into())
}

impl Job {
    /// Refuses to continue if ranks hold different states.
    ///
    /// # Errors
    /// If they do, on every rank; the message names the ranks that differ from rank 0.
    pub fn compare(&self, state: &TrainState) -> Result<()> {
        if self.is_alone() {
            return Ok(());
        }
        let own = fingerprint(state)?;
        let all = self.world.all_gather(&own.map(f32::from));
        let rows: Vec<&[f32]> = all.chunks_exact(own.len()).collect();
        let others = rows.iter().enumerate().filter(|(_, row)| **row != rows[0]);
        let others: Vec<String> = others.map(|(rank, _)| rank.to_string()).collect();
        if others.is_empty() {
            return Ok(());
        }
        bail!(
            "after generator step {} the weights of rank {} differ from those of rank 0; machines of one kind \
             (one instruction set, one build of the program) compute the same bits, and a broken memory does not: \
             resume from the last checkpoint without that machine",
            state.g_step,
            others.join(", ")
        )
    }
}
