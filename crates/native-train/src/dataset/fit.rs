//! Whether a data set fits the networks, and its test part the training part: what training refuses, and
//! `data check` finds.

use std::collections::BTreeSet;

use biggan::Error;

use super::Dataset;
use super::check::{folded, listed};

/// Side of MNIST's images and of what they are padded to with black, since their edges are black.
const PADDED: [usize; 2] = [28, 32];

/// [`Outline::unit`] of folders of pictures, and of other data sets.
pub const FOLDERS: [&str; 2] = ["class folder", "class folders"];
/// See [`FOLDERS`].
pub const CLASSES: [&str; 2] = ["class", "classes"];

/// A part of a data set, without its pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// Where it is.
    pub place: String,
    /// What a class is there, and several.
    pub unit: [&'static str; 2],
    /// A name for each class.
    pub class_names: Vec<String>,
    /// Channels, height and width; `None` if pictures are resized to what is needed.
    pub shape: Option<[usize; 3]>,
}

impl Outline {
    /// That of a data set whose images have one size.
    pub fn of(set: &Dataset, place: String) -> Self {
        Self {
            place,
            unit: CLASSES,
            class_names: set.class_names.clone(),
            shape: Some(set.shape),
        }
    }
}

/// Something that does not fit: its short name, and the error about it.
#[derive(Debug)]
pub struct Misfit {
    /// Short name.
    pub kind: &'static str,
    /// What, with its remedy.
    pub error: Error,
}

/// Refuses with the first of them.
///
/// # Errors
/// If there is one.
pub fn refuse(misfits: impl IntoIterator<Item = Misfit>) -> anyhow::Result<()> {
    match misfits.into_iter().next() {
        Some(misfit) => Err(misfit.error.into()),
        None => Ok(()),
    }
}

/// What about a part does not fit networks of so many classes and a resolution.
pub fn with_networks(part: &Outline, classes: usize, resolution: usize) -> Vec<Misfit> {
    let mut misfits = Vec::new();
    if part.class_names.len() != classes {
        misfits.push(Misfit {
            kind: "classes",
            error: other_classes(part, classes),
        });
    }
    if let Some(shape) = part.shape
        && !fits(shape, resolution)
    {
        misfits.push(Misfit {
            kind: "size",
            error: other_size(part, shape, resolution),
        });
    }
    misfits
}

fn other_classes(part: &Outline, classes: usize) -> Error {
    let [one, several] = part.unit;
    let found = match &part.class_names[..] {
        [] => format!("no {one}"),
        [only] => format!("1 {one} only, {only:?}"),
        [first, .., last] => format!(
            "{} {several}, {first:?} to {last:?}",
            part.class_names.len()
        ),
    };
    let remedy = match part.class_names.len() {
        0 => "give one folder of pictures per class".to_owned(),
        count => format!(
            "set train.generator.classes and train.discriminator.classes to {count}, or give the other data"
        ),
    };
    Error::config("train.generator.classes")
        .found(classes)
        .expected(format_args!("that of {}: {found}", part.place))
        .remedy(remedy)
}

/// Whether images need no resizing: they have the resolution, or are MNIST's.
fn fits([_, height, width]: [usize; 3], resolution: usize) -> bool {
    let [from, to] = PADDED;
    height == width && (height == resolution || (height == from && resolution == to))
}

fn other_size(part: &Outline, [_, height, width]: [usize; 3], resolution: usize) -> Error {
    let [from, to] = PADDED;
    Error::config("train.generator.resolution")
        .found(resolution)
        .expected(format_args!(
            "the size of the images of {}, {width}x{height}",
            part.place
        ))
        .remedy(format_args!(
            "images of one size are not resized (only {from}x{from} is padded to {to}): pack the pictures \
             at {resolution} with `native-train data pack DIR --resolution {resolution}`, or change the resolution"
        ))
}

