//! Training: losses, regularisers, optimiser, average and the step that joins them.

mod adam;
mod augment;
mod check;
mod controls;
mod ema;
mod gradient_penalty;
mod lecam;
mod objective;
mod orthogonal;
mod sigma_clamp;
mod spectrum;
mod state;
mod step;
mod tangent;
mod techniques;
#[cfg(test)]
mod tests;
mod top_k;

pub use adam::{AdamConfig, AdamMoments};
pub use augment::{AugmentConfig, Operation};
pub use check::{CheckRun, check_config, check_run};
pub use controls::Controls;
pub use ema::{Ema, EmaConfig};
pub use gradient_penalty::{GradientPenalty, PenaltyReport, gradient_penalty};
pub use lecam::LecamConfig;
pub use objective::Objective;
pub use orthogonal::orthogonal_gradient;
pub use sigma_clamp::SigmaClamp;
pub use spectrum::{SingularTriples, spectra, top_singular};
pub use state::{Counters, TrainConfig, TrainState};
#[cfg(feature = "metrics")]
pub(crate) use step::named_gradients;
pub use step::{
    DiscriminatorReport, FakeInputs, GeneratorReport, Gradient, RealBatch, discriminator_step,
    generator_step,
};
pub use techniques::Techniques;
pub use top_k::TopKConfig;
