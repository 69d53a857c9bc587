//! Whole networks.

mod discriminator;
mod generator;
mod prepared;
#[cfg(test)]
#[cfg(feature = "train")]
mod tests;
#[cfg(test)]
#[cfg(all(feature = "train", feature = "rayon"))]
mod tests_allocations;

pub use discriminator::Discriminator;
pub use generator::Generator;
pub use prepared::PreparedGenerator;
