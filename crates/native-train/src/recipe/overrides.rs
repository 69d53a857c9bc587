//! `--set key=value`: dotted keys into the tree of a recipe.

use anyhow::Result;
use serde_json::{Map, Value};
use toml::Table;

use super::values;
use crate::error::bad_usage;

/// A value as typed, which may yet be meant as text.
#[derive(Debug)]
pub(super) struct Setting {
    key: String,
    text: String,
    /// Whether it is in the tree as text.
    is_text: bool,
}

/// Sets each `key=value` in the tree. Values are TOML; anything else is taken as text.
///
/// Unknown keys are refused later, where the tree is read.
///
/// # Errors
/// If a setting has no `=`, or a part of the key is a value, not a table.
pub(super) fn apply(tree: &mut Value, settings: &[String]) -> Result<Vec<Setting>> {
    let mut applied = Vec::new();
    for setting in settings {
        let (key, text) = setting.split_once('=').ok_or_else(|| {
            bad_usage(format!(
                "--set {setting}: no \"=\"; write key=value, for example train.seed=7"
            ))
        })?;
        let (key, text) = (key.trim(), text.trim());
        let value = parse_value(key, text)?;
        applied.push(Setting {
            key: key.to_owned(),
            text: text.to_owned(),
            is_text: value.is_string(),
        });
        set(tree, key, value)?;
    }
    Ok(applied)
}

/// Takes the value that was set at a place of the tree, or the list around it, as the text that was typed: a directory
/// may be called 2019. Returns whether it was not text before.
///
/// # Errors
/// As [`apply`].
pub(super) fn take_as_text(tree: &mut Value, settings: &mut [Setting], at: &str) -> Result<bool> {
    let (key, in_list) = match at.split_once('[') {
        Some((key, _)) => (key, true),
        None => (at, false),
    };
    let typed = settings.iter_mut().rev();
    let Some(setting) = typed.filter(|s| s.key == key).find(|s| !s.is_text) else {
        return Ok(false);
    };
    setting.is_text = true;
    let text = |text: &str| Value::String(text.to_owned());
    let value = match in_list {
        false => text(&setting.text),
        true => {
            let items = setting.text.trim_matches(['[', ']']).split(',');
            let items = items.map(|item| text(item.trim().trim_matches(['"', '\''])));
            Value::Array(items.collect())
        }
    };
    set(tree, key, value)?;
    Ok(true)
}

fn parse_value(key: &str, text: &str) -> Result<Value> {
    let parsed = format!("value = {text}").parse::<Table>().ok();
    // more than one line, or more than one key
    let parsed = parsed.filter(|table| table.len() == 1);
    match parsed.and_then(|mut parsed| parsed.remove("value")) {
        Some(value) => values::of_toml(key, value),
        // whole numbers of TOML end at 2^63
        None => Ok(match text.replace('_', "").parse::<u64>() {
            Ok(number) => Value::from(number),
            Err(_) => Value::String(text.to_owned()),
        }),
    }
}

fn set(tree: &mut Value, key: &str, value: Value) -> Result<()> {
    let (first, rest) = match key.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (key, None),
    };
    let Value::Object(fields) = tree else {
        return Err(bad_usage(format!(
            "--set: {tree} is a value, not a table, so it has no key {key}"
        )));
    };
    let inner = fields.entry(first).or_insert(Value::Object(Map::new()));
    match rest {
        None => *inner = value,
        Some(rest) if inner.is_object() => set(inner, rest, value)?,
        Some(rest) => {
            return Err(bad_usage(format!(
                "--set: {first} is the value {inner}, not a table, so it has no key {rest}"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_have_types_and_tables_are_made() {
        let mut tree = json!({"a": {"b": 1}});
        let settings = [
            "a.b=2.5",
            "c.d=word",
            "e=[1, 2]",
            "f=\"x=y\"",
            "g=-1",
            "h=1\ni=2",
        ];
        apply(&mut tree, &settings.map(str::to_owned)).unwrap();
        let expected = json!({
            "a": {"b": 2.5}, "c": {"d": "word"}, "e": [1, 2], "f": "x=y", "g": -1, "h": "1\ni=2"
        });
        assert_eq!(tree, expected);
    }

    #[test]
    fn faults_are_named() {
        let mut tree = json!({"a": 1});
        for (setting, part) in [("a", "no \"=\""), ("a.b=1", "not a table")] {
            let error = apply(&mut tree, &[setting.to_owned()]).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}
