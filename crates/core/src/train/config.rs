//! What describes a run.

use serde::{Deserialize, Serialize};

use super::{AdamConfig, EmaConfig, Techniques};
use crate::config::{DiscriminatorConfig, GeneratorConfig};
use crate::error::{Error, Result};
use crate::shape::Cost;

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

    /// What training takes, from the shapes of the networks.
    ///
    /// # Errors
    /// If the networks are not valid.
    pub fn cost(&self) -> Result<Cost> {
        let batch = self.batch_size;
        let at_once = self.techniques.micro_batch.unwrap_or(batch).min(batch);
        Cost::estimate(&self.generator, &self.discriminator, at_once, self.d_steps)
    }
}
