//! Adam (Kingma and Ba 2015) over named tensors.
//!
//! The rule is that of Burn's [`burn::optim::Adam`], in one pass over a tensor ([`crate::kernels::adam_step`]). The moments
//! have the names of their parameters, so that they match in another process (or come from another program).

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::kernels::{AdamStep, adam_step};
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

    /// The constants of step number `time`, counted from 1.
    fn at(&self, time: usize) -> AdamStep {
        AdamStep::new(self.lr, [self.beta1, self.beta2], self.eps, time)
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
        let (first_step, step) = (config.at(1), config.at(self.time + 1));
        let module = map_tensors(module, |name, current| {
            let Some(gradient) = gradients.remove(name) else {
                return Ok(current.values);
            };
            let (moments, step) = match (self.first.remove(name), self.second.remove(name)) {
                (Some(first), Some(second)) => ([first, second], step),
                _ => ([0, 1].map(|_| gradient.zeros_like()), first_step),
            };
            let (value, moments) = adam_step(current.values, gradient, moments, step);
            let [first, second] = moments;
            self.first.insert(name.to_owned(), first);
            self.second.insert(name.to_owned(), second);
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

#[cfg(test)]
mod tests {
    use super::*;
    use burn::optim::{AdamConfig as BurnAdam, Optimizer};

    /// Burn's own rule is the reference.
    #[test]
    fn steps_are_those_of_burn() {
        let device = Device::flex();
        let config = AdamConfig {
            lr: 0.01,
            beta1: 0.5,
            beta2: 0.9,
            eps: 1e-6,
        };
        let rule = BurnAdam::new()
            .with_beta_1(config.beta1 as f32)
            .with_beta_2(config.beta2 as f32)
            .with_epsilon(config.eps as f32)
            .build();
        let wave = |rate: f32| {
            let values: Vec<f32> = (0..70_001).map(|i| libm::sinf(rate * i as f32)).collect();
            Tensor::<1>::from_floats(values.as_slice(), &device)
        };
        let (mut ours, mut theirs) = (wave(0.3), wave(0.3));
        let mut moments = [0, 1].map(|_| ours.zeros_like());
        let mut state = None;
        for time in 1..=4 {
            let gradient = wave(0.1 + time as f32);
            (ours, moments) = adam_step(ours, gradient.clone(), moments, config.at(time));
            (theirs, state) = rule.step(config.lr, theirs, gradient, state);
            let apart = (ours.clone() - theirs.clone()).abs().max();
            assert!(apart.into_scalar::<f32>() < 1e-6, "step {time}");
        }
    }
}
