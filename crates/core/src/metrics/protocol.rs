//! A score with everything that its number depends on.

use serde::{Serialize, Serializer};

use super::NetworkInfo;

/// What the scores of one set of samples have in common.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Protocol {
    /// Name of the feature network.
    pub network: String,
    /// SHA-256 of its file.
    pub network_sha256: String,
    /// How pictures are resized to its input.
    pub resizer: String,
    /// Side of the model's pictures.
    pub resolution: usize,
    /// Batch norm's statistics.
    pub statistics: String,
    /// Truncation of z, and its kind where it is not the paper's.
    pub truncation: String,
    /// How the classes of the samples are chosen.
    pub classes: String,
    /// Seed of the latents, of the classes and of the chosen real images.
    pub seed: u64,
}

/// How the classes of samples are chosen: uniformly, as training draws them (ajbrock/BigGAN-PyTorch `sample.py`).
/// Protocols of earlier versions, which took the classes in turn, do not have these words.
pub const RANDOM_CLASSES: &str = "classes at random";

impl Protocol {
    /// How many digits of a SHA-256 are printed.
    pub(super) const DIGITS: usize = 8;

    /// For samples of `resolution` seen by a network.
    pub fn new(
        network: &NetworkInfo,
        resolution: usize,
        [statistics, truncation]: [String; 2],
        seed: u64,
    ) -> Self {
        Self {
            network: network.name.clone(),
            network_sha256: network.sha256.clone(),
            resizer: network.input.to_string(),
            resolution,
            statistics,
            truncation,
            classes: RANDOM_CLASSES.to_owned(),
            seed,
        }
    }
}

impl std::fmt::Display for Protocol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{0}x{0} {1}, network {2} {3}, {4}, truncation {5}, {6}, seed {7}",
            self.resolution,
            self.resizer,
            self.network,
            short(&self.network_sha256),
            self.statistics,
            self.truncation,
            self.classes,
            self.seed
        )
    }
}

/// The first digits of a checksum.
pub(super) fn short(sha256: &str) -> &str {
    sha256.get(..Protocol::DIGITS).unwrap_or(sha256)
}

fn number_or_text<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    match value.is_finite() {
        true => serializer.serialize_f64(*value),
        false => serializer.collect_str(value),
    }
}

/// A number under its protocol.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// The measure and its feature network, e.g. `FD-fashion-cnn`.
    pub name: String,
    /// Parameters of this score alone: splits, subsets, neighbours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Number of samples.
    pub count: usize,
    /// The real images, for scores that compare with them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The number; in JSON, which has no others, as text where it is not finite.
    #[serde(serialize_with = "number_or_text")]
    pub value: f64,
    /// Why the number says less than it seems to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
    /// The rest of its protocol.
    pub protocol: Protocol,
}

/// The protocol on one line.
impl std::fmt::Display for Score {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: ", self.name)?;
        if let Some(detail) = &self.detail {
            write!(f, "{detail}, ")?;
        }
        write!(f, "n={}, ", self.count)?;
        if let Some(reference) = &self.reference {
            write!(f, "ref={reference}, ")?;
        }
        self.protocol.fmt(f)
    }
}