/// What about a test part does not fit its training part.
pub fn with_training_part(test: &Outline, train: &Outline) -> Vec<Misfit> {
    let mut misfits = Vec::new();
    if test.class_names != train.class_names {
        misfits.push(Misfit {
            kind: "test classes",
            error: other_than_trained(test, train),
        });
    }
    if let (Some(found), Some(expected)) = (test.shape, train.shape)
        && found != expected
    {
        let words = |[channels, height, width]: [usize; 3]| {
            format!("{channels} channels and {width}x{height} pixels")
        };
        misfits.push(Misfit {
            kind: "test size",
            error: Error::file(format_args!("the images of the test part {}", test.place))
                .found(format_args!("of {}", words(found)))
                .expected(format_args!(
                    "those of {}, {}",
                    train.place,
                    words(expected)
                ))
                .remedy("make both parts alike, or remove the test part"),
        });
    }
    misfits
}

fn other_than_trained(test: &Outline, train: &Outline) -> Error {
    let missing = |from: &Outline, of: &Outline| -> Vec<String> {
        let names = of
            .class_names
            .iter()
            .filter(|c| !from.class_names.contains(c));
        names.map(|name| format!("{name:?}")).collect()
    };
    let (surplus, lacking) = (missing(train, test), missing(test, train));
    let only = |names: &[String], part: &str| match names {
        [] => None,
        _ => Some(format!("only the {part} part has {}", listed(names))),
    };
    let parts: Vec<String> = [only(&surplus, "test"), only(&lacking, "training")]
        .into_iter()
        .flatten()
        .collect();
    let difference = match parts[..] {
        [] => "the same in another order".to_owned(),
        _ => parts.join(", "),
    };
    let is_alike = |name: &String| {
        let mut names = train.class_names.iter();
        names.any(|other| folded(name) == folded(other))
    };
    let remedy = match test.class_names.iter().all(is_alike) && !surplus.is_empty() {
        true => "rename them: they differ in case or in how accents are composed",
        false => "give both parts the same classes, or move the test part away",
    };
    Error::file(format_args!("the list of classes of {}", test.place))
        .found(difference)
        .expected(format_args!(
            "the {} classes of the training part",
            train.class_names.len()
        ))
        .remedy(remedy)
}

/// Images of each class.
///
/// # Errors
/// If a label is out of range.
pub fn images_by_class(set: &Dataset, place: &str) -> Result<Vec<usize>, Misfit> {
    let classes = set.class_names.len();
    let mut images = vec![0; classes];
    for index in 0..set.len() {
        for &label in set.labels_of(index) {
            match images.get_mut(usize::from(label)) {
                Some(count) => *count += 1,
                None => return Err(out_of_range(label, index, classes, place)),
            }
        }
    }
    Ok(images)
}

fn out_of_range(label: u16, index: usize, classes: usize, place: &str) -> Misfit {
    Misfit {
        kind: "labels",
        error: Error::file(format_args!("label {label} of image {index}"))
            .found("out of range")
            .expected(format_args!(
                "one of {classes} classes, 0 to {}",
                classes.saturating_sub(1)
            ))
            .remedy(
                "repair the labels, or set train.generator.classes and train.discriminator.classes",
            )
            .within(place),
    }
}

/// What about the names that a recipe gives to classes does not fit.
pub fn names(names: &[String], classes: usize, place: &str) -> Option<Misfit> {
    let mut seen = BTreeSet::new();
    let named = |found: String, expected: String| Misfit {
        kind: "class names",
        error: Error::config("data.class_names")
            .found(found)
            .expected(expected),
    };
    if let Some(twice) = names.iter().find(|name| !seen.insert(*name)) {
        return Some(named(
            format!("a list with {twice:?} twice"),
            "a name of its own for each class".to_owned(),
        ));
    }
    (names.len() != classes).then(|| {
        named(
            format!("a list of {} names", names.len()),
            format!("{classes} names, one for each class of {place}"),
        )
    })
}

