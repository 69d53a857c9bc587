//! What BigGAN sec. 4 watches in a run: the largest singular values of every layer, and how strongly
//! each network moves.

use std::collections::BTreeMap;

use anyhow::Result;
use biggan::named::{named_tensors, read_values};
use biggan::train::{TrainState, spectra};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// Singular values of each layer that are written, as in the paper's figures: sigma0, sigma1, sigma2.
const SINGULAR_VALUES: usize = 3;

/// A look at the networks.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Watch {
    /// Largest first, by weight: `generator.<name>` and `discriminator.<name>`, before spectral norm.
    pub singular_values: BTreeMap<String, Vec<f32>>,
}

impl Watch {
    /// Looks at a state; the state stays as it is.
    ///
    /// # Errors
    /// If the device fails.
    pub fn of(state: &TrainState) -> Result<Self> {
        let mut names = Vec::new();
        let mut values = Vec::new();
        for (network, tensors) in [
            ("generator", named_tensors(&state.generator)),
            ("discriminator", named_tensors(&state.discriminator)),
        ] {
            for (name, sigma) in spectra(&tensors, SINGULAR_VALUES) {
                names.push((format!("{network}.{name}"), sigma.dims()[0]));
                values.push(sigma);
            }
        }
        // one read for all
        let mut all = pollster::block_on(read_values(Tensor::cat(values, 0)))?.into_iter();
        let singular_values = names
            .into_iter()
            .map(|(name, count)| (name, all.by_ref().take(count).collect()))
            .collect();
        Ok(Self { singular_values })
    }
}
