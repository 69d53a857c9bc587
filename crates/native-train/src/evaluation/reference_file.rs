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
            count: None,
            of_unknown_network: true,
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
        count: Some(reference.info.count),
        of_unknown_network: false,
        images: None,
    })
}

/// How far below zero a mean may be: roundings.
const NEGATIVE: f64 = -1e-6;

/// Refuses statistics that are not of the network's features: of vectors of another length, or with a negative mean.
/// The features of all networks here are averages of values that a rectifier has left at 0 or more.
///
/// # Errors
/// If they are not; the message has both lengths, or the mean.
pub fn check(against: &Against, network: &str, features: usize) -> Result<()> {
    let dim = against.normal.dim();
    if dim != features {
        bail!(
            "the reference [{}] has vectors of {dim} values, the network {network} makes {features}; give the \
             network that it was made with, or make it anew with `native-train reference`",
            against.protocol
        );
    }
    let negative = against
        .normal
        .mean()
        .iter()
        .position(|&mean| mean < NEGATIVE);
    if let Some(at) = negative {
        bail!(
            "the reference [{}] is of no images: the mean of feature {at} is {}, and the features by {network} are 0 or \
             more; give the statistics that its program wrote, or make them with `native-train reference`",
            against.protocol,
            against.normal.mean()[at]
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use biggan::metrics::Normal;

    #[test]
    fn means_that_no_images_give_are_refused() {
        let against = |mean: f64| Against {
            normal: Normal::new(vec![0.5, mean], vec![1.0, 0.0, 0.0, 1.0]).unwrap(),
            protocol: "some.npz".into(),
            count: None,
            of_unknown_network: true,
            images: None,
        };
        check(&against(0.2), "tiny", 2).unwrap();
        let refused = |mean, features, parts: &[&str]| {
            let message = check(&against(mean), "tiny", features)
                .unwrap_err()
                .to_string();
            for part in parts {
                assert!(message.contains(part), "{message} lacks {part}");
            }
        };
        refused(-0.3, 2, &["some.npz", "feature 1 is -0.3", "0 or more"]);
        refused(0.2, 3, &["vectors of 2 values", "makes 3"]);
    }
}
