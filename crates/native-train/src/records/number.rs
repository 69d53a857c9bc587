//! Numbers that need not be finite: JSON has no word for them.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

/// Reads a number that was written as null since it is not finite.
pub(crate) fn number_or_nan<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or(f64::NAN))
}

/// Reads a list of such numbers.
pub(crate) fn list_or_nan<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f32>, D::Error> {
    let read: Vec<Option<f32>> = Deserialize::deserialize(from)?;
    Ok(read.into_iter().map(|v| v.unwrap_or(f32::NAN)).collect())
}

/// Reads lists of such numbers by name.
pub(crate) fn numbers_or_nan<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<String, Vec<f32>>, D::Error> {
    let read: BTreeMap<String, Vec<Option<f32>>> = Deserialize::deserialize(from)?;
    let number = |value: Option<f32>| value.unwrap_or(f32::NAN);
    Ok(read
        .into_iter()
        .map(|(name, values)| (name, values.into_iter().map(number).collect()))
        .collect())
}

/// Reads such numbers by name.
pub(crate) fn named_or_nan<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<String, f32>, D::Error> {
    let read: BTreeMap<String, Option<f32>> = Deserialize::deserialize(from)?;
    let number = |(name, value): (String, Option<f32>)| (name, value.unwrap_or(f32::NAN));
    Ok(read.into_iter().map(number).collect())
}
