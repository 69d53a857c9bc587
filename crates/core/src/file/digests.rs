//! CRC-32 of each tensor of a file, so that a flipped bit on a disk or on the way is an error that names its tensor and not
//! a slightly worse picture.
//!
//! One metadata key, [`KEY`], holds 8 hex digits a tensor, in the order of the values. A CRC finds every single flipped bit
//! and every burst of 32 bits, and other damage with a probability of 1 - 2^-32; it is no signature. `crc32fast` was there
//! already, for PyTorch's zip files. Files without the key, of older or other programs, are read as they are.

use std::collections::BTreeMap;

use crate::error::{Error, Result};

/// Key of the digests in `__metadata__`.
pub(super) const KEY: &str = "tensors_crc32";
/// Digits of a digest.
const DIGITS: usize = 8;

/// The digest of a tensor's bytes.
pub(super) fn digest(values: &[u8]) -> String {
    format!("{:08x}", crc32fast::hash(values))
}

/// The digests of a file, by its tensors in the order of their values.
#[derive(Debug, Default)]
pub(super) struct Digests(BTreeMap<String, String>);

impl Digests {
    /// Takes them out of the metadata; none if it has none.
    ///
    /// # Errors
    /// If their number is not that of the tensors.
    pub(super) fn take<'a>(
        metadata: &mut BTreeMap<String, String>,
        names: impl ExactSizeIterator<Item = &'a str>,
    ) -> Result<Self> {
        let Some(text) = metadata.remove(KEY) else {
            return Ok(Self::default());
        };
        let (digits, tensors) = (text.as_bytes(), names.len());
        if digits.len() != tensors * DIGITS {
            return Err(Error::file(format_args!("the file's {KEY}"))
                .found(format_args!("{} digits", digits.len()))
                .expected(format_args!("{DIGITS} for each of {tensors} tensors"))
                .remedy(REMEDY));
        }
        let digests = digits.chunks_exact(DIGITS).map(String::from_utf8_lossy);
        let named = names.zip(digests);
        Ok(Self(
            named
                .map(|(name, digest)| (name.to_owned(), digest.into_owned()))
                .collect(),
        ))
    }

    /// Refuses values that have changed since they were written.
    ///
    /// # Errors
    /// If their digest is another; the message names the tensor.
    pub(super) fn check(&self, name: &str, values: &[u8]) -> Result<()> {
        let Some(stated) = self.0.get(name) else {
            return Ok(());
        };
        let found = digest(values);
        if found == *stated {
            return Ok(());
        }
        Err(Error::tensor(name)
            .found(format_args!("damaged: CRC-32 {found}"))
            .expected(format_args!("{stated}, by the file"))
            .remedy(REMEDY))
    }
}

const REMEDY: &str = "fetch or export the file again, or use another checkpoint";
