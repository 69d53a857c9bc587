//! Small networks of every architecture, for tests.

use crate::config::{Architecture, ClassEmbedding, DiscriminatorConfig, GeneratorConfig};

/// Every architecture.
pub const ARCHITECTURES: [Architecture; 5] = [
    Architecture::Biggan,
    Architecture::BigganDeep,
    Architecture::BigResnet,
    Architecture::BigResnetDeepLegacy,
    Architecture::BigResnetDeepStudiogan,
];

/// A generator of width 4 with a shared embedding of 6; z has 4 values a stage and 4 more.
pub fn generator(architecture: Architecture, resolution: usize) -> GeneratorConfig {
    GeneratorConfig {
        architecture,
        depth: None,
        resolution,
        channels: 4,
        latent: crate::latent_kind::LatentKind::Normal,
        z_dim: 4 * (resolution.ilog2() as usize - 1),
        classes: 5,
        class_embedding: ClassEmbedding::Shared { dim: 6 },
        hierarchical_z: !architecture.is_deep(),
        attention: vec![],
        spectral_norm: true,
        bn_eps: 1e-5,
        output_bn_eps: None,
        sn_eps: 1e-6,
        bn_momentum: 0.1,
    }
}

/// A discriminator of width 4.
pub fn discriminator(architecture: Architecture, resolution: usize) -> DiscriminatorConfig {
    DiscriminatorConfig {
        architecture,
        depth: None,
        resolution,
        channels: 4,
        classes: 5,
        attention: vec![],
        attention_after_stages: vec![],
        activated_shortcut: false,
        spectral_norm: true,
        sn_eps: 1e-6,
    }
}
