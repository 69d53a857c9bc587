//! Checks of single values, shared by both networks.

use super::Architecture;
use crate::error::{Error, Result};

/// Widest network that is accepted: the paper's is 96 (128 for BigGAN-deep).
pub(super) const MAX_CHANNELS: usize = 1024;
/// Most classes that are accepted: JFT-300M, the paper's largest set, has about 18,000.
pub(super) const MAX_CLASSES: usize = 100_000;
/// Most blocks per stage that are accepted: all published deep networks have 2.
const MAX_DEPTH: usize = 16;

pub(super) fn check_depth(
    network: &str,
    architecture: Architecture,
    depth: Option<usize>,
    least: usize,
) -> Result<()> {
    match depth {
        Some(depth) if !architecture.is_deep() => {
            Err(Error::config(format_args!("{network}.depth"))
                .found(depth)
                .expected(format_args!(
                    "none: architecture {} has one block a stage",
                    architecture.name()
                ))
                .remedy("remove the key, or choose architecture \"biggan_deep\""))
        }
        Some(depth) => in_range(&format!("{network}.depth"), depth, least, MAX_DEPTH),
        None => Ok(()),
    }
}

pub(super) fn in_range(key: &str, value: usize, low: usize, high: usize) -> Result<()> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(Error::config(key)
        .found(value)
        .expected(format_args!("{low} to {high}")))
}

pub(super) fn in_unit(key: &str, value: f64) -> Result<()> {
    if value > 0.0 && value < 1.0 {
        return Ok(());
    }
    Err(Error::config(key).found(value).expected("between 0 and 1"))
}

pub(super) fn check_attention(
    key: &str,
    unit: &str,
    places: &[usize],
    available: &[usize],
) -> Result<()> {
    match places.iter().find(|place| !available.contains(place)) {
        None => Ok(()),
        Some(missing) => Err(Error::config(key)
            .found(format_args!("{unit} {missing}"))
            .expected(format_args!("of {available:?}, where the blocks end"))),
    }
}
