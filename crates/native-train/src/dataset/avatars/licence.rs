//! What is written next to the pictures, and said when they are drawn: where they are from and what may be done with
//! them.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::Result;

use super::AvatarSet;

/// Name of the file.
pub const FILE: &str = "LICENCE.txt";
/// Versions of DiceBear's crates: those of Cargo.toml, which a test compares.
pub const VERSIONS: [(&str, &str); 3] = [
    ("dicebear-core", "11.0.0-rc.2"),
    ("dicebear-styles", "11.0.0-rc.3"),
    ("resvg", "0.49.0"),
];

/// The content of the file. It says all that the pictures follow from: sets with the same text are the same.
///
/// # Errors
/// If a style does not say where it is from.
pub fn text(set: &AvatarSet) -> Result<String> {
    let AvatarSet {
        classes,
        per_class,
        test_per_class,
        resolution,
    } = set;
    let versions = VERSIONS.map(|(name, version)| format!("{name} {version}"));
    let mut text = format!(
        "Avatars: {per_class} training and {test_per_class} test pictures of {resolution}x{resolution} pixels in each \
         of {} classes.\n\n\
         Drawn by native-train with {}, over white. The seeds of a class\n\
         are CLASS-train-0, CLASS-train-1, .. and CLASS-test-0, ..; one whose picture was there already is passed over,\n\
         test pictures first.\n\n\
         The styles are by DiceBear (https://www.dicebear.com) and others, all in the public domain as far as the law\n\
         allows (CC0 1.0, https://creativecommons.org/publicdomain/zero/1.0/), and so are the pictures:\n\n",
        classes.len(),
        versions.join(", ")
    );
    for style in classes {
        let origin = style.origin()?;
        writeln!(
            text,
            "{}: {:?} ({}) by {} ({}), {}",
            style.name,
            origin.source.name,
            origin.source.url,
            origin.creator.name,
            origin.creator.url,
            origin.license.name
        )?;
    }
    Ok(text)
}

/// The same in a line for each author.
///
/// # Errors
/// As [`text`].
pub fn lines(set: &AvatarSet) -> Result<Vec<String>> {
    let mut by_author: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for style in &set.classes {
        let origin = style.origin()?;
        let author = format!(
            "{} ({}), {}",
            origin.creator.name, origin.creator.url, origin.license.name
        );
        by_author.entry(author).or_default().push(style.name);
    }
    let line = |(author, names): (String, Vec<&str>)| format!("{} by {author}", names.join(", "));
    Ok(by_author.into_iter().map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authors_and_licence_are_named() {
        let set = AvatarSet::default();
        let text = text(&set).unwrap();
        assert_eq!(text.matches("CC0 1.0").count(), 13, "{text}");
        assert!(
            text.contains(
                "open-peeps: \"Open Peeps\" (https://www.openpeeps.com/) by Pablo Stanley"
            )
        );
        let lines = lines(&set).unwrap();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].contains("voxel-bot by DiceBear (https://www.dicebear.com), CC0 1.0"));
        assert!(lines[1].starts_with("open-peeps by Pablo Stanley"));
    }

    #[test]
    fn sets_of_other_pictures_have_another_text() {
        let set = AvatarSet::default();
        let others = [
            AvatarSet {
                resolution: 32,
                ..set.clone()
            },
            AvatarSet {
                per_class: 1,
                ..set.clone()
            },
            AvatarSet {
                test_per_class: 1,
                ..set.clone()
            },
            AvatarSet {
                classes: set.classes[1..].to_vec(),
                ..set.clone()
            },
        ];
        for other in others {
            assert_ne!(text(&set).unwrap(), text(&other).unwrap());
        }
    }
}
