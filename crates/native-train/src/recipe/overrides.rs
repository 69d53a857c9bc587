//! `--set key=value`: dotted keys into a TOML table.

use anyhow::Result;
use toml::{Table, Value};

use crate::error::bad_usage;

/// Sets each `key=value` in the table. Values are TOML; anything else is taken as a string.
///
/// Unknown keys are refused later, where the table is read.
///
/// # Errors
/// If the text has no `=`, or a part of the key is a value, not a table.
pub fn apply(table: &mut Table, settings: &[String]) -> Result<()> {
    for setting in settings {
        let (key, text) = setting.split_once('=').ok_or_else(|| {
            bad_usage(format!(
                "--set {setting}: no \"=\"; write key=value, for example train.seed=7"
            ))
        })?;
        set(table, key.trim(), parse_value(text.trim()))?;
    }
    Ok(())
}

fn parse_value(text: &str) -> Value {
    format!("value = {text}")
        .parse::<Table>()
        .ok()
        .and_then(|mut parsed| parsed.remove("value"))
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

fn set(table: &mut Table, key: &str, value: Value) -> Result<()> {
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), value);
            Ok(())
        }
        Some((first, rest)) => {
            let inner = table
                .entry(first)
                .or_insert_with(|| Value::Table(Table::new()));
            match inner {
                Value::Table(inner) => set(inner, rest, value),
                other => Err(bad_usage(format!(
                    "--set: {first} is the value {other}, not a table, so it has no key {rest}"
                ))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_types_and_tables_are_made() {
        let mut table: Table = "[a]\nb = 1".parse().unwrap();
        let settings = ["a.b=2.5", "c.d=word", "e=[1, 2]", "f=\"x=y\""].map(str::to_owned);
        apply(&mut table, &settings).unwrap();
        let expected: Table = "e = [1, 2]\nf = 'x=y'\n[a]\nb = 2.5\n[c]\nd = 'word'"
            .parse()
            .unwrap();
        assert_eq!(table, expected);
    }

    #[test]
    fn faults_are_named() {
        let mut table: Table = "a = 1".parse().unwrap();
        for (setting, part) in [("a", "no \"=\""), ("a.b=1", "not a table")] {
            let error = apply(&mut table, &[setting.to_owned()]).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}
