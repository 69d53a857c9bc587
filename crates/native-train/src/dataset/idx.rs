//! The idx format of MNIST and its descendants (Y. LeCun, "The MNIST database", file formats): a
//! magic number `0, 0, type, rank`, one big-endian u32 per dimension, then the values, row-major.
//!
//! Files may be gzipped. Nothing in a file is trusted: sizes are checked before memory is allocated.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

/// Type code of unsigned bytes, the only one that data sets of images use.
const UNSIGNED_BYTE: u8 = 8;
/// Largest file that is accepted, so that a broken header cannot request all memory.
const MAX_BYTES: u64 = 16 << 30;

/// A tensor of bytes from an idx file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdxFile {
    /// Dimensions.
    pub dims: Vec<usize>,
    /// Values, row-major.
    pub values: Vec<u8>,
    /// SHA-256 of the decompressed file, in hex.
    pub sha256: String,
}

/// The file of a name in a directory, plain or with `.gz` appended.
///
/// # Errors
/// If neither exists.
pub fn find(directory: &Path, name: &str) -> Result<PathBuf> {
    let plain = directory.join(name);
    let gzipped = directory.join(format!("{name}.gz"));
    match (plain.is_file(), gzipped.is_file()) {
        (true, _) => Ok(plain),
        (false, true) => Ok(gzipped),
        (false, false) => bail!(
            "data file {} is missing (and so is {name}.gz); put it there, or set data.path to the \
             directory that holds it",
            plain.display()
        ),
    }
}

/// Reads a file of bytes with `rank` dimensions.
///
/// # Errors
/// If it cannot be read, is not such a file, or is longer or shorter than its header says.
pub fn read(path: &Path, rank: usize) -> Result<IdxFile> {
    let named = || format!("data file {}", path.display());
    let file = File::open(path).with_context(named)?;
    let file = BufReader::with_capacity(1 << 20, file);
    if path.extension().is_some_and(|extension| extension == "gz") {
        parse(MultiGzDecoder::new(file), rank).with_context(named)
    } else {
        parse(file, rank).with_context(named)
    }
}

/// Reads decompressed idx bytes.
///
/// # Errors
/// As [`read`].
pub fn parse(mut source: impl Read, rank: usize) -> Result<IdxFile> {
    let header_bytes = 4 + 4 * rank;
    let mut header = vec![0; header_bytes];
    let got = fill(&mut source, &mut header)?;
    ensure!(
        got == header_bytes,
        "truncated: {got} bytes, expected a header of {header_bytes}; fetch it again"
    );
    let magic = [0, 0, UNSIGNED_BYTE, rank as u8];
    ensure!(
        header[..4] == magic,
        "not an idx file of bytes with {rank} dimensions: it starts with {:?}, expected {magic:?}",
        &header[..4]
    );
    let dims: Vec<usize> = header[4..]
        .chunks_exact(4)
        .map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]) as usize)
        .collect();
    let expected = dims
        .iter()
        .try_fold(1u64, |product, &dim| product.checked_mul(dim as u64))
        .filter(|&bytes| bytes <= MAX_BYTES)
        .with_context(|| {
            format!("its header claims dimensions {dims:?}, more than {MAX_BYTES} bytes")
        })?;
    // grows with the actual data, not with what the header claims
    let mut values = Vec::new();
    source
        .take(expected + 1)
        .read_to_end(&mut values)
        .context("decompressing failed; the file is damaged or cut short, fetch it again")?;
    let found = values.len() as u64;
    ensure!(
        found >= expected,
        "truncated: {} bytes, expected {} for dimensions {dims:?}; fetch it again",
        found + header_bytes as u64,
        expected + header_bytes as u64
    );
    ensure!(
        found == expected,
        "longer than the {} bytes that its dimensions {dims:?} need; fetch it again",
        expected + header_bytes as u64
    );
    let digest = Sha256::new().chain_update(&header).chain_update(&values);
    Ok(IdxFile {
        dims,
        values,
        sha256: hex(&digest.finalize()),
    })
}

/// Bytes as lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads until the buffer is full or the source ends.
fn fill(source: &mut impl Read, buffer: &mut [u8]) -> Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..])? {
            0 => break,
            more => filled += more,
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(dims: &[u32], values: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, 8, dims.len() as u8];
        bytes.extend(dims.iter().flat_map(|d| d.to_be_bytes()));
        bytes.extend(values);
        bytes
    }

    #[test]
    fn reads_dimensions_and_values() {
        let idx = parse(&file(&[2, 1, 3], &[1, 2, 3, 4, 5, 6])[..], 3).unwrap();
        assert_eq!(
            (idx.dims, idx.values),
            (vec![2, 1, 3], vec![1, 2, 3, 4, 5, 6])
        );
    }

    #[test]
    fn every_cut_and_every_surplus_is_an_error() {
        let bytes = file(&[2, 2], &[1, 2, 3, 4]);
        for len in 0..bytes.len() {
            let message = format!("{:#}", parse(&bytes[..len], 2).unwrap_err());
            assert!(message.contains("truncated"), "cut at {len}: {message}");
        }
        let longer = [&bytes[..], &[9]].concat();
        assert!(
            parse(&longer[..], 2)
                .unwrap_err()
                .to_string()
                .contains("longer")
        );
    }

    #[test]
    fn hostile_headers_take_no_memory() {
        let huge = parse(&file(&[u32::MAX, u32::MAX, u32::MAX], &[])[..], 3).unwrap_err();
        assert!(huge.to_string().contains("claims"), "{huge}");
        let large = parse(&file(&[1 << 30, 2, 2], &[])[..], 3).unwrap_err();
        assert!(large.to_string().contains("truncated: 16 bytes"), "{large}");
        let rank = parse(&file(&[16], &[0; 16])[..], 3).unwrap_err();
        assert!(rank.to_string().contains("3 dimensions"), "{rank}");
    }
}
