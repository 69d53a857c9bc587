//! Descriptions of networks, read from TOML recipes and stored in every model file.
//!
//! Unknown keys are errors; [`GeneratorConfig::validate`] and [`DiscriminatorConfig::validate`]
//! refuse shapes that cannot be built, before anything is allocated.

mod architecture;
mod checks;
mod discriminator;
mod generator;

use serde::{Deserialize, Serialize};

pub use architecture::{Architecture, RESOLUTIONS, Skip};
pub use discriminator::DiscriminatorConfig;
pub use generator::GeneratorConfig;

/// Blocks per stage of the deep architectures (BigGAN appendix B; `G_depth` of BigGAN-PyTorch).
const DEFAULT_DEPTH: usize = 2;

/// How the class reaches the batch norms of G.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClassEmbedding {
    /// One embedding of this dimension shared by all layers, projected to each gain and bias
    /// (BigGAN sec. 3, "shared embedding").
    Shared {
        /// Dimension of the embedding (128 in the paper).
        dim: usize,
    },
    /// A separate embedding of each gain and bias, as in SA-GAN (the paper's baseline).
    PerLayer,
}

fn default_sn_eps() -> f64 {
    1e-4 // BigGAN appendix C: raised from 1e-8 in batch and spectral norm, for low precision
}

fn yes() -> bool {
    true
}

fn is_no(flag: &bool) -> bool {
    !*flag
}

fn is_yes(flag: &bool) -> bool {
    *flag
}

/// The default architecture is not written, so that plain BigGAN's files stay unchanged.
fn is_default(architecture: &Architecture) -> bool {
    *architecture == Architecture::default()
}

fn blocks_per_stage(architecture: Architecture, depth: Option<usize>) -> usize {
    if architecture.is_deep() {
        depth.unwrap_or(DEFAULT_DEPTH)
    } else {
        1
    }
}
