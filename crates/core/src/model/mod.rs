//! Whole networks.

mod discriminator;
mod generator;
#[cfg(all(test, feature = "train"))]
mod tests;

pub use discriminator::Discriminator;
pub use generator::Generator;
