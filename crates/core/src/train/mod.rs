//! Training: losses, regularisers, optimiser, average and the step that joins them.

mod adam;
mod check;
mod ema;
mod loss;
mod orthogonal;
mod state;
mod step;

pub use adam::{AdamConfig, AdamMoments};
pub use check::{CheckRun, check_config, check_run};
pub use ema::{Ema, EmaConfig};
pub use loss::{hinge_discriminator, hinge_generator};
pub use orthogonal::orthogonal_gradient;
pub use state::{Counters, TrainConfig, TrainState};
#[cfg(feature = "metrics")]
pub(crate) use step::named_gradients;
pub use step::{
    DiscriminatorReport, FakeInputs, GeneratorReport, RealBatch, discriminator_step, generator_step,
};
