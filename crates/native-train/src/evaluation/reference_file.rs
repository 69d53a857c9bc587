//! Statistics of a reference set from a file: our own, or pytorch-fid's `.npz`.

use std::path::Path;

use anyhow::{Context, Result, bail};
use biggan::file::sha256_hex;
use biggan::metrics::{Reference, ReferenceInfo};

use super::scores::Against;
use crate::evaluation::npz;
use crate::input_file;

/// Reads the statistics of a file for a model with the protocol `expected`.
///
/// An `.npz` names neither network nor images: only the length of its vectors can be checked, and the
/// scores say so.
///
/// # Errors
/// If the file cannot be read, is not a reference, or has another protocol; the message has both protocols.
pub fn read(path: &Path, expected: &ReferenceInfo) -> Result<Against> {
    let named = || format!("reference {}", path.display());
    let bytes = input_file::read("reference", path)?;
    if npz::is_zip(&bytes) {
        let normal = npz::statistics(&bytes).with_context(named)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        return Ok(Against {
            normal,
            protocol: format!(
                "{name} {} of unknown images, network and resizer",
                &sha256_hex(&bytes)[..8]
            ),
            images: None,
        });
    }
    let reference = Reference::decode(&bytes).with_context(named)?;
    reference.info.check(expected).with_context(named)?;
    Ok(Against {
        normal: reference.normal,
        protocol: format!(
            "{} {} n={}",
            reference.info.dataset.name, reference.info.split, reference.info.count
        ),
        images: None,
    })
}

/// Refuses statistics of vectors of another length than the network's.
///
/// # Errors
/// If they differ; the message has both lengths.
pub fn check_dim(against: &Against, network: &str, features: usize) -> Result<()> {
    let dim = against.normal.dim();
    if dim != features {
        bail!(
            "the reference [{}] has vectors of {dim} values, the network {network} makes {features}; give the \
             network that it was made with, or make it anew with `native-train reference`",
            against.protocol
        );
    }
    Ok(())
}
