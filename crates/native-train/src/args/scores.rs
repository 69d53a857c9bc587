//! What the user typed to score models and to draw sheets of them.

use std::path::PathBuf;

use biggan::truncation::Truncation;

use super::DeviceArgs;
use crate::dataset::preparation::SquareArgs;
use crate::evaluation::networks::NetworkArgs;
use crate::evaluation::own_data::RealImagesArgs;
use crate::training::job::Comm;

pub(super) const EVALUATE_EXAMPLES: &str = "\
Examples:
  native-train classifier --dataset fashion-mnist --out models/fashion-cnn.safetensors
  native-train classifier --dataset image-folder --data pictures --resolution 64 --out own64.safetensors
  native-train evaluate models/fashion32.safetensors --classifier models/fashion-cnn.safetensors \\
      --truncation 1.0
  native-train evaluate models/fashion32.safetensors --classifier models/fashion-cnn.safetensors \\
      --curve 0.2,0.5,1.0,2.0,off --picture curve.svg --json scores.json
  native-train evaluate biggan-128.safetensors --features inception \\
      --network pt_inception-2015-12-05-6726825d.pth --reference imagenet128.npz --count 50000";

pub(super) const REFERENCE_EXAMPLES: &str = "\
Examples:
  native-train reference --dataset fashion-mnist --classifier models/fashion-cnn.safetensors \\
      --out fashion-mnist.stats.safetensors
  native-train reference --dataset cifar10 --resolution 32 --classes 10 --features inception \\
      --network pt_inception-2015-12-05-6726825d.pth --out cifar10.stats.safetensors";

pub(super) const SHEET_EXAMPLES: &str = "\
Examples:
  native-train sheet models/fashion32.safetensors --kind interpolation-z --out z.png
  native-train sheet models/avatars64.safetensors --kind loop --out loop.gif
  native-train sheet models/avatars64.safetensors --kind loop --class planets --keys 8 --frames 240 --out frames
  native-train sheet models/fashion32.safetensors --kind neighbours \\
      --classifier models/fashion-cnn.safetensors --out neighbours.png";

