//! What BigGAN sec. 4 watches in a run: the largest singular values of every layer.

use std::collections::BTreeMap;

use anyhow::Result;
use biggan::named::named_tensors;
use biggan::train::{TrainState, spectra};
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
        let mut singular_values = BTreeMap::new();
        for (network, tensors) in [
            ("generator", named_tensors(&state.generator)),
            ("discriminator", named_tensors(&state.discriminator)),
        ] {
            let found = pollster::block_on(spectra(&tensors, SINGULAR_VALUES))?;
            let named = |(name, sigma)| (format!("{network}.{name}"), sigma);
            singular_values.extend(found.into_iter().map(named));
        }
        Ok(Self { singular_values })
    }
}
