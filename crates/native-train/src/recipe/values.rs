//! Values of TOML as the tree of which a recipe is read: that of JSON, whose whole numbers reach 2^64.

use anyhow::Result;
use serde_json::{Number, Value};

use crate::error::bad_usage;

/// A value of TOML at a dotted key; dates are text.
///
/// # Errors
/// If a number is not finite: no key takes one, and a saved plan could not hold it.
pub(super) fn of_toml(key: &str, value: toml::Value) -> Result<Value> {
    let below = |name: &str| match key {
        "" => name.to_owned(),
        key => format!("{key}.{name}"),
    };
    Ok(match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Boolean(is) => Value::Bool(is),
        toml::Value::Datetime(date) => Value::String(date.to_string()),
        toml::Value::Float(number) => {
            let finite = Number::from_f64(number)
                .ok_or_else(|| bad_usage(format!("{key} is {number}, expected a finite number")))?;
            Value::Number(finite)
        }
        toml::Value::Array(values) => {
            let values = values.into_iter().map(|value| of_toml(key, value));
            Value::Array(values.collect::<Result<_>>()?)
        }
        toml::Value::Table(table) => {
            let fields = table.into_iter();
            let fields = fields.map(|(name, value)| {
                let value = of_toml(&below(&name), value)?;
                Ok((name, value))
            });
            Value::Object(fields.collect::<Result<_>>()?)
        }
    })
}