/// The classes of which there is no image.
pub fn without_images(images: &[usize], class_names: &[String], place: &str) -> Option<Misfit> {
    let empty: Vec<String> = images
        .iter()
        .zip(class_names)
        .filter(|(count, _)| **count == 0)
        .map(|(_, name)| format!("{name:?}"))
        .collect();
    let what = match empty.len() {
        0 => return None,
        1 => format!("class {}", empty[0]),
        count => format!(
            "{count} of {} classes ({})",
            class_names.len(),
            listed(&empty)
        ),
    };
    Some(Misfit {
        kind: "no image",
        error: Error::file(what)
            .found("without an image")
            .expected("one or more")
            .remedy("add images, or leave the class out")
            .within(place),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(names: &[&str], shape: Option<[usize; 3]>) -> Outline {
        Outline {
            place: "data".to_owned(),
            unit: FOLDERS,
            class_names: names.iter().map(|&name| name.to_owned()).collect(),
            shape,
        }
    }

    fn kinds(misfits: &[Misfit]) -> Vec<&'static str> {
        misfits.iter().map(|misfit| misfit.kind).collect()
    }

    #[test]
    fn images_of_one_size_are_not_resized() {
        let misfits = |side: usize, resolution| {
            kinds(&with_networks(
                &outline(&["a"], Some([1, side, side])),
                1,
                resolution,
            ))
        };
        for (side, resolution) in [(28, 32), (32, 32), (64, 64)] {
            assert_eq!(misfits(side, resolution), [] as [&str; 0]);
        }
        for (side, resolution) in [(8, 32), (16, 32), (28, 64), (30, 32), (32, 16), (28, 16)] {
            assert_eq!(misfits(side, resolution), ["size"], "{side}, {resolution}");
        }
        let oblong = outline(&["a"], Some([1, 28, 20]));
        assert_eq!(kinds(&with_networks(&oblong, 1, 32)), ["size"]);
        assert_eq!(
            kinds(&with_networks(&outline(&["a"], None), 1, 32)),
            [] as [&str; 0]
        );
    }

    #[test]
    fn both_numbers_of_classes_are_named() {
        let misfits = with_networks(&outline(&["a", "b", "c"], None), 10, 32);
        let text = misfits[0].error.to_string();
        assert!(
            text.starts_with("train.generator.classes is 10, expected that of data: 3 class folders, \"a\" to \"c\""),
            "{text}"
        );
    }

    #[test]
    fn test_parts_have_the_classes_and_shape_of_the_training_part() {
        let train = outline(&["a", "b"], Some([3, 8, 8]));
        let said = |test: Outline| -> Vec<String> {
            let misfits = with_training_part(&test, &train);
            misfits.iter().map(|m| m.error.to_string()).collect()
        };
        assert!(said(train.clone()).is_empty());
        let other = said(outline(&["b", "c"], Some([3, 8, 8])));
        assert!(
            other[0].contains("only the test part has \"c\", only the training part has \"a\""),
            "{other:?}"
        );
        let order = said(outline(&["b", "a"], Some([3, 8, 8])));
        assert!(order[0].contains("in another order"), "{order:?}");
        let lower = said(outline(&["A", "b"], None));
        assert!(lower[0].contains("differ in case"), "{lower:?}");
        let lower = said(outline(&["A", "b"], None));
        assert!(lower[0].contains("differ in case"), "{lower:?}");
        let grey = said(outline(&["a", "b"], Some([1, 8, 8])));
        assert!(
            grey[0].contains("1 channels") && grey[0].contains("3 channels"),
            "{grey:?}"
        );
    }

    #[test]
    fn classes_without_an_image_are_named() {
        let names = ["a", "b", "c"].map(str::to_owned);
        assert!(without_images(&[1, 2, 3], &names, "data").is_none());
        let text = without_images(&[1, 0, 3], &names, "data")
            .unwrap()
            .error
            .to_string();
        assert!(
            text.starts_with("data: class \"b\" is without an image"),
            "{text}"
        );
        let text = without_images(&[0, 0, 3], &names, "data")
            .unwrap()
            .error
            .to_string();
        assert!(text.contains("2 of 3 classes (\"a\"; \"b\")"), "{text}");
    }
}
