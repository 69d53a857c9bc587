//! `--class`: an id, a name, a list of either, or all.

use anyhow::Result;

use crate::error::bad_usage;

/// Most names that a message lists.
const MAX_LISTED: usize = 20;

/// The ids of what was typed, in the order typed.
///
/// Names are compared without case. A name that itself holds commas is tried first as a whole.
///
/// # Errors
/// If a part is neither an id nor a name; the message lists the candidates.
pub fn resolve(choice: &str, class_names: &[String]) -> Result<Vec<usize>> {
    if choice.trim().eq_ignore_ascii_case("all") {
        return Ok((0..class_names.len()).collect());
    }
    if let Some(class) = one(choice, class_names) {
        return Ok(vec![class]);
    }
    choice
        .split(',')
        .map(|part| {
            one(part, class_names).ok_or_else(|| {
                bad_usage(format!(
                    "class {:?} is unknown; the model has {}",
                    part.trim(),
                    candidates(class_names)
                ))
            })
        })
        .collect()
}

fn one(text: &str, class_names: &[String]) -> Option<usize> {
    let text = text.trim();
    let by_name = class_names
        .iter()
        .position(|name| name.to_lowercase() == text.to_lowercase());
    let by_id = || {
        text.parse()
            .ok()
            .filter(|&id: &usize| id < class_names.len())
    };
    by_name.or_else(by_id)
}

/// The classes with their ids, for a message.
pub fn candidates(class_names: &[String]) -> String {
    let listed: Vec<String> = class_names
        .iter()
        .take(MAX_LISTED)
        .enumerate()
        .map(|(id, name)| format!("{id} {name}"))
        .collect();
    let rest = class_names.len().saturating_sub(MAX_LISTED);
    match rest {
        0 => listed.join(", "),
        _ => format!("{} and {rest} more", listed.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_names_lists_and_all() {
        let names = ["Dress", "Bag", "tench, Tinca tinca"].map(str::to_owned);
        for (choice, expected) in [
            ("dress", vec![0]),
            ("1", vec![1]),
            ("bag, 0", vec![1, 0]),
            ("Tench, tinca tinca", vec![2]),
            ("ALL", vec![0, 1, 2]),
        ] {
            assert_eq!(resolve(choice, &names).unwrap(), expected, "{choice}");
        }
        for choice in ["hat", "3", "-1", "", "dress,"] {
            let message = resolve(choice, &names).unwrap_err().to_string();
            assert!(message.contains("0 Dress, 1 Bag"), "{choice}: {message}");
        }
    }
}
