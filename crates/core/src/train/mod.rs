//! Training: losses, regularisers, optimiser, average and the step that joins them.

mod adam;
mod augment;
mod averaged_model;
mod batch;
mod check;
mod checkpoint;
mod controls;
mod discriminator_step;
mod ema;
mod generator_step;
mod gradient_penalty;
mod gradients;
mod lecam;
mod look;
mod objective;
mod order;
mod orthogonal;
mod ranks;
mod reduce;
mod session;
mod short_recipe;
mod sigma_clamp;
mod spectrum;
mod state;
mod tangent;
mod techniques;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_ranks;
mod top_k;
mod traffic;
mod training_images;

pub use adam::{AdamConfig, AdamMoments};
pub use augment::{AugmentConfig, Operation};
pub use averaged_model::{EXPORT_KIND, ModelCard, averaged_model};
pub use batch::RealBatch;
pub use check::{CheckRun, check_config, check_run};
pub use checkpoint::{CHECKPOINT_FORMAT, CHECKPOINT_VERSION, CheckpointInfo, finite_tensors};
pub use controls::Controls;
pub use discriminator_step::{DiscriminatorReport, discriminator_step};
pub use ema::{Ema, EmaConfig};
pub use generator_step::{GeneratorReport, generator_step};
pub use gradient_penalty::{GradientPenalty, PenaltyReport, gradient_penalty};
#[cfg(feature = "metrics")]
pub(crate) use gradients::named_gradients;
pub use gradients::{Gradient, gradient_norm, squares};
pub use lecam::LecamConfig;
pub use look::{CHOICE_STEP, Look, MAX_LOOK, Pictures, look};
pub use objective::Objective;
pub use order::Order;
pub use orthogonal::orthogonal_gradient;
pub use ranks::Ranks;
pub use session::{Session, SessionReport, Which};
pub use short_recipe::ShortRecipe;
pub use sigma_clamp::SigmaClamp;
pub use spectrum::{SingularTriples, largest_singular, spectra, top_singular};
pub use state::{Counters, TrainConfig, TrainState};
pub use techniques::Techniques;
pub use top_k::TopKConfig;
pub use traffic::RoundTraffic;
pub use training_images::TrainingImages;
