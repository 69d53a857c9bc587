//! What describes a run.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::{AdamConfig, EmaConfig, OrthogonalTerm, Techniques, orthogonal_gradient};
use crate::arch;
use crate::config::{DiscriminatorConfig, GeneratorConfig};
use crate::error::{Error, Result};
use crate::named::FlatTensor;
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
    /// Strength of the orthogonal regularisation of G (1e-4 in the paper), 0 for none.
    #[serde(default)]
    pub orthogonal: f64,
    /// That of D, 0 for none, as in the paper (BigGAN-PyTorch's `D_ortho`).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub orthogonal_d: f64,
    /// Which term: `modified`, the paper's, or `original`, which also draws the norms of filters to 1.
    #[serde(default, skip_serializing_if = "OrthogonalTerm::is_modified")]
    pub orthogonal_term: OrthogonalTerm,
    /// Factor of its gradient: 4 is the true one, 2 that of BigGAN-PyTorch.
    #[serde(default = "true_factor")]
    pub orthogonal_factor: f64,
    /// Objective and regularisers.
    #[serde(default)]
    pub techniques: Techniques,
    /// Seed of weights, latents and data order.
    pub seed: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes a reference
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

fn true_factor() -> f64 {
    super::orthogonal::TRUE_FACTOR
}

impl TrainConfig {
    /// Checks the whole, as for a new run.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) naming the key, both values and the remedy.
    pub fn validate(&self) -> Result<()> {
        self.check_values()?;
        self.techniques.check_boundary()
    }

    /// Checks each value: what the plan of an earlier program must hold to be read. Some of its combinations are refused
    /// by [`TrainConfig::validate`].
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) naming the key, both values and the remedy.
    pub fn check_values(&self) -> Result<()> {
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
        let blocks = arch::discriminator_blocks(&self.discriminator)?.len();
        if let Some(frozen) = self.techniques.freeze_d.filter(|frozen| *frozen > blocks) {
            return Err(Error::config("techniques.freeze_d")
                .found(frozen)
                .expected(format_args!(
                    "0 to {blocks}, the blocks of this discriminator"
                )));
        }
        for (key, value) in [
            ("orthogonal", self.orthogonal),
            ("orthogonal_d", self.orthogonal_d),
            ("orthogonal_factor", self.orthogonal_factor),
        ] {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(Error::config(key).found(value).expected("0 or more"));
            }
        }
        Ok(())
    }

    /// The gradient of the recipe's orthogonal term at a strength, of a weight.
    pub(super) fn orthogonal_gradient(
        &self,
        strength: f64,
    ) -> impl Fn(&FlatTensor) -> Option<Tensor<1>> {
        let (term, factor) = (self.orthogonal_term, self.orthogonal_factor);
        move |weight| orthogonal_gradient(term, weight, strength, factor)
    }

    /// What a person should know of a combination that is allowed, a sentence each.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if !self.techniques.objective.pairs() {
            return remarks;
        }
        for (key, penalty) in [("r1", self.techniques.r1), ("r2", self.techniques.r2)] {
            if penalty.is_none_or(|penalty| penalty.gamma == 0.0) {
                remarks.push(format!(
                    "relativistic_pairing without techniques.{key}: R3GAN, whose objective it is, needs both r1 and r2 \
                     to converge (Huang et al. 2024, sec. 2); add {key} = {{ gamma = 1.0 }}"
                ));
            }
        }
        if self.discriminator.spectral_norm {
            remarks.push(
                "relativistic_pairing with spectral norm in D: R3GAN's networks have no norms, and its penalties alone \
                 bound D; discriminator.spectral_norm = false is nearer to it"
                    .to_owned(),
            );
        }
        remarks.push(
            "relativistic_pairing with batch norm in G: R3GAN's G has none, so its results need not hold here"
                .to_owned(),
        );
        remarks
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
