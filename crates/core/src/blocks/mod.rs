//! Residual blocks of BigGAN.

mod discriminator;
mod generator;

pub use discriminator::{DiscriminatorBlock, DiscriminatorBlockShape};
pub use generator::GeneratorBlock;
