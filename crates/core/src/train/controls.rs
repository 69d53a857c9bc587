//! What the step itself adapts from D's logits: LeCam's anchors and ADA's probability.

use burn::tensor::{Device, Tensor};

use super::Techniques;
use super::augment::ada_update;
use super::lecam::Anchors;
use crate::error::{Error, Result};
use crate::named::{FlatTensor, HostTensors, NamedTensors};

/// The controls; they stay on the device, so that no step waits for a read.
#[derive(Debug, Clone)]
pub struct Controls {
    /// Running means of D's logits.
    pub anchors: Anchors,
    /// Probability of each augmentation `[1]`.
    pub ada_probability: Tensor<1>,
}

impl Controls {
    /// All 0.
    pub fn new(device: &Device) -> Self {
        Self {
            anchors: Anchors::new(device),
            ada_probability: Tensor::zeros([1], device),
        }
    }

    /// After a D step with these logits.
    ///
    /// # Shapes
    /// - real, fake: `[n, 1]`, without gradient
    #[must_use]
    pub fn after(mut self, techniques: &Techniques, real: Tensor<2>, fake: Tensor<2>) -> Self {
        if let Some(target) = techniques.augment.as_ref().and_then(|a| a.ada_target) {
            self.ada_probability = ada_update(self.ada_probability, real.clone(), target);
        }
        if let Some(lecam) = techniques.lecam {
            self.anchors = self.anchors.update(real, fake, lecam.decay);
        }
        self
    }

    /// As named tensors.
    pub fn named(&self) -> NamedTensors {
        let flat = |values: &Tensor<1>| FlatTensor {
            values: values.clone(),
            shape: vec![1],
            trainable: false,
        };
        NamedTensors::from([
            ("ada_probability".to_owned(), flat(&self.ada_probability)),
            ("anchor_fake".to_owned(), flat(&self.anchors.fake)),
            ("anchor_real".to_owned(), flat(&self.anchors.real)),
        ])
    }

    /// The inverse of [`Controls::named`]; if a state was saved without controls they start at 0.
    ///
    /// # Errors
    /// If a tensor is missing, unexpected or not a single number.
    pub fn load(mut tensors: HostTensors, device: &Device) -> Result<Self> {
        if tensors.0.is_empty() {
            return Ok(Self::new(device));
        }
        let mut take = |name: &str| match tensors.0.remove(name) {
            Some(tensor) if tensor.values.len() == 1 => Ok(tensor.into_device(device)),
            Some(tensor) => Err(Error::tensor(format_args!("controls.{name}"))
                .found(format_args!("{} values", tensor.values.len()))
                .expected("1 value")),
            None => Err(Error::tensor(format_args!("controls.{name}")).found("missing")),
        };
        let controls = Self {
            anchors: Anchors {
                real: take("anchor_real")?,
                fake: take("anchor_fake")?,
            },
            ada_probability: take("ada_probability")?,
        };
        match tensors.0.keys().next() {
            None => Ok(controls),
            Some(name) => Err(Error::tensor(format_args!("controls.{name}"))
                .found("in the checkpoint but no control of a training state")),
        }
    }
}
