//! The idx format of MNIST and its descendants (Y. LeCun, "The MNIST database", file formats): a
//! magic number `0, 0, type, rank`, one big-endian u32 per dimension, then the values, row-major.
//!
//! Files may be gzipped. Nothing in a file is trusted: sizes are checked before memory is allocated.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

use crate::checksum::hex;
use crate::input_file;

/// Type code of unsigned bytes, the only one that data sets of images use.
const UNSIGNED_BYTE: u8 = 8;
/// Bytes by which another kind of file is told.
const FIRST: u64 = 512;
/// First bytes of a gzip file.
const GZIP: &[u8] = b"\x1f\x8b";
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

/// The file of a name in a directory, plain or with `.gz` appended, also as some archives spell it
/// (`train-images.idx3-ubyte`).
///
/// # Errors
/// If there is none.
pub fn find(directory: &Path, name: &str) -> Result<PathBuf> {
    let dotted = name.replacen("-idx", ".idx", 1);
    let spellings = [name, &dotted].map(|name| [name.to_owned(), format!("{name}.gz")]);
    let mut paths = spellings
        .as_flattened()
        .iter()
        .map(|name| directory.join(name));
    paths.find(|path| path.is_file()).with_context(|| {
        format!(
            "data file {} is missing (and so are {name}.gz and {dotted}); put it there, or set data.path to \
             the directory that holds it",
            directory.join(name).display()
        )
    })
}

/// Reads a file of bytes with `rank` dimensions.
///
/// # Errors
/// If it cannot be read, is not such a file, or is longer or shorter than its header says.
pub fn read(path: &Path, rank: usize) -> Result<IdxFile> {
    let named = || format!("data file {}", path.display());
    parse(open(path).with_context(named)?, rank).with_context(named)
}

/// The dimensions of such a file, by its header alone.
///
/// # Errors
/// If it cannot be read, or is not such a file.
pub fn dims(path: &Path, rank: usize) -> Result<Vec<usize>> {
    let named = || format!("data file {}", path.display());
    let mut source = open(path).with_context(named)?;
    let (_, dims) = header(&mut source, rank).with_context(named)?;
    Ok(dims)
}

fn open(path: &Path) -> Result<Box<dyn Read>> {
    let mut file = BufReader::with_capacity(1 << 20, File::open(path)?);
    // whatever the name says: servers unpack files and leave the ending, or the other way round
    Ok(match file.fill_buf()?.starts_with(GZIP) {
        true => Box::new(MultiGzDecoder::new(file)),
        false => Box::new(file),
    })
}

/// Reads decompressed idx bytes.
///
/// # Errors
/// As [`read`].
pub fn parse(mut source: impl Read, rank: usize) -> Result<IdxFile> {
    let (header, dims) = header(&mut source, rank)?;
    let header_bytes = header.len();
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

/// The bytes of the header and its dimensions.
fn header(source: &mut impl Read, rank: usize) -> Result<(Vec<u8>, Vec<usize>)> {
    let header_bytes = 4 + 4 * rank;
    let mut header = vec![0; header_bytes];
    let got = fill(source, &mut header)?;
    ensure!(
        got == header_bytes,
        "truncated: {got} bytes, expected a header of {header_bytes}; fetch it again"
    );
    let magic = [0, 0, UNSIGNED_BYTE, rank as u8];
    if header[..4] != magic {
        let mut first = header.clone();
        source.take(FIRST).read_to_end(&mut first)?;
        bail!(
            "not an idx file of bytes with {rank} dimensions: it starts with {:?}, expected {magic:?}{}",
            &header[..4],
            input_file::told(&first)
        );
    }
    let dims: Vec<usize> = header[4..]
        .chunks_exact(4)
        .map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]) as usize)
        .collect();
    Ok((header, dims))
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
    fn files_are_found_in_both_spellings() {
        let directory = tempfile::tempdir().unwrap();
        let find = || find(directory.path(), "train-images-idx3-ubyte");
        let text = find().unwrap_err().to_string();
        assert!(
            text.contains("train-images-idx3-ubyte is missing"),
            "{text}"
        );
        for name in ["train-images.idx3-ubyte.gz", "train-images-idx3-ubyte"] {
            std::fs::write(directory.path().join(name), "").unwrap();
            assert_eq!(find().unwrap(), directory.path().join(name));
        }
    }

    #[test]
    fn gzip_is_told_by_its_bytes_and_other_files_by_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("train-images-idx3-ubyte");
        let plain = file(&[1, 1, 2], &[3, 4]);
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packed, &plain).unwrap();
        for bytes in [plain.clone(), packed.finish().unwrap()] {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(read(&path, 3).unwrap().values, [3, 4]);
        }
        let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\n";
        for (bytes, part) in [
            (file(&[20], &[1; 20]).as_slice(), "an idx file of labels"),
            (pointer.as_bytes(), "a pointer of Git LFS"),
            (b"PK\x03\x04 and more than a header", "a zip archive"),
        ] {
            std::fs::write(&path, bytes).unwrap();
            let text = format!("{:#}", read(&path, 3).unwrap_err());
            assert!(text.contains(part), "{text}");
        }
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
