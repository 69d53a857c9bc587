//! Whole networks.

mod discriminator;
mod generator;

pub use discriminator::Discriminator;
pub use generator::Generator;
