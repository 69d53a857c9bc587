//! Everything that training changes, and what describes a run.

use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::{AdamConfig, AdamMoments, Controls, Ema, EmaConfig, Ranks, Techniques};
use crate::config::{DiscriminatorConfig, GeneratorConfig};
use crate::error::{Error, Result};
use crate::latent::{LatentKey, Latents};
use crate::model::{Discriminator, Generator};
use crate::named::{HostTensors, load_tensors, named_tensors};
use crate::random::Stream;
use crate::shape::Cost;
use crate::truncation::LatentDistribution;

/// What the step needs to know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// Generator.
    pub generator: GeneratorConfig,
    /// Discriminator.
    pub discriminator: DiscriminatorConfig,
    /// Optimiser of G.
    pub adam_g: AdamConfig,
    /// Optimiser of D.
    pub adam_d: AdamConfig,
    /// Average of G.
    pub ema: EmaConfig,
    /// Real images a discriminator step, and fake images a step of either.
    pub batch_size: usize,
    /// Discriminator steps for each generator step (2 in the paper).
    pub d_steps: usize,
    /// Strength of the modified orthogonal regularisation of G (1e-4 in the paper), 0 for none.
    #[serde(default)]
    pub orthogonal: f64,
    /// Factor of its gradient: 4 is the true one, 2 that of BigGAN-PyTorch.
    #[serde(default = "true_factor")]
    pub orthogonal_factor: f64,
    /// Objective and regularisers.
    #[serde(default)]
    pub techniques: Techniques,
    /// Seed of weights, latents and data order.
    pub seed: u64,
}

fn true_factor() -> f64 {
    super::orthogonal::TRUE_FACTOR
}

impl TrainConfig {
    /// Checks the whole.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) naming the key, both values and the remedy.
    pub fn validate(&self) -> Result<()> {
        self.generator.validate()?;
        self.discriminator.validate()?;
        self.adam_g.validate("adam_g")?;
        self.adam_d.validate("adam_d")?;
        self.ema.validate()?;
        let pairs = [
            (
                "resolution",
                self.generator.resolution,
                self.discriminator.resolution,
            ),
            (
                "classes",
                self.generator.classes,
                self.discriminator.classes,
            ),
        ];
        for (key, g, d) in pairs {
            if g != d {
                return Err(Error::config(format_args!("generator.{key}"))
                    .found(g)
                    .expected(format_args!("{d}, as discriminator.{key}"))
                    .remedy("make them agree"));
            }
        }
        if self.batch_size < 2 {
            return Err(Error::config("batch_size")
                .found(self.batch_size)
                .expected("2 or more, for batch norm"));
        }
        if !(1..=self.batch_size).contains(&self.d_steps) {
            return Err(Error::config("d_steps")
                .found(self.d_steps)
                .expected(format_args!(
                    "1 to batch_size {}, and 1 to 5 in every published recipe",
                    self.batch_size
                )));
        }
        self.techniques.validate(self.batch_size)?;
        for (key, value) in [
            ("orthogonal", self.orthogonal),
            ("orthogonal_factor", self.orthogonal_factor),
        ] {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(Error::config(key).found(value).expected("0 or more"));
            }
        }
        Ok(())
    }
}

impl TrainConfig {
    /// What training takes, from the shapes of the networks.
    ///
    /// # Errors
    /// If the networks are not valid.
    pub fn cost(&self) -> Result<Cost> {
        let batch = self.batch_size;
        let at_once = self.techniques.micro_batch.unwrap_or(batch).min(batch);
        Cost::of(&self.generator, &self.discriminator, at_once, self.d_steps)
    }

    /// Latents and classes of a rank's fakes of one step, not truncated.
    pub fn fakes(&self, stream: Stream, step: u64, ranks: &Ranks, device: &Device) -> Latents {
        let dims = [self.generator.z_dim, self.generator.classes];
        let distribution = LatentDistribution::untruncated(self.generator.latent);
        let key = LatentKey {
            seed: self.seed,
            stream,
            step,
            first: 0,
        };
        let parts = ranks.rows(self).into_iter().map(|rows| {
            let first = rows.start as u64;
            LatentKey { first, ..key }.latents(rows.len(), dims, distribution, device)
        });
        let (z, class_weights): (Vec<_>, Vec<_>) =
            parts.map(|part| (part.z, part.class_weights)).unzip();
        Latents {
            z: Tensor::cat(z, 0),
            class_weights: Tensor::cat(class_weights, 0),
        }
    }
}

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
    /// What the step steers by itself.
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
        Ok(Self::of(
            Generator::new(&config.generator, config.seed, device)?,
            Discriminator::new(&config.discriminator, config.seed, device)?,
            device,
        ))
    }

    /// The state before the first step of two networks.
    fn of(generator: Generator, discriminator: Discriminator, device: &Device) -> Self {
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
        config.validate()?;
        let fresh = Self::of(
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
