//! Packed data sets: `train.pack` and optionally `test.pack` in a directory, as [`pack`](super::pack)
//! writes them. They are memory-mapped, so that only the disk limits their size.
//!
//! All digests are verified when a file is opened, at the speed of the disk or of SHA-256 (about 1 GB per
//! second and core), so that damage is found before a run starts and not in the middle of it.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use biggan::file::{DatasetInfo, PACK_BLOCK_IMAGES, PACK_FORMAT, PACK_VERSION};
use rayon::prelude::*;
use safetensors::{Dtype, SafeTensors};
use sha2::{Digest, Sha256};

use super::idx::hex;
use super::label_rows::LabelRows;
use super::pixels::{self, Pixels};
use super::{Dataset, DatasetRequest, NamedDataset, Split};
use crate::error::bad_usage;

/// Packed images.
pub const PACKED: NamedDataset = NamedDataset {
    name: "packed",
    about: "train.pack and test.pack in data.path, as `native-train data pack` writes them",
    read: |request, directory, _| read(request, directory),
    fetch: None,
    is_complete: |directory| directory.join(file_name(Split::Train)).is_file(),
};

/// Name of the file of a part.
pub fn file_name(split: Split) -> &'static str {
    match split {
        Split::Train => "train.pack",
        Split::Test => "test.pack",
    }
}

fn read(request: &DatasetRequest<'_>, directory: &Path) -> Result<Dataset> {
    if directory.is_file() {
        return Err(bad_usage(format!(
            "data.path {} is a file; give the directory that holds {}",
            directory.display(),
            file_name(Split::Train)
        )));
    }
    let path = directory.join(file_name(request.split));
    let mut dataset = open(&path).with_context(|| {
        format!(
            "packed data {}; recreate it with `native-train data pack`",
            path.display()
        )
    })?;
    if let Some(names) = &request.section.class_names {
        dataset.class_names.clone_from(names);
    }
    Ok(dataset)
}

/// Opens a packed file and verifies all its digests.
///
/// # Errors
/// If it is truncated, damaged, or of another format or version.
pub fn open(path: &Path) -> Result<Dataset> {
    let file = Arc::new(pixels::map(&File::open(path)?)?);
    let (header_bytes, header) =
        SafeTensors::read_metadata(&file).map_err(|error| anyhow::anyhow!("{error}"))?;
    let none = HashMap::new();
    let metadata = header.metadata().as_ref().unwrap_or(&none);
    for (key, expected) in [("format", PACK_FORMAT), ("format_version", PACK_VERSION)] {
        let found = metadata.get(key).map_or("missing", String::as_str);
        ensure!(
            found == expected,
            "its {key} is {found}, this program reads {expected}"
        );
    }
    let named = |key: &str| {
        let text = metadata.get(key);
        text.with_context(|| format!("its metadata has no {key}"))
    };
    let class_names: Vec<String> =
        serde_json::from_str(named("class_names")?).context("its class_names")?;
    let tensors = SafeTensors::deserialize(&file).map_err(|error| anyhow::anyhow!("{error}"))?;
    let tensor = |name: &str, dtype: Dtype, rank: usize| {
        let view = tensors
            .tensor(name)
            .map_err(|error| anyhow::anyhow!("{name}: {error}"))?;
        ensure!(
            view.dtype() == dtype && view.shape().len() == rank,
            "{name} is {:?} {:?}, expected {dtype:?} of rank {rank}",
            view.dtype(),
            view.shape()
        );
        Ok(view)
    };
    let images = tensor("images_u8", Dtype::U8, 4)?;
    let [count, channels, height, width] = *images.shape() else {
        bail!("images_u8 has the shape {:?}", images.shape());
    };
    ensure!(
        [1, 3].contains(&channels) && height > 0 && width > 0,
        "images of {channels} channels and {width}x{height} pixels, expected 1 or 3 channels"
    );
    let ends = words(tensor("row_ends", Dtype::U64, 1)?.data()).map(u64::from_le_bytes);
    let classes = words(tensor("row_classes", Dtype::U16, 1)?.data()).map(u16::from_le_bytes);
    let rows = LabelRows::new(ends.collect(), classes.collect())
        .filter(|rows| rows.len() == count)
        .with_context(|| format!("its labels do not fit its {count} images"))?;
    let (_, classes) = rows.parts();
    if let Some(label) = classes
        .iter()
        .find(|&&c| usize::from(c) >= class_names.len())
    {
        bail!(
            "label {label} is out of range; there are {} classes",
            class_names.len()
        );
    }
    let digests = tensor("block_sha256", Dtype::U8, 2)?;
    check_blocks(
        images.data(),
        channels * height * width * PACK_BLOCK_IMAGES,
        digests.data(),
    )?;
    let mut whole = Sha256::new();
    whole.update(&file[..8 + header_bytes]);
    for name in ["row_ends", "row_classes", "block_sha256"] {
        let view = tensors.tensor(name);
        whole.update(view.map_err(|error| anyhow::anyhow!("{error}"))?.data());
    }
    let start = images.data().as_ptr().addr() - file.as_ptr().addr();
    Ok(Dataset {
        images_u8: Pixels::mapped(file.clone(), start..start + images.data().len()),
        shape: [channels, height, width],
        labels: rows.first(),
        label_rows: rows.several().then_some(rows),
        info: DatasetInfo {
            name: named("name")?.clone(),
            images: count,
            sha256: vec![hex(&whole.finalize())],
        },
        class_names,
    })
}

