//! Fashion-MNIST (Xiao, Rasul and Vollgraf 2017): 60,000 and 10,000 grey images of 28x28 pixels in ten
//! balanced classes. MIT licence.

use std::path::Path;

use anyhow::Result;

use super::idx_folder::{self, FILES};
use super::{Dataset, DatasetRequest, NamedDataset, fetch};

/// Fashion-MNIST.
pub const FASHION_MNIST: NamedDataset = NamedDataset {
    name: "fashion-mnist",
    about: "60,000 + 10,000 grey images of clothes, 28x28, 10 classes",
    read: |request, directory, _| read(request, directory),
    test_outline: |_, _| Ok(None),
    fetch: Some(|directory, _| fetch::fetch(&SOURCE, directory)),
    is_complete: idx_folder::is_complete,
};

/// Names of the classes, in the order of the labels (README of zalandoresearch/fashion-mnist).
pub const CLASS_NAMES: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

/// SHA-256 of the decompressed [`FILES`]; the archives differ from source to source. Computed from
/// Debian's package dataset-fashion-mnist 0.0~git20200523.
pub const SHA256: [&str; 4] = [
    "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
];

/// Its sources: the authors' repository, which their README names, then Debian.
const SOURCE: fetch::Source = fetch::Source {
    name: "fashion-mnist",
    base_url: "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    files: FILES,
    sha256: SHA256,
    debian_package: "dataset-fashion-mnist",
    debian_directory: "usr/share/datasets/fashion-mnist",
};

fn read(request: &DatasetRequest<'_>, directory: &Path) -> Result<Dataset> {
    let mut dataset = idx_folder::read(request, directory, Some(SHA256))?;
    dataset.class_names = CLASS_NAMES.map(str::to_owned).to_vec();
    dataset.info.name = FASHION_MNIST.name.to_owned();
    Ok(dataset)
}
