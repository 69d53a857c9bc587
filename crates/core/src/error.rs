//! The one error of the core crate.

/// What went wrong, in the words of the person who can mend it.
///
/// Each message names the thing, both values and the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A configuration that cannot describe a network or a run.
    #[error("config: {0}")]
    Config(String),
    /// A model or checkpoint file that is not what it should be.
    #[error("{0}")]
    File(String),
    /// A request (class, truncation, count, latents) outside of what the model offers.
    #[error("{0}")]
    Request(String),
    /// A tensor that is missing, surplus, or of another shape or type.
    #[error("tensor {name}: {problem}")]
    Tensor {
        /// Name of the tensor in the file or module.
        name: String,
        /// Expected against found.
        problem: String,
    },
    /// Training produced a value that is not finite.
    #[error("{0}")]
    NotFinite(String),
    /// The device could not execute or return a result.
    #[error("device: {0}")]
    Device(String),
}

impl Error {
    /// A [`Error::Tensor`] from its two parts.
    pub fn tensor(name: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Tensor {
            name: name.into(),
            problem: problem.into(),
        }
    }
}

/// Result with the crate's [`Error`].
pub type Result<T> = core::result::Result<T, Error>;
