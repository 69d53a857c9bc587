//! What the step itself adapts from D's logits: LeCam's anchors and ADA's probability.

use burn::tensor::{Device, Tensor};

use super::Techniques;
use super::augment::ada_update;
use super::lecam::{Anchors, MOST_UPDATES};
use crate::error::{Error, Result};
use crate::named::{FlatTensor, HostTensors, NamedTensors};

/// Name of the number of updates of the anchors.
const UPDATES: &str = "anchor_updates";

/// The controls; they stay on the device, so that no step waits for a read.
#[derive(Debug, Clone)]
pub struct Controls {
    /// Running means of D's logits.
    pub anchors: Anchors,
    /// Probability of each augmentation `[1]`.
    pub ada_probability: Tensor<1>,
}

impl Controls {
    /// ADA's probability 0, and anchors of no step.
    pub fn new(device: &Device) -> Self {
        Self {
            anchors: Anchors::new(device),
            ada_probability: Tensor::zeros([1], device),
        }
    }

    /// After a D step whose real images have these logits, with the anchors that it compared with.
    ///
    /// # Shapes
    /// - real: `[n, 1]`, without gradient
    #[must_use]
    pub fn after(mut self, techniques: &Techniques, real: Tensor<2>, anchors: Anchors) -> Self {
        self.anchors = anchors;
        let target = techniques.augment.as_ref().and_then(|a| a.ada_target);
        if let (Some(target), Some(boundary)) = (target, techniques.objective.boundary()) {
            self.ada_probability = ada_update(self.ada_probability, real, target, boundary);
        }
        self
    }

    /// As named tensors; the number of updates only if there were some.
    pub fn named(&self) -> NamedTensors {
        let flat = |values: Tensor<1>| FlatTensor {
            values,
            shape: vec![1],
            trainable: false,
        };
        let mut named = NamedTensors::from([
            (
                "ada_probability".to_owned(),
                flat(self.ada_probability.clone()),
            ),
            ("anchor_fake".to_owned(), flat(self.anchors.fake.clone())),
            ("anchor_real".to_owned(), flat(self.anchors.real.clone())),
        ]);
        if self.anchors.updates > 0 {
            let updates = self.anchors.updates as f32;
            let updates = Tensor::full([1], updates, &self.ada_probability.device());
            named.insert(UPDATES.to_owned(), flat(updates));
        }
        named
    }

    /// The inverse of [`Controls::named`]; if a state was saved without controls they start anew. Anchors without their
    /// number of updates are of a program that did not count them: they are taken for settled, unless they are 0.
    ///
    /// # Errors
    /// If a tensor is missing, unexpected or not a single number.
    pub fn load(mut tensors: HostTensors, device: &Device) -> Result<Self> {
        if tensors.0.is_empty() {
            return Ok(Self::new(device));
        }
        let updates = tensors.0.remove(UPDATES);
        let settled = tensors.0.iter().any(|(name, tensor)| {
            name.starts_with("anchor_") && tensor.values.iter().any(|&value| value != 0.0)
        });
        let updates = match updates.as_ref().map(|tensor| tensor.values.as_slice()) {
            Some(&[updates]) if updates >= 0.0 && updates <= MOST_UPDATES as f32 => updates as u64,
            Some(found) => {
                return Err(Error::tensor(format_args!("controls.{UPDATES}"))
                    .found(format_args!("{found:?}"))
                    .expected(format_args!("a count of at most {MOST_UPDATES}")));
            }
            None if settled => MOST_UPDATES,
            None => 0,
        };
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
                updates,
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
