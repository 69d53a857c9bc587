//! Avatars: a colour data set that every machine draws for itself, as large as it is wanted. A class is a style of
//! [DiceBear](https://www.dicebear.com), whose crates turn a seed into an SVG; all twelve are CC0 1.0.
//!
//! A picture follows from its class, its part, the number of its seed and the resolution. Transparent parts are over
//! white.

mod directory;
mod distinct;
mod drawing;
mod licence;
mod styles;
mod workspace;

use std::path::Path;

use anyhow::{Result, ensure};

use super::image_folder::IMAGE_FOLDER;
use super::parts::Layout;
use super::{Dataset, DatasetRequest, NamedDataset, class_folders, picture};
use crate::error::bad_usage;

pub use directory::{draw, is_complete};
pub use styles::{CLASSES, Style, by_names};

/// Avatars.
pub const AVATARS: NamedDataset = NamedDataset {
    name: "avatars",
    about: "drawn from seeds: 1,200 + 100 colour images of each of 12 classes, 16x16 to 512x512",
    read,
    test_outline: |request, directory| (IMAGE_FOLDER.test_outline)(request, directory),
    fetch: Some(|directory, resolution| {
        draw(&AvatarSet::when_missing(resolution), directory, &|| false).map(drop)
    }),
    is_complete,
};

/// Smallest and largest side of a picture.
const SIDES: [usize; 2] = [16, 512];

/// Which pictures to draw.
#[derive(Debug, Clone)]
pub struct AvatarSet {
    /// Classes, in the order of their names.
    pub classes: Vec<&'static Style>,
    /// Training pictures of each class.
    pub per_class: usize,
    /// Test pictures of each class.
    pub test_per_class: usize,
    /// Side in pixels.
    pub resolution: usize,
}

impl Default for AvatarSet {
    fn default() -> Self {
        Self {
            classes: CLASSES.iter().collect(),
            per_class: 1_200,
            test_per_class: 100,
            resolution: 64,
        }
    }
}

impl AvatarSet {
    /// What is drawn for networks that find none: what serves small networks serves those of the default side too.
    fn when_missing(resolution: usize) -> Self {
        let default = Self::default();
        Self {
            resolution: resolution.max(default.resolution),
            ..default
        }
    }

    /// Refuses what cannot be drawn.
    ///
    /// # Errors
    /// If a part has no picture, or the side is too small or too large.
    pub fn validate(&self) -> Result<()> {
        for (option, count) in [
            ("--per-class", self.per_class),
            ("--test-per-class", self.test_per_class),
        ] {
            if count == 0 {
                return Err(bad_usage(format!("{option} is 0; use 1 or more")));
            }
        }
        let [smallest, largest] = SIDES;
        if !(smallest..=largest).contains(&self.resolution) {
            return Err(bad_usage(format!(
                "the resolution of avatars is {}; use {smallest} to {largest}",
                self.resolution
            )));
        }
        Ok(())
    }

    /// Number of pictures in both parts.
    pub fn pictures(&self) -> usize {
        let of_class = self.per_class.saturating_add(self.test_per_class);
        self.classes.len().saturating_mul(of_class)
    }
}

/// Reads a part as any folders of pictures; larger ones are resized.
fn read(request: &DatasetRequest<'_>, directory: &Path, resolution: usize) -> Result<Dataset> {
    let drawn = side(request, directory)?;
    if drawn < resolution {
        return Err(bad_usage(format!(
            "{}: avatars of {drawn}x{drawn}, but train.generator.resolution is {resolution}; draw larger ones with \
             `native-train data fetch avatars --resolution {resolution} --out DIR` and set data.path to DIR",
            directory.display()
        )));
    }
    let mut set = (IMAGE_FOLDER.read)(request, directory, resolution)?;
    set.info.name = AVATARS.name.to_owned();
    Ok(set)
}

/// Side of the pictures of a part, by its first one.
fn side(request: &DatasetRequest<'_>, directory: &Path) -> Result<usize> {
    let layout = Layout::find(directory)?;
    let (classes, _) = class_folders::list(layout.part(request.split)?)?;
    ensure!(
        !classes.is_empty(),
        "{}: no class folder; draw avatars into it with `native-train data fetch avatars`",
        directory.display()
    );
    let [width, _] = picture::sides(&picture::read(&classes[0].path(0))?)?;
    Ok(width)
}

#[cfg(test)]
mod tests {
    use super::AvatarSet;

    #[test]
    fn a_small_recipe_leaves_pictures_that_larger_ones_can_use() {
        for (networks, drawn) in [(16, 64), (32, 64), (64, 64), (128, 128)] {
            assert_eq!(AvatarSet::when_missing(networks).resolution, drawn);
        }
    }
}
