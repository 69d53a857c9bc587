//! Everything that training changes.

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::{AdamMoments, Controls, Ema, TrainConfig};
use crate::error::{Error, Result};
use crate::model::{Discriminator, Generator};
use crate::named::{HostTensors, load_tensors, named_tensors};

/// The state of a run. It enters and leaves a step by value.
#[derive(Debug, Clone)]
pub struct TrainState {
    /// Generator.
    pub generator: Generator,
    /// Discriminator.
    pub discriminator: Discriminator,
    /// Average of the generator.
    pub ema: Ema,
    /// Moments of G's optimiser.
    pub adam_g: AdamMoments,
    /// Moments of D's optimiser.
    pub adam_d: AdamMoments,
    /// Values that the steps adapt.
    pub controls: Controls,
    /// Discriminator steps taken.
    pub d_step: u64,
    /// Generator steps taken.
    pub g_step: u64,
    /// Real images seen by D: the unit of progress.
    pub images_seen: u64,
}

/// The part of a state that is not tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counters {
    /// As in [`TrainState`].
    pub d_step: u64,
    /// As in [`TrainState`].
    pub g_step: u64,
    /// As in [`TrainState`].
    pub images_seen: u64,
    /// As in [`Ema`].
    pub ema_initial_share: f64,
    /// Steps of G's optimiser.
    pub adam_g_time: usize,
    /// Steps of D's optimiser.
    pub adam_d_time: usize,
}

impl TrainState {
    /// A new run.
    ///
    /// # Errors
    /// If the configuration is not valid.
    pub fn new(config: &TrainConfig, device: &Device) -> Result<Self> {
        config.validate()?;
        Ok(Self::beginning(
            Generator::new(&config.generator, config.seed, device)?,
            Discriminator::new(&config.discriminator, config.seed, device)?,
            device,
        ))
    }

    /// The state before the first step of two networks.
    fn beginning(generator: Generator, discriminator: Discriminator, device: &Device) -> Self {
        Self {
            ema: Ema::new(&generator),
            generator,
            discriminator,
            adam_g: AdamMoments::default(),
            adam_d: AdamMoments::default(),
            controls: Controls::new(device),
            d_step: 0,
            g_step: 0,
            images_seen: 0,
        }
    }

    /// The counters.
    pub fn counters(&self) -> Counters {
        Counters {
            d_step: self.d_step,
            g_step: self.g_step,
            images_seen: self.images_seen,
            ema_initial_share: self.ema.initial_share,
            adam_g_time: self.adam_g.time,
            adam_d_time: self.adam_d.time,
        }
    }

    /// Every tensor of the state, on the host.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn to_host(&self) -> Result<HostTensors> {
        let mut all = HostTensors::default();
        for (prefix, tensors) in [
            ("generator", named_tensors(&self.generator)),
            ("discriminator", named_tensors(&self.discriminator)),
            ("ema", named_tensors(&self.ema.generator)),
            ("adam_g", self.adam_g.named()),
            ("adam_d", self.adam_d.named()),
            ("controls", self.controls.named()),
        ] {
            all.extend_under(prefix, HostTensors::read(tensors).await?);
        }
        Ok(all)
    }

    /// The inverse of [`TrainState::to_host`] and [`TrainState::counters`].
    ///
    /// # Errors
    /// If a tensor is missing, surplus or of another shape.
    pub fn from_host(
        config: &TrainConfig,
        counters: &Counters,
        mut tensors: HostTensors,
        device: &Device,
    ) -> Result<Self> {
        config.check_values()?;
        let fresh = Self::beginning(
            Generator::zeros(&config.generator, device)?,
            Discriminator::zeros(&config.discriminator, device)?,
            device,
        );
        let mut take = |prefix: &str| tensors.take_under(prefix);
        let generator = load_tensors(fresh.generator, take("generator"), device)?;
        let discriminator = load_tensors(fresh.discriminator, take("discriminator"), device)?;
        let average = load_tensors(fresh.ema.generator, take("ema"), device)?;
        let moments =
            |time, tensors, parameters| AdamMoments::load(time, tensors, &parameters, device);
        let adam_g = moments(
            counters.adam_g_time,
            take("adam_g"),
            named_tensors(&generator),
        )?;
        let adam_d = moments(
            counters.adam_d_time,
            take("adam_d"),
            named_tensors(&discriminator),
        )?;
        let controls = Controls::load(take("controls"), device)?;
        if let Some(name) = tensors.0.keys().next() {
            return Err(Error::tensor(name).found("in the checkpoint but not in a training state"));
        }
        Ok(Self {
            generator,
            discriminator,
            ema: Ema {
                generator: average,
                initial_share: counters.ema_initial_share,
            },
            adam_g,
            adam_d,
            controls,
            d_step: counters.d_step,
            g_step: counters.g_step,
            images_seen: counters.images_seen,
        })
    }
}
