//! Whole networks.

mod discriminator;
mod generator;
#[cfg(test)]
#[cfg(feature = "train")]
mod tests;

pub use discriminator::Discriminator;
pub use generator::Generator;