fn check_blocks(images: &[u8], block_bytes: usize, digests: &[u8]) -> Result<()> {
    let blocks = images.len().div_ceil(block_bytes);
    ensure!(
        digests.len() == blocks * 32,
        "{} bytes of digests, expected {} for {blocks} blocks",
        digests.len(),
        blocks * 32
    );
    let damaged = images
        .par_chunks(block_bytes)
        .zip(digests.par_chunks(32))
        .position_first(|(block, expected)| Sha256::digest(block)[..] != *expected);
    match damaged {
        None => Ok(()),
        Some(block) => bail!(
            "damaged: the SHA-256 of images {} to {} is not the one stored",
            block * PACK_BLOCK_IMAGES,
            (block + 1) * PACK_BLOCK_IMAGES - 1
        ),
    }
}

/// Words of little-endian bytes.
fn words<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> + '_ {
    bytes.as_chunks::<N>().0.iter().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::pack::PackWriter;

    fn packed(directory: &Path, several: bool) -> std::path::PathBuf {
        let path = directory.join("train.pack");
        let names = ["a", "b", "c"].map(String::from);
        let mut writer = PackWriter::new(&path, "three", &names, [1, 2, 2]).unwrap();
        writer.push(&[1, 2, 3, 4], &[2]).unwrap();
        let row: &[u16] = if several { &[0, 1] } else { &[0] };
        writer.push(&[5, 6, 7, 8], row).unwrap();
        assert!(writer.push(&[5], &[0]).is_err());
        assert!(!path.exists(), "unfinished files have no name");
        assert_eq!(writer.finish().unwrap(), 2);
        path
    }

    #[test]
    fn what_was_packed_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let set = open(&packed(directory.path(), true)).unwrap();
        let images = set.read(&[0, 1]).unwrap();
        assert_eq!(images.concat(), [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!((set.shape, &set.labels[..]), ([1, 2, 2], &[2, 0][..]));
        assert_eq!(set.label_rows.unwrap().row(1), [0, 1]);
        assert_eq!(
            (set.info.name.as_str(), set.class_names.len()),
            ("three", 3)
        );
        assert_eq!(
            std::fs::read_dir(directory.path()).unwrap().count(),
            1,
            "nothing else stays"
        );
        let other = tempfile::tempdir().unwrap();
        let single = open(&packed(other.path(), false)).unwrap();
        assert_eq!(single.label_rows, None);
    }

    #[test]
    fn several_blocks_have_a_digest_each() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("test.pack");
        let mut writer = PackWriter::new(&path, "x", &["a".into()], [1, 1, 1]).unwrap();
        for index in 0..=2 * PACK_BLOCK_IMAGES {
            writer.push(&[index as u8], &[0]).unwrap();
        }
        writer.finish().unwrap();
        assert_eq!(open(&path).unwrap().len(), 2 * PACK_BLOCK_IMAGES + 1);
    }

    #[test]
    fn cut_changed_and_foreign_files_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = packed(directory.path(), false);
        let whole = std::fs::read(&path).unwrap();
        let refused = |bytes: &[u8], part: &str| {
            std::fs::write(&path, bytes).unwrap();
            let text = format!("{:#}", open(&path).unwrap_err());
            assert!(text.contains(part), "{text:?} lacks {part:?}");
        };
        for end in [0, 7, 20, whole.len() / 2, whole.len() - 1] {
            refused(&whole[..end], "");
        }
        let pixel = whole.len() - 32 - 2 * 2 - 2 * 8 - 8;
        let mut changed = whole.clone();
        changed[pixel] ^= 1;
        refused(&changed, "images 0 to 4095");
        let label = whole.len() - 32 - 2 * 2;
        let mut changed = whole.clone();
        changed[label] = 3;
        refused(&changed, "label 3 is out of range; there are 3 classes");
        let text = String::from_utf8_lossy(&whole).replace("biggan-pack", "biggan-pick");
        assert!(text.len() >= whole.len());
        let mut foreign = whole.clone();
        let at = whole.windows(11).position(|w| w == b"biggan-pack").unwrap();
        foreign[at..at + 11].copy_from_slice(b"biggan-pick");
        refused(
            &foreign,
            "format is biggan-pick, this program reads biggan-pack",
        );
    }
}
