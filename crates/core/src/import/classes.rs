//! What the classes of foreign weights are called: by the data set that the config names, otherwise by their number
//! and the resolution. Weights hold no names.

use serde_json::Value;

use super::{Source, config_text};
use crate::class_names::{ClassList, KnownClasses};
use crate::config::GeneratorConfig;

/// Names of the classes of a network, and where they come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedClasses {
    /// The names, and ids if there are any.
    pub list: ClassList,
    /// The data set, by this program's name for it.
    pub data_set: String,
    /// Where the names come from.
    pub remark: String,
}

impl NamedClasses {
    /// Of a generator that was trained on a data set, if that is known, by its program's name for it.
    pub fn of(config: &GeneratorConfig, data_set: Option<&str>) -> Self {
        let GeneratorConfig {
            classes,
            resolution,
            ..
        } = *config;
        let said = data_set.map(|name| (name, KnownClasses::called(name)));
        let known = match said {
            Some((_, known)) => known.filter(|known| known.count() == classes),
            None => KnownClasses::likely(classes, resolution),
        };
        let numbered = || ClassList {
            names: (0..classes).map(|class| format!("class {class}")).collect(),
            ids: Vec::new(),
        };
        let remark = match (known, said) {
            (Some(known), Some((name, _))) => format!(
                "{classes} classes: they are named as {}'s, since the config's data set is {name:?}",
                known.title()
            ),
            (Some(known), None) => format!(
                "{classes} classes: they are named as {}'s, by their number and the resolution {resolution}; if they \
                 are others, give their names",
                known.title()
            ),
            (None, Some((name, Some(known)))) => format!(
                "{classes} classes, but the config's data set {name:?} has {}: they are numbered; give their names",
                known.count()
            ),
            (None, Some((name, None))) => format!(
                "{classes} classes of the data set {name:?}, which is unknown here: they are numbered; give their names"
            ),
            (None, None) => format!("{classes} classes: they are numbered; give their names"),
        };
        Self {
            list: known.map_or_else(numbered, KnownClasses::list),
            data_set: match (known, said) {
                (Some(known), _) => known.name().to_owned(),
                (None, Some((name, None))) => name.to_owned(),
                (None, _) => "unknown".to_owned(),
            },
            remark,
        }
    }
}

/// The data set that a program's config names: `dataset` of BigGAN-PyTorch's flags, `DATA.name` of StudioGAN's YAML.
pub(super) fn data_set(source: Source, config: &str) -> Option<String> {
    let value = config_text::parse(config).ok()?;
    let name = match source {
        Source::HfDeep => return None,
        Source::BigganPytorch => value.get("dataset"),
        Source::Studiogan => value
            .get("DATA")
            .and_then(|section| section.get("name"))
            .or_else(|| value.get("data_name")),
    };
    let name = name.and_then(Value::as_str)?;
    (!name.is_empty() && name != "N/A").then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Architecture;
    use crate::test_configs::generator;

    fn named(classes: usize, resolution: usize, data_set: Option<&str>) -> NamedClasses {
        let config = GeneratorConfig {
            classes,
            ..generator(Architecture::Biggan, resolution)
        };
        NamedClasses::of(&config, data_set)
    }

    #[test]
    fn classes_are_named_by_the_config_or_else_by_number_and_resolution() {
        for (classes, resolution, data_set, first, name, remark) in [
            (10, 32, None, "airplane", "cifar10", "if they are others"),
            (
                10,
                32,
                Some("CIFAR10"),
                "airplane",
                "cifar10",
                "\"CIFAR10\"",
            ),
            (100, 32, Some("C100"), "apple", "cifar100", "CIFAR-100"),
            (
                200,
                64,
                None,
                "goldfish, Carassius auratus",
                "tiny-imagenet",
                "Tiny ImageNet",
            ),
            (
                1000,
                128,
                None,
                "tench, Tinca tinca",
                "imagenet",
                "ImageNet",
            ),
            (10, 64, None, "class 0", "unknown", "numbered"),
            (10, 32, Some("SVHN"), "class 0", "SVHN", "unknown here"),
            (12, 32, Some("CIFAR10"), "class 0", "unknown", "has 10"),
            (200, 64, Some("CUB200"), "class 0", "CUB200", "\"CUB200\""),
        ] {
            let found = named(classes, resolution, data_set);
            assert_eq!(found.list.names.len(), classes);
            assert_eq!(found.list.names[0], first);
            assert_eq!(found.data_set, name);
            assert!(found.remark.contains(remark), "{}", found.remark);
        }
    }

    #[test]
    fn configs_name_their_data_set() {
        for (source, config, expected) in [
            (
                Source::Studiogan,
                "DATA:\n  name: \"CIFAR10\"\n",
                Some("CIFAR10"),
            ),
            (Source::BigganPytorch, "{\"dataset\": \"C10\"}", Some("C10")),
            (Source::BigganPytorch, "{\"BN_eps\": 1e-5}", None),
            (Source::HfDeep, "{\"dataset\": \"C10\"}", None),
        ] {
            assert_eq!(data_set(source, config).as_deref(), expected);
        }
    }
}
