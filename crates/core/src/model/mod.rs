//! Whole networks.

mod discriminator;
mod generator;
mod prepared;
#[cfg(test)]
#[cfg(feature = "train")]
mod tests;

pub use discriminator::Discriminator;
pub use generator::Generator;
pub use prepared::PreparedGenerator;
