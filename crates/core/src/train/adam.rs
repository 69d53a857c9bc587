//! Adam (Kingma and Ba 2015) over named tensors.
//!
//! The rule is Burn's [`burn::optim::Adam`]; we keep the moments by parameter name instead of by
//! Burn's random parameter ids, so that they match in another process (or come from another
//! program).

use std::collections::BTreeMap;

use burn::module::Module;
use burn::optim::{Adam, AdamConfig as BurnAdam, AdamState, AdaptiveMomentumState, Optimizer};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::named::{FlatTensor, HostTensors, NamedTensors, map_tensors};

/// Adam's constants. The paper: beta1 0, beta2 0.999 (BigGAN appendix C).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdamConfig {
    /// Learning rate.
    pub lr: f64,
    /// Decay of the first moment.
    #[serde(default)]
    pub beta1: f64,
    /// Decay of the second moment.
    #[serde(default = "default_beta2")]
    pub beta2: f64,
    /// Added to the root of the second moment.
    #[serde(default = "default_eps")]
    pub eps: f64,
}

fn default_beta2() -> f64 {
    0.999
}
fn default_eps() -> f64 {
    1e-8 // BigGAN-PyTorch utils.py (Adam's default); its ImageNet scripts set 1e-6
}

impl AdamConfig {
    /// Refuses constants with which Adam is undefined.
    ///
    /// # Errors
    /// If a constant is out of range; the message names the key, its value and the range.
    pub fn validate(&self, key: &str) -> Result<()> {
        let refuse = |name: &str, value: f64, range: &str| {
            Err(Error::config(format_args!("{key}.{name}"))
                .found(value)
                .expected(range))
        };
        if !(self.lr > 0.0 && self.lr <= 1.0) {
            return refuse("lr", self.lr, "above 0 and at most 1");
        }
        for (name, beta) in [("beta1", self.beta1), ("beta2", self.beta2)] {
            if !(0.0..1.0).contains(&beta) {
                return refuse(name, beta, "0 or more and below 1");
            }
        }
        if !(self.eps > 0.0 && self.eps < 1.0) {
            return refuse("eps", self.eps, "between 0 and 1");
        }
        Ok(())
    }

    fn rule(&self) -> Adam {
        BurnAdam::new()
            .with_beta_1(self.beta1 as f32)
            .with_beta_2(self.beta2 as f32)
            .with_epsilon(self.eps as f32)
            .build()
    }
}

/// First and second moment of every parameter, and the number of steps taken.
#[derive(Debug, Clone, Default)]
pub struct AdamMoments {
    /// Steps taken.
    pub time: usize,
    first: BTreeMap<String, Tensor<1>>,
    second: BTreeMap<String, Tensor<1>>,
}

impl AdamMoments {
    /// One step: every parameter with a gradient moves.
    ///
    /// # Errors
    /// As [`map_tensors`].
    pub fn step<M: Module>(
        &mut self,
        config: &AdamConfig,
        module: M,
        mut gradients: BTreeMap<String, Tensor<1>>,
    ) -> Result<M> {
        let rule = config.rule();
        let time = self.time;
        let module = map_tensors(module, |name, current| {
            let Some(gradient) = gradients.remove(name) else {
                return Ok(current.values);
            };
            let state = match (self.first.remove(name), self.second.remove(name)) {
                (Some(first), Some(second)) => Some(AdamState::new(AdaptiveMomentumState::new(
                    time, first, second,
                ))),
                _ => None,
            };
            let (value, state) = rule.step(config.lr, current.values, gradient, state);
            if let Some(AdamState { momentum }) = state {
                self.first.insert(name.to_owned(), momentum.moment_1);
                self.second.insert(name.to_owned(), momentum.moment_2);
            }
            Ok(value)
        })?;
        self.time += 1;
        Ok(module)
    }

    /// The moments as named tensors: `first.<name>` and `second.<name>`.
    pub fn named(&self) -> NamedTensors {
        let part = |prefix: &'static str, of: &BTreeMap<String, Tensor<1>>| {
            of.iter()
                .map(|(name, values)| {
                    let flat = FlatTensor {
                        values: values.clone(),
                        shape: vec![values.dims()[0]],
                        trainable: false,
                    };
                    (format!("{prefix}.{name}"), flat)
                })
                .collect::<Vec<_>>()
        };
        let mut all = part("first", &self.first);
        all.extend(part("second", &self.second));
        all.into_iter().collect()
    }

    /// The inverse of [`AdamMoments::named`].
    ///
    /// # Errors
    /// If a moment belongs to no parameter of the module, or has another length than its parameter.
    pub fn load(
        time: usize,
        mut tensors: HostTensors,
        parameters: &NamedTensors,
        device: &Device,
    ) -> Result<Self> {
        let mut take = |prefix: &str| -> Result<BTreeMap<String, Tensor<1>>> {
            let mut moments = BTreeMap::new();
            for (name, tensor) in tensors.take_under(prefix).0 {
                let expected = parameters
                    .get(&name)
                    .map_or(0, |p| p.shape.iter().product::<usize>());
                if expected != tensor.values.len() || expected == 0 {
                    return Err(Error::tensor(format_args!("{prefix}.{name}"))
                        .found(format_args!("{} values", tensor.values.len()))
                        .expected(format_args!("{expected}, as the parameter has")));
                }
                moments.insert(name, tensor.into_device(device));
            }
            Ok(moments)
        };
        Ok(Self {
            time,
            first: take("first")?,
            second: take("second")?,
        })
    }
}