/// Options of `evaluate`.
#[derive(Debug, clap::Args)]
pub struct EvaluateArgs {
    /// Share the work among processes started by mpirun or srun; the scores are those of one process
    #[arg(long, value_enum)]
    pub comm: Option<Comm>,
    /// Model file, the index (.safetensors.index.json) of a model in parts, or a name as for `fetch`
    pub model: PathBuf,
    /// The network.
    #[command(flatten)]
    pub network: NetworkArgs,
    /// Compare with these statistics instead of the images: a file of `native-train reference`, or an
    /// .npz of pytorch-fid. There is then no KID, precision, recall, density, coverage or spread
    #[arg(long, value_name = "STATS", conflicts_with_all = ["data", "fit", "background", "neighbours"])]
    pub reference: Option<PathBuf>,
    /// The real images.
    #[command(flatten)]
    pub real: RealImagesArgs,
    /// How far z is truncated, or off: by the model's kind, which `inspect` prints
    #[arg(long, value_name = "T", default_value = "off")]
    pub truncation: Truncation,
    /// Samples for Frechet distance and Inception score, which hold none of them in memory
    #[arg(long, default_value_t = 5000)]
    pub count: usize,
    /// How many of those samples, and as many real images, chosen by the seed, for KID, precision, recall,
    /// density and coverage, which hold all features in memory
    #[arg(long, value_name = "N", default_value_t = 5000)]
    pub neighbours: usize,
    /// Samples for the shares of recognised classes and the spread, which need a classifier of the model's classes
    /// [default: 1000]
    #[arg(long)]
    pub recognised: Option<usize>,
    /// Seed of the latents and of the chosen real images
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Also print the share of recognised samples of each class, with a classifier
    #[arg(long)]
    pub by_class: bool,
    /// Also print the main scores at these truncations, e.g. 0.2,0.5,1.0,off
    #[arg(long, value_name = "T,...", value_delimiter = ',')]
    pub curve: Vec<Truncation>,
    /// Judge whether the model is amenable to truncation (BigGAN sec. 3.1 and fig. 2b): the curve at 2, 1.5,
    /// 1, 0.5 and 0.04, the shares of saturated pixels, and a verdict
    #[arg(long)]
    pub amenability: bool,
    /// Draw the curve, Frechet distance against Inception score, an SVG file
    #[arg(long, value_name = "FILE")]
    pub picture: Option<PathBuf>,
    /// Write all scores with their protocols, a JSON file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write the scores into the model file
    #[arg(long)]
    pub update: bool,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Options of `reference`.
#[derive(Debug, clap::Args)]
pub struct ReferenceArgs {
    /// The network.
    #[command(flatten)]
    pub network: NetworkArgs,
    /// Name of the data set
    #[arg(long, value_name = "NAME")]
    pub dataset: String,
    /// Directory of the data set [default: where `data fetch` puts it]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// How pictures become squares
    #[command(flatten)]
    pub square: SquareArgs,
    /// Side of the images in pixels, as in the models [default: the classifier's]
    #[arg(long)]
    pub resolution: Option<usize>,
    /// Classes of the data set [default: the classifier's]
    #[arg(long)]
    pub classes: Option<usize>,
    /// Statistics file to write
    #[arg(long, value_name = "STATS")]
    pub out: PathBuf,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Options of `sheet`.
#[derive(Debug, clap::Args)]
pub struct SheetArgs {
    /// Model file, the index (.safetensors.index.json) of a model in parts, or a name as for `fetch`
    pub model: PathBuf,
    /// What to show
    #[arg(long, value_enum)]
    pub kind: SheetKind,
    /// Sheet to write, a PNG file; a loop is a .gif, a .png (APNG), or a folder of frames for programs such as ffmpeg
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Classes, as for `sample` [default: all]
    #[arg(long, value_name = "CLASS", allow_negative_numbers = true)]
    pub class: Vec<String>,
    /// Rows [default: the classes, at least 2 and at most 10; of a loop as many as its classes need, of 16 at most]
    #[arg(long, value_name = "N")]
    pub rows: Option<usize>,
    /// Pictures per row [default: 9; of a loop as many as make it a square]
    #[arg(long, value_name = "N")]
    pub columns: Option<usize>,
    /// Loop: frames, of one way round
    #[arg(long, value_name = "N")]
    pub frames: Option<u32>,
    /// Loop: frames a second
    #[arg(long, value_name = "N")]
    pub fps: Option<u32>,
    /// Loop: pictures that it passes on its way, each a random sample
    #[arg(long, value_name = "N")]
    pub keys: Option<usize>,
    /// How far z is truncated, or off: by the model's kind
    #[arg(long, value_name = "T", default_value = "off")]
    pub truncation: Truncation,
    /// Seed of the latents
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// The network (neighbours).
    #[command(flatten)]
    pub network: NetworkArgs,
    /// The real images (neighbours).
    #[command(flatten)]
    pub real: RealImagesArgs,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// What a sheet shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum SheetKind {
    /// Each row goes from one z to another, with a fixed class.
    InterpolationZ,
    /// Each row goes from one class to the next, with a fixed z.
    InterpolationY,
    /// A row for each threshold 2, 1.5, 1, 0.5 and 0.04, with the same z.
    Truncation,
    /// A sample, then the training images nearest to it in the features of a network.
    Neighbours,
    /// One row per class, one column per z.
    ByClass,
    /// A moving picture: each picture goes from sample to sample of its class and back to the first.
    Loop,
}

/// Options of `standing-stats`.
#[derive(Debug, clap::Args)]
pub struct StandingStatsArgs {
    /// Model file, the index (.safetensors.index.json) of a model in parts, or a name as for `fetch`
    pub model: PathBuf,
    /// Thresholds to compute statistics for [default: those of the model]
    #[arg(long, value_name = "T,...", value_delimiter = ',')]
    pub thresholds: Vec<Truncation>,
    /// Batches for the statistics of each threshold
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub passes: usize,
    /// Images per batch; best as in training
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub batch: usize,
    /// Seed of the latents
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Model file to write
    #[arg(long, value_name = "MODEL")]
    pub out: PathBuf,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}
