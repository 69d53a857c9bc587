//! The four files of an MNIST-like set in a directory: `data.dataset = "idx"`.

use std::path::Path;

use anyhow::{Result, bail, ensure};
use biggan::file::DatasetInfo;

use super::fit::{CLASSES, Outline};
use super::{Dataset, DatasetRequest, NamedDataset, Split, idx};

/// The user's own idx files.
pub const IDX_FOLDER: NamedDataset = NamedDataset {
    name: "idx",
    about: "the four idx files of an MNIST-like set in data.path, plain or .gz",
    read: |request, directory, _| read(request, directory, None),
    test_outline,
    fetch: None,
    is_complete,
};

/// Names of the four files: images and labels for training, then for testing.
pub const FILES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// Whether all four files are in a directory.
pub fn is_complete(directory: &Path) -> bool {
    FILES.iter().all(|name| idx::find(directory, name).is_ok())
}

/// The header of the test images, if either file of the part is there.
fn test_outline(request: &DatasetRequest<'_>, directory: &Path) -> Result<Option<Outline>> {
    let found: Vec<_> = FILES[2..]
        .iter()
        .map(|name| idx::find(directory, name))
        .collect();
    if found.iter().all(Result::is_err) {
        return Ok(None);
    }
    let paths = found.into_iter().collect::<Result<Vec<_>>>()?;
    let dims = idx::dims(&paths[0], 3)?;
    Ok(Some(Outline {
        place: paths[0].display().to_string(),
        unit: CLASSES,
        class_names: numbers(request.classes),
        shape: Some([1, dims[1], dims[2]]),
    }))
}

/// Classes that have no other names.
fn numbers(classes: usize) -> Vec<String> {
    (0..classes).map(|class| class.to_string()).collect()
}

/// Reads one part.
///
/// `checksums`: SHA-256 of the decompressed [`FILES`], if their content is known.
///
/// # Errors
/// If a file is missing, damaged or has another checksum, or images and labels do not match.
pub fn read(
    request: &DatasetRequest<'_>,
    directory: &Path,
    checksums: Option<[&str; 4]>,
) -> Result<Dataset> {
    let first = match request.split {
        Split::Train => 0,
        Split::Test => 2,
    };
    let open = |place: usize, rank| {
        let path = idx::find(directory, FILES[place])?;
        let file = idx::read(&path, rank)?;
        if let Some(expected) = checksums.map(|all| all[place])
            && file.sha256 != expected
        {
            bail!(
                "data file {}: its decompressed SHA-256 is {}, expected {expected}; delete it and \
                 fetch it again",
                path.display(),
                file.sha256
            );
        }
        Ok(file)
    };
    let images = open(first, 3)?;
    let labels = open(first + 1, 1)?;
    let [count, height, width] = images.dims[..] else {
        bail!("expected three dimensions, got {:?}", images.dims);
    };
    ensure!(
        count == labels.values.len(),
        "{}: {count} images but {} labels; the files do not belong together",
        directory.display(),
        labels.values.len()
    );
    ensure!(
        height > 0 && width > 0,
        "{}: images of {width}x{height} pixels",
        directory.display()
    );
    Ok(Dataset {
        images_u8: images.values.into(),
        shape: [1, height, width],
        labels: labels.values.into_iter().map(u16::from).collect(),
        label_rows: None,
        class_names: numbers(request.classes),
        info: DatasetInfo {
            name: super::name_of(directory),
            images: count,
            sha256: vec![images.sha256, labels.sha256],
            source: None,
        },
    })
}
