//! The text of a foreign config: JSON, or the YAML that StudioGAN's configs consist of.

use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// Longest text that is accepted.
const MAX_BYTES: usize = 1 << 20;

/// Reads JSON, or lines `key: value` in sections (see [`yaml`]).
///
/// # Errors
/// If it is neither; the message names the line.
pub(super) fn parse(text: &str) -> Result<Value> {
    if text.len() > MAX_BYTES {
        return Err(Error::config("the config")
            .found(format_args!("{} bytes", text.len()))
            .expected(format_args!("at most {MAX_BYTES}")));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text)
            .map_err(|error| Error::config("the config").found(format_args!("not JSON: {error}")));
    }
    yaml(text)
}

/// Two levels, as in StudioGAN's files: `SECTION:` at the beginning of a line, `  key: value` below it.
/// Values are numbers, booleans, strings and lists of these in brackets.
fn yaml(text: &str) -> Result<Value> {
    let mut sections = Map::new();
    let mut section: Option<String> = None;
    for (number, line) in text.lines().enumerate() {
        let line = line.split(" #").next().unwrap_or_default().trim_end();
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        let problem = || {
            Error::config(format_args!("line {}", number + 1))
                .found(format_args!(
                    "{:?}",
                    line.chars().take(40).collect::<String>()
                ))
                .expected("\"key: value\" or JSON")
                .within("config")
        };
        let (key, value) = line.split_once(':').ok_or_else(problem)?;
        let (key, value, indented) = (key.trim(), value.trim(), line.starts_with(' '));
        if key.is_empty() || key.contains(['"', '{', '[']) {
            return Err(problem());
        }
        if !indented {
            section = None;
        }
        if value.is_empty() && !indented {
            sections.insert(key.to_owned(), Value::Object(Map::new()));
            section = Some(key.to_owned());
            continue;
        }
        let value = scalar_or_list(value).ok_or_else(problem)?;
        let place = match &section {
            Some(name) => sections.get_mut(name).and_then(Value::as_object_mut),
            None if indented => return Err(problem()),
            None => Some(&mut sections),
        };
        place.ok_or_else(problem)?.insert(key.to_owned(), value);
    }
    Ok(Value::Object(sections))
}

fn scalar_or_list(text: &str) -> Option<Value> {
    let Some(list) = text.strip_prefix('[') else {
        return scalar(text);
    };
    let list = list.strip_suffix(']')?;
    if list.trim().is_empty() {
        return Some(Value::Array(Vec::new()));
    }
    let items: Option<Vec<Value>> = list.split(',').map(|item| scalar(item.trim())).collect();
    items.map(Value::Array)
}

fn scalar(text: &str) -> Option<Value> {
    for quote in ['"', '\''] {
        if let Some(rest) = text.strip_prefix(quote) {
            return Some(rest.strip_suffix(quote)?.into());
        }
    }
    match text {
        "" => None,
        "True" | "true" => Some(true.into()),
        "False" | "false" => Some(false.into()),
        _ => Some(
            text.parse::<i64>()
                .map(Value::from)
                .or_else(|_| text.parse::<f64>().map(Value::from))
                .unwrap_or_else(|_| text.into()),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sections_of_studiogan() {
        let text = "DATA:\n  name: \"CIFAR10\"\n  img_size: 32 # pixels\n\nMODEL:\n  apply_attn: True\n  \
                    attn_g_loc: [2, 3]\n  g_lr: 0.00005\n  g_depth: N/A\n";
        let expected = json!({
            "DATA": {"name": "CIFAR10", "img_size": 32},
            "MODEL": {"apply_attn": true, "attn_g_loc": [2, 3], "g_lr": 5e-5, "g_depth": "N/A"},
        });
        assert_eq!(parse(text).unwrap(), expected);
        assert_eq!(parse(" {\"a\": [1]}").unwrap(), json!({"a": [1]}));
        // a byte order mark, of Windows' editors
        assert_eq!(parse("\u{feff}{\"a\": 1}").unwrap(), json!({"a": 1}));
        assert_eq!(
            parse("\u{feff}a: 1\r\nb: 2\r\n").unwrap(),
            json!({"a": 1, "b": 2})
        );
        assert_eq!(parse("z_dim: 80").unwrap(), json!({"z_dim": 80}));
    }

    #[test]
    fn what_is_neither_names_its_line() {
        for (text, place) in [
            ("A:\n  b: 1\n  c", "line 3"),
            ("  a: 1", "line 1"),
            ("a: [1", "line 1"),
            ("a: \"b", "line 1"),
            ("{\"a\": }", "not JSON"),
        ] {
            let message = parse(text).unwrap_err().to_string();
            assert!(message.contains(place), "{message}");
        }
    }
}
