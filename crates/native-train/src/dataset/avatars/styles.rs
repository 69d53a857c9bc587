//! The styles of DiceBear that are the classes. Each is CC0 1.0, which a test reads in its definition; styles under
//! other licences (CC BY, or none) are not taken.

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::error::bad_usage;

/// A style.
#[derive(Debug, PartialEq, Eq)]
pub struct Style {
    /// Its name, which is that of its class.
    pub name: &'static str,
    /// Its definition: JSON of DiceBear's schema.
    pub definition: &'static str,
}

/// All styles, in the order of the bytes of their names.
pub const CLASSES: [Style; 12] = [
    style("clay", dicebear_styles::CLAY),
    style("critters", dicebear_styles::CRITTERS),
    style("cutouts", dicebear_styles::CUTOUTS),
    style("landscape", dicebear_styles::LANDSCAPE),
    style("moods", dicebear_styles::MOODS),
    style("open-peeps", dicebear_styles::OPEN_PEEPS),
    style("pixel-art", dicebear_styles::PIXEL_ART),
    style("planets", dicebear_styles::PLANETS),
    style("sprouts", dicebear_styles::SPROUTS),
    style("thumbs", dicebear_styles::THUMBS),
    style("voxel-art", dicebear_styles::VOXEL_ART),
    style("voxel-bot", dicebear_styles::VOXEL_BOT),
];

const fn style(name: &'static str, definition: &'static str) -> Style {
    Style { name, definition }
}

/// The styles of some names, in the order of [`CLASSES`], each once; all of them without a name.
///
/// # Errors
/// If there is no style of a name; the message lists those that there are.
pub fn by_names(names: &[String]) -> Result<Vec<&'static Style>> {
    let known = CLASSES.each_ref().map(|style| style.name);
    if let Some(name) = names.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(bad_usage(format!(
            "avatars have no class {name:?}; choose from {}",
            known.join(", ")
        )));
    }
    let is_chosen = |style: &&Style| names.is_empty() || names.iter().any(|n| n == style.name);
    Ok(CLASSES.iter().filter(is_chosen).collect())
}

/// Where a style is from, as its definition says it.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Origin {
    /// Its licence.
    pub license: Source,
    /// Who made it.
    pub creator: Source,
    /// The work that it is, or that it is drawn after.
    pub source: Source,
}

/// A name and its address.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Source {
    /// Name.
    pub name: String,
    /// Address.
    pub url: String,
}

impl Style {
    /// Its licence, author and source.
    ///
    /// # Errors
    /// If its definition does not say them.
    pub fn origin(&self) -> Result<Origin> {
        #[derive(Deserialize)]
        struct Definition {
            meta: Origin,
        }
        let definition: Definition = serde_json::from_str(self.definition)
            .with_context(|| format!("the definition of the avatar style {}", self.name))?;
        Ok(definition.meta)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_style_is_cc0() {
        for style in &CLASSES {
            let origin = style.origin().unwrap();
            assert_eq!(origin.license.name, "CC0 1.0", "{}", style.name);
            let creators = ["DiceBear", "Pablo Stanley"];
            assert!(
                creators.contains(&origin.creator.name.as_str()),
                "{origin:?}"
            );
        }
    }

    #[test]
    fn classes_are_sorted_and_chosen_by_name() {
        assert!(CLASSES.is_sorted_by_key(|style| style.name));
        let names = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let styles = by_names(&names);
            styles.map(|all| all.iter().map(|style| style.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&[]).unwrap().len(), 12);
        let chosen = names(&["thumbs", "clay", "thumbs"]).unwrap();
        assert_eq!(chosen, ["clay", "thumbs"]);
        let message = names(&["clay", "Thumbs"]).unwrap_err().to_string();
        assert!(
            message.contains("no class \"Thumbs\"; choose from clay, critters,"),
            "{message}"
        );
    }
}
