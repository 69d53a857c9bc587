//! Import of other BigGAN programs' weights as model files and training states.
//!
//! Everything works on bytes, so that it runs in a browser too. Three programs are supported, see
//! [`Source`]. The path of a file:
//!
//! ```text
//! torch (container, pickle, views) -> foreign (what became of each tensor) -> gather (names, folding,
//! layout, by the dialect of the program) -> model file or training state, and a report
//! ```

mod biggan_pytorch;
mod change;
mod classes;
mod config_text;
#[cfg(feature = "metrics")]
mod exact;
mod find;
mod fold;
mod foreign;
mod gather;
mod hf_deep;
mod infer;
mod looks_like;
mod model;
mod network;
#[cfg(feature = "train")]
mod optimiser;
mod report;
mod studiogan;
#[doc(hidden)] // read through `model`, `generator`, `discriminator`, `training`
pub mod torch;
#[cfg(feature = "train")]
mod training;
mod wrapper;

pub use classes::NamedClasses;
#[cfg(feature = "metrics")]
pub(crate) use exact::exact;
pub use gather::Purpose;
pub use model::model;
pub use network::{Imported, discriminator, generator};
pub use report::{Fate, Report, ReportLine};
#[cfg(feature = "train")]
pub use training::{ImportedTraining, TrainingFiles, training};

use std::str::FromStr;

use crate::error::{Error, Result};

/// A program whose weights can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// huggingface/pytorch-pretrained-BigGAN: the generators of BigGAN-deep at 128, 256 and 512.
    HfDeep,
    /// ajbrock/BigGAN-PyTorch: BigGAN and BigGAN-deep, with optimisers.
    BigganPytorch,
    /// POSTECH-CVLab/PyTorch-StudioGAN: `big_resnet*`, with optimisers.
    Studiogan,
}

impl Source {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::HfDeep, Self::BigganPytorch, Self::Studiogan];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::HfDeep => "hf-deep",
            Self::BigganPytorch => "biggan-pytorch",
            Self::Studiogan => "studiogan",
        }
    }
}

impl Source {
    /// The program that wrote a file with a generator, by the names of its tensors.
    ///
    /// # Errors
    /// If the bytes are not PyTorch weights, or not those of a supported generator.
    pub fn detect(bytes: &[u8]) -> Result<Self> {
        let file = torch::TorchFile::open(bytes)?;
        let known = find::known(file.root());
        let generator = known
            .iter()
            .find_map(|(_, looks)| looks.source.filter(|_| looks.is_generator));
        match (generator, known.first()) {
            (Some(source), _) => Ok(source),
            (None, Some((_, looks))) => Err(Error::file("the file")
                .found(&looks.what)
                .remedy("give the file of a generator")),
            (None, None) => Err(Error::file("the file")
                .found("of no known program")
                .expected(
                    "weights of pytorch-pretrained-BigGAN, BigGAN-PyTorch or PyTorch-StudioGAN",
                )),
        }
    }
}

impl FromStr for Source {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|source| source.name() == text)
            .ok_or_else(|| {
                Error::request("the source of weights")
                    .found(format_args!("{text:?}"))
                    .expected("hf-deep, biggan-pytorch or studiogan")
            })
    }
}
