//! Statistics in pytorch-fid's format: an `.npz`, a zip of numpy arrays `mu` and `sigma`
//! (`fid_score.py`, `save_fid_stats`). Untrusted: sizes are bounded before memory is allocated.

use std::io::{Cursor, Read};

use anyhow::{Context, Result, bail, ensure};
use biggan::metrics::Normal;
use zip::ZipArchive;

/// Longest vector; Inception's have 2048 values.
const MAX_DIM: usize = 4096;
/// Most bytes of an array: a covariance in f64 and a header.
const MAX_BYTES: u64 = (MAX_DIM * MAX_DIM * 8 + 65_536) as u64;

/// Whether bytes begin like a zip.
pub fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK")
}

/// Mean and covariance of a file.
///
/// # Errors
/// If it is not a zip, an array is missing, too large or of a type that is not read, or they are not a mean
/// and a covariance.
pub fn statistics(bytes: &[u8]) -> Result<Normal> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).context("reading an .npz")?;
    let (shape, mean) = array(&mut archive, "mu")?;
    ensure!(
        shape.len() == 1 && shape[0] <= MAX_DIM,
        "mu has shape {shape:?}, expected one dimension of at most {MAX_DIM}"
    );
    let (square, covariance) = array(&mut archive, "sigma")?;
    ensure!(
        square == [mean.len(); 2],
        "sigma has shape {square:?}, expected {:?} for mu's {}",
        [mean.len(); 2],
        mean.len()
    );
    Ok(Normal::new(mean, covariance)?)
}

fn array(archive: &mut ZipArchive<Cursor<&[u8]>>, name: &str) -> Result<(Vec<usize>, Vec<f64>)> {
    let entry = archive
        .by_name(&format!("{name}.npy"))
        .with_context(|| format!("no array {name}; pytorch-fid's statistics have mu and sigma"))?;
    let mut bytes = Vec::new();
    entry
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("array {name}"))?;
    ensure!(
        bytes.len() as u64 <= MAX_BYTES,
        "array {name} has more than {MAX_BYTES} bytes, the most of {MAX_DIM} features"
    );
    numbers(&bytes).with_context(|| format!("array {name}"))
}

/// Shape and values of a `.npy` (numpy `lib/format.py`, versions 1 to 3). Fortran order is left
/// unchanged: a covariance is its own transpose.
fn numbers(bytes: &[u8]) -> Result<(Vec<usize>, Vec<f64>)> {
    let (header, data) = split(bytes).context("no whole .npy: its header is cut short")?;
    let value = |key: &str| -> Result<&str> {
        let (_, rest) = header
            .split_once(&format!("'{key}':"))
            .with_context(|| format!("no {key:?} in the header {header:?}"))?;
        Ok(rest.trim_start())
    };
    let descr = value("descr")?;
    let width = match descr.get(..5) {
        Some("'<f8'") => 8,
        Some("'<f4'") => 4,
        _ => bail!("the type is not read: {descr:?}; little-endian f8 and f4 are"),
    };
    let shape = value("shape")?;
    let inside = shape
        .strip_prefix('(')
        .and_then(|rest| rest.split_once(')'));
    let (inside, _) = inside.with_context(|| format!("the shape is not readable: {shape:?}"))?;
    let dims = inside
        .split(',')
        .map(str::trim)
        .filter(|dim| !dim.is_empty());
    let shape: Vec<usize> = dims
        .map(|dim| {
            dim.parse()
                .with_context(|| format!("the shape has {dim:?}"))
        })
        .collect::<Result<_>>()?;
    let count = shape
        .iter()
        .try_fold(1usize, |count, &dim| count.checked_mul(dim));
    let expected = count.and_then(|count| count.checked_mul(width));
    ensure!(
        expected == Some(data.len()),
        "shape {shape:?} of {width} bytes each, but {} bytes",
        data.len()
    );
    let values = if width == 8 {
        let (values, _) = data.as_chunks::<8>();
        values.iter().map(|&b| f64::from_le_bytes(b)).collect()
    } else {
        let (values, _) = data.as_chunks::<4>();
        values
            .iter()
            .map(|&b| f64::from(f32::from_le_bytes(b)))
            .collect()
    };
    Ok((shape, values))
}

/// Header and data of a `.npy`.
fn split(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let rest = bytes.strip_prefix(b"\x93NUMPY")?;
    let (&[major, _minor], rest) = rest.split_first_chunk::<2>()?;
    let (len, rest) = if major == 1 {
        let (&len, rest) = rest.split_first_chunk::<2>()?;
        (usize::from(u16::from_le_bytes(len)), rest)
    } else {
        let (&len, rest) = rest.split_first_chunk::<4>()?;
        (u32::from_le_bytes(len) as usize, rest)
    };
    let (header, data) = rest.split_at_checked(len)?;
    Some((std::str::from_utf8(header).ok()?, data))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn npy(header: &str, data: &[f64]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(data.iter().flat_map(|v| v.to_le_bytes()));
        bytes
    }

    #[test]
    fn a_file_of_numpy_is_read() {
        // numpy.savez_compressed("x.npz", mu=[1, 2], sigma=[[4, 1], [1, 9]]) of floats, numpy 1.24
        let bytes = include_bytes!("../../../../tests/fixtures/frechet/small.npz");
        let normal = statistics(bytes).unwrap();
        assert_eq!(normal.mean(), [1.0, 2.0]);
        assert_eq!(normal.covariance(), [4.0, 1.0, 1.0, 9.0]);
        for len in 0..bytes.len() {
            assert!(statistics(&bytes[..len]).is_err(), "cut at {len}");
        }
        for at in 0..bytes.len() {
            let mut damaged = bytes.to_vec();
            damaged[at] ^= 0x55;
            let _ = statistics(&damaged); // an error or not, but no panic
        }
    }

    #[test]
    fn other_arrays_are_refused() {
        let refused = |bytes: &[u8], part: &str| {
            let message = format!("{:#}", numbers(bytes).unwrap_err());
            assert!(message.contains(part), "{message} lacks {part}");
        };
        let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }\n";
        assert_eq!(
            numbers(&npy(header, &[1.0, 2.0])).unwrap(),
            (vec![2], vec![1.0, 2.0])
        );
        refused(
            &npy(header, &[1.0]),
            "shape [2] of 8 bytes each, but 8 bytes",
        );
        refused(&npy(&header.replace("<f8", "|O"), &[]), "type is not read");
        refused(&npy(&header.replace("(2,)", "(2"), &[]), "shape");
        let huge = header.replace("(2,)", "(99999999999, 99999999999)");
        refused(&npy(&huge, &[]), "99999999999");
        refused(b"\x93NUMPY\x01\x00\xff\xff", "cut short");
        refused(b"", "cut short");
    }
}
