//! Folders for classes: names that every file system takes, each for one class.

use std::collections::BTreeMap;

use biggan::class_names::folded;

/// Names that Windows reserves, whatever follows a point, and those that parts of a data set and folders of systems have
/// (docs/data.md).
const RESERVED: [&str; 17] = [
    "con",
    "prn",
    "aux",
    "nul",
    "train",
    "training",
    "test",
    "testing",
    "eval",
    "evaluation",
    "val",
    "valid",
    "validation",
    "dev",
    "__macosx",
    "lost+found",
    "system volume information",
];
/// What names of hidden files and of systems begin with.
const HIDDEN: [char; 4] = ['.', '~', '@', '$'];
/// Longest name of a folder in bytes; most file systems end at 255.
const MAX_BYTES: usize = 180;

/// A folder for each name. What a file system may refuse is written as `%` and two hexadecimal digits for each byte,
/// and so is `%`; names that only differ in case or in the form of their accents have the number of the class added.
pub fn folder_names(names: &[String]) -> Vec<String> {
    let folders: Vec<String> = names.iter().map(|name| escaped(name)).collect();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for folder in &folders {
        *counts.entry(folded(folder)).or_default() += 1;
    }
    folders
        .into_iter()
        .enumerate()
        .map(|(class, folder)| match counts[&folded(&folder)] {
            1 => folder,
            // no escaped name has this form: a single % is no escape
            _ => format!("{folder}%{class}%"),
        })
        .collect()
}

fn escaped(name: &str) -> String {
    let last = name.chars().count().saturating_sub(1);
    let stem = name.split('.').next().unwrap_or_default().to_lowercase();
    let is_port = ["com", "lpt"].iter().any(|port| {
        let digit = stem.strip_prefix(port);
        digit.is_some_and(|digit| digit.chars().count() == 1 && digit.chars().all(char::is_numeric))
    });
    let is_reserved = is_port || RESERVED.contains(&stem.as_str());
    let mut folder = String::new();
    for (place, c) in name.chars().enumerate() {
        let is_end = place == last && (c == '.' || c.is_whitespace());
        let is_start = place == 0 && (HIDDEN.contains(&c) || c.is_whitespace() || is_reserved);
        if c.is_control() || "/\\:*?\"<>|%".contains(c) || is_start || is_end {
            let mut utf8 = [0; 4];
            for byte in c.encode_utf8(&mut utf8).bytes() {
                folder += &format!("%{byte:02X}");
            }
        } else {
            folder.push(c);
        }
    }
    if folder.is_empty() {
        return "%".to_owned();
    }
    if folder.len() > MAX_BYTES {
        let cut = folder.floor_char_boundary(MAX_BYTES);
        folder.truncate(cut);
        folder.push('%'); // a name that is cut is no other's
    }
    folder
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(names: &[&str]) -> Vec<String> {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        folder_names(&names)
    }

    #[test]
    fn what_file_systems_refuse_is_escaped() {
        for (name, folder) in [
            ("golden retriever", "golden retriever"),
            ("tench, Tinca tinca", "tench, Tinca tinca"),
            ("T-shirt/top", "T-shirt%2Ftop"),
            ("..", "%2E%2E"),
            (".hidden", "%2Ehidden"),
            ("a.", "a%2E"),
            (" a ", "%20a%20"),
            ("a\nb", "a%0Ab"),
            ("100%", "100%25"),
            ("a:b*?", "a%3Ab%2A%3F"),
            ("CON", "%43ON"),
            ("nul.txt", "%6Eul.txt"),
            ("com1", "%63om1"),
            ("train", "%74rain"),
            ("trains", "trains"),
            ("", "%"),
            ("café", "café"),
        ] {
            assert_eq!(folders(&[name]), [folder], "{name:?}");
        }
        let long = "ä".repeat(300);
        let folder = &folders(&[&long])[0];
        assert!(folder.len() <= 200 && folder.ends_with('%'), "{folder}");
    }

    #[test]
    fn each_class_has_its_own() {
        assert_eq!(
            folders(&["crane", "cock", "crane", "Cock", "hen"]),
            ["crane%0%", "cock%1%", "crane%2%", "Cock%3%", "hen"]
        );
        assert_eq!(folders(&["caf\u{e9}", "cafe\u{301}"]).len(), 2);
        let all = folders(&["caf\u{e9}", "cafe\u{301}", "x"]);
        assert!(all[0].ends_with("%0%") && all[1].ends_with("%1%"));
    }
}
