//! What the user typed. Nothing here is checked against anything else: that is [`crate::recipe::plan`]'s.

// the doc comments are the texts of --help, which have <placeholders> and [shapes]
#![allow(rustdoc::broken_intra_doc_links, rustdoc::invalid_html_tags)]

mod data;
mod device;
mod help;
mod job;
mod outputs;
mod scores;

use std::path::PathBuf;

use biggan::import::Source;
use biggan::truncation::{Truncation, TruncationKind};
use clap::{Parser, Subcommand};

use crate::dataset::preparation::SquareArgs;
use crate::recipe::byte_size::ByteSize;
use crate::training::job::Comm;

pub use self::data::{BenchArgs, CheckArgs, DataCommand, DataSource, FetchArgs, PackArgs};
pub use self::device::DeviceArgs;
pub use self::help::parse;
use self::job::BENCH_EXAMPLES;
pub use self::job::ScalingArgs;
use self::scores::{EVALUATE_EXAMPLES, REFERENCE_EXAMPLES, SHEET_EXAMPLES};
pub use self::scores::{EvaluateArgs, ReferenceArgs, SheetArgs, SheetKind, StandingStatsArgs};

const EXAMPLES: &str = "\
Examples:
  native-train --config configs/fashion32.toml              train; data is fetched when missing
  native-train --config configs/fashion32.toml --resume     continue where the run stopped
  native-train --config configs/fashion32.toml --out runs/narrow \\
      --set train.generator.channels=8 --set train.discriminator.channels=8
  mpirun -np 4 native-train --config configs/fashion32.toml --comm mpi      four processes, one batch
  native-train watch runs/fashion32                         follow it in another terminal
  native-train report runs/fashion32                        curves and samples as an HTML page
  native-train export runs/fashion32 --out fashion32.safetensors
  native-train sample fashion32.safetensors --class dress --truncation 0.5 --seed 7 --out sheet.png

Exit codes: 0 done, 1 failed, 2 bad usage or config, 3 training collapsed (the last good checkpoint is
kept, see docs/collapse.md), 75 no step ended within --step-timeout,
130 interrupted with a checkpoint written (0 with --comm, where the launcher would take it for a failure)";

const IMPORT_EXAMPLES: &str = "\
Examples:
  native-train import --from hf-deep pytorch_model.bin --out biggan-deep-256.safetensors
  native-train import --from biggan-pytorch G_ema.pth --config flags.json --out biggan-128.safetensors
  native-train import --from studiogan 'model=G_ema-best-weights-step=96000.pth' \\
      --config BigGAN.yaml --out studiogan.safetensors
  native-train import --from biggan-pytorch weights/run --training \\
      --recipe configs/biggan-pytorch-imagenet128.toml --out runs/continued";

const FETCH_EXAMPLES: &str = "\
Names:
  hf:OWNER/REPOSITORY             a repository of Hugging Face's hub: a model file of ours (one, or in parts), or
                                  weights of pytorch-pretrained-BigGAN, BigGAN-PyTorch or PyTorch-StudioGAN
  hf:OWNER/REPOSITORY@REVISION    at a branch, tag or commit
  hf:OWNER/REPOSITORY/FILE        where it has several weights
  biggan-deep-128, -256, -512     the weights of the paper's authors, ImageNet, 1,000 classes

sample, evaluate, sheet, inspect, export, import and --init take a name in the place of a file, and fetch what is not
kept. Files are kept where Hugging Face's own libraries keep them (HF_HUB_CACHE or HF_HOME, otherwise
~/.cache/huggingface), converted weights in ~/.cache/biggan. HF_ENDPOINT names another hub, HF_TOKEN shows what is
private, HF_HUB_OFFLINE=1 asks no network.

Examples:
  native-train fetch biggan-deep-128
  native-train sample biggan-deep-128 --class goldfish --truncation 0.4 --out goldfish.png
  HF_TOKEN=... native-train fetch hf:me/my-model@v2";

const EXPORT_EXAMPLES: &str = "\
Examples:
  native-train export runs/fashion32 --out fashion32.safetensors
  native-train export runs/fashion32/checkpoints/000000256000.safetensors --dtype f32 --out early.safetensors
  native-train export fashion32.safetensors --onnx fashion32.onnx --truncation 0.5
  native-train export runs/fashion32 --hub fashion32 --license mit
  native-train export biggan-deep-128 --dtype q8 --out biggan-deep-128-q8.safetensors      a quarter of f32

An ONNX file is for other programs: inputs z [n,z_dim] and class_weights [n,classes], output image [n,3,r,r] in
[-1,1], all f32, opset 17. Its doc_string says what z must be drawn from, its metadata names the classes.";

const SAMPLE_EXAMPLES: &str = "\
What a class means, the first that fits (where several classes fit, they are listed and none is drawn):
  1. a name exactly as it is
  2. a name, composed or decomposed accents and blanks at the ends aside
  3. a name in any case, or a synonym: the parts of a name between commas
  4. a synonym in any case, or an id such as n02099601
  5. a number, unless a class is named by one; '#10' is class 10 in any case
A whole text comes before its reading as a list, and 'all' or '*' is every class unless a class is called so.

Examples:
  native-train sample fashion32.safetensors --each samples --count-per-class 1000
  native-train sample fashion32.safetensors --class dress --truncation 0.5 --out sheet.png
  native-train sample biggan-deep-256.safetensors --class 'tench, Tinca tinca' --class goldfish \\
      --out two.png";

const CLASSES_EXAMPLES: &str = "\
Examples:
  native-train classes model.safetensors                             number, id and name of every class
  native-train classes model.safetensors --class-names names.txt     name them, in the file itself
  native-train classes model.safetensors --class-names cifar100";

const TABLE1_EXAMPLES: &str = "\
Examples:
  native-train table1 --out runs/table1 --jobs 2 --table docs/table1-small.md
  native-train table1 --out runs/table1 --rows hierarchical,ortho
  native-train table1 --out runs/table1 --table-only

A row whose result is in the directory is not run again; the same command continues with the missing rows.";

/// Trains BigGANs, samples them and writes the models that the page loads.
#[derive(Debug, Parser)]
#[command(
    name = "native-train",
    version,
    after_help = EXAMPLES,
    arg_required_else_help = true,
    args_conflicts_with_subcommands = true
)]
pub struct Args {
    /// Without a command, train.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Options of training.
    #[command(flatten)]
    pub train: TrainArgs,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train a recipe (the same as giving --config without a command)
    #[command(after_help = EXAMPLES)]
    Train(TrainArgs),
    /// Write the averaged generator of a run as a model file, or a generator as ONNX
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(ExportArgs),
    /// Convert another program's weights into a model, or into a run to continue
    #[command(after_help = IMPORT_EXAMPLES)]
    Import(ImportArgs),
    /// Fetch a model by its name, such as hf:OWNER/REPOSITORY, and print its path
    #[command(after_help = FETCH_EXAMPLES)]
    Fetch(FetchModelArgs),
    /// Draw pictures from a model
    #[command(after_help = SAMPLE_EXAMPLES)]
    Sample(SampleArgs),
    /// Print the content of a model, a checkpoint, a run or a recipe
    Inspect(InspectArgs),
    /// List the classes of a model, or name them
    #[command(after_help = CLASSES_EXAMPLES)]
    Classes(ClassesArgs),
    /// Write a run as one HTML page: curves, spectra, samples, scores, plan
    Report(ReportArgs),
    /// Follow a run in the terminal
    Watch(WatchArgs),
    /// Score a model in the features of a network that never saw it
    #[command(after_help = EVALUATE_EXAMPLES)]
    Evaluate(EvaluateArgs),
    /// Store the statistics of a data set to score against
    #[command(after_help = REFERENCE_EXAMPLES)]
    Reference(ReferenceArgs),
    /// Draw a sheet: interpolations, truncations, nearest neighbours, classes
    #[command(after_help = SHEET_EXAMPLES)]
    Sheet(SheetArgs),
    /// Recompute a model's batch norm statistics for given thresholds
    StandingStats(StandingStatsArgs),
    /// Train the small classifier that `evaluate` measures with
    Classifier(ClassifierArgs),
    /// Run and tabulate the rows of the paper's Table 1 and of its analysis, sized for two cores
    #[command(after_help = TABLE1_EXAMPLES)]
    Table1(Table1Args),
    /// Measure communication and predict scaling
    #[command(after_help = BENCH_EXAMPLES)]
    Bench(ScalingArgs),
    /// Data sets: fetch, check, pack and time them
    #[command(subcommand)]
    Data(DataCommand),
}

/// Options of training.
#[derive(Debug, clap::Args)]
pub struct TrainArgs {
    /// Recipe to train, a TOML file; or a checkpoint (.safetensors, such as a browser saves): its recipe is used,
    /// and --resume continues from it if the directory has no checkpoint yet
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Directory of the run [default: runs/<name of the recipe>]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Continue the run in the directory from its newest checkpoint
    #[arg(long)]
    pub resume: bool,
    /// With --resume: continue although the optimisers, the average, D's steps or the techniques of the
    /// recipe have changed, or the data set has more, fewer or other images of the same classes; events.jsonl records
    /// the changes
    #[arg(long, requires = "resume")]
    pub amend: bool,
    /// Start from the networks of a model (a file, or a name as for `fetch`), a checkpoint or a run: fine-tuning. Classes meet by name, a new one starts
    /// as an old one. With --resume it counts only where the run has no checkpoint yet
    #[arg(long, value_name = "PATH")]
    pub init: Option<PathBuf>,
    /// Replace a value of the recipe, e.g. train.adam_g.lr=1e-4; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
    /// Stop, with a checkpoint, after this many generator steps
    #[arg(long, value_name = "N")]
    pub steps: Option<u64>,
    /// Train as one of several processes, started by mpirun or srun: batch_size is that of all together, see
    /// docs/clusters.md; single is one of several runs that a launcher started side by side
    #[arg(long, value_enum)]
    pub comm: Option<Comm>,
    /// With --comm: end the job if no step finishes in this many seconds (exit code 75); a score or a checkpoint
    /// counts as part of a step
    #[arg(long, value_name = "SECONDS", default_value_t = 600, requires = "comm")]
    pub step_timeout: u64,
    /// Print the plan, its networks, and the memory and time that it will take on this machine, measured in a
    /// few rounds on synthetic images; no data is needed and nothing is written
    #[arg(long)]
    pub dry_run: bool,
}

/// Options of `export`.
#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// Directory of a run (its newest checkpoint is taken), or one checkpoint file; with --onnx, --hub or
    /// --dtype also a model file, its index or its name
    pub run: PathBuf,
    /// Model file to write
    #[arg(long, value_name = "MODEL", required_unless_present_any = ["onnx", "hub"])]
    pub out: Option<PathBuf>,
    /// Write the generator as an ONNX file instead, for other programs
    #[arg(long, value_name = "FILE", conflicts_with_all = ["out", "shard_size"])]
    pub onnx: Option<PathBuf>,
    /// Write a repository for Hugging Face's hub instead: model.safetensors (in parts where large), config.json, a
    /// sheet of samples and, where none is there, a card, README.md; the model is called as the directory
    #[arg(long, value_name = "DIR", conflicts_with_all = ["out", "onnx"])]
    pub hub: Option<PathBuf>,
    /// With --hub: also write D, discriminator.safetensors, from which --init starts
    #[arg(long, requires = "hub")]
    pub discriminator: bool,
    /// With --hub: licence that the card states, as the hub names them, e.g. mit
    #[arg(long, value_name = "NAME", requires = "hub")]
    pub license: Option<String>,
    /// With --onnx: how far z will be truncated, or off, by the model's kind; the statistics are those for it
    #[arg(long, value_name = "T", default_value = "off", conflicts_with_all = ["out", "hub"])]
    pub truncation: Truncation,
    /// Type of the stored values; of a model its own stays without it, and with --onnx always [default: f16]
    #[arg(long, value_enum)]
    pub dtype: Option<StoredType>,
    /// Batches for the statistics of each truncation; not of a model, which has its own [default: 100]
    #[arg(long, value_name = "N")]
    pub passes: Option<usize>,
    /// Names of the classes, a file as for `classes` [default: those of the data set]
    #[arg(long, value_name = "FILE")]
    pub class_names: Option<PathBuf>,
    /// Write parts of at most this size, e.g. 64MiB, and NAME.safetensors.index.json, the path to give for
    /// the model
    #[arg(long, value_name = "SIZE")]
    pub shard_size: Option<ByteSize>,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Types of stored values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum StoredType {
    /// 16-bit floats.
    F16,
    /// 32-bit floats.
    F32,
    /// 8-bit integers, with a scale for each output channel; vectors as 16-bit floats.
    Q8,
}

impl From<StoredType> for biggan::file::Dtype {
    fn from(stored: StoredType) -> Self {
        match stored {
            StoredType::F16 => Self::F16,
            StoredType::F32 => Self::F32,
            StoredType::Q8 => Self::Q8,
        }
    }
}

/// Options of `import`.
#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// Program that wrote the weights: hf-deep (pytorch-pretrained-BigGAN), biggan-pytorch, studiogan
    #[arg(long, value_name = "SOURCE")]
    pub from: Source,
    /// File of the generator's weights (preferably its average, G_ema), or a name as for `fetch`; with --training the
    /// run's directory
    pub weights: PathBuf,
    /// That program's config: config.json (hf-deep), its flags as JSON (biggan-pytorch), its YAML or
    /// the same keys as JSON (studiogan) [default: config.json next to the weights]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Model file to write; with --training the run directory
    #[arg(long, value_name = "PATH")]
    pub out: PathBuf,
    /// Type of the stored values
    #[arg(long, value_enum, default_value_t = StoredType::F16, conflicts_with = "training")]
    pub dtype: StoredType,
    /// Names of the classes, a file as for `classes`, or the name of a data set [default: those of the data
    /// set that the config names, otherwise by number and resolution: CIFAR, Tiny ImageNet, ImageNet]
    #[arg(long, value_name = "FILE")]
    pub class_names: Option<PathBuf>,
    /// Write parts of at most this size, e.g. 64MiB, and an index
    #[arg(long, value_name = "SIZE")]
    pub shard_size: Option<ByteSize>,
    /// Write what became of every tensor, a text file
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Import G, D, the average and the optimisers as a run to continue
    #[arg(long)]
    pub training: bool,
    /// Recipe to continue with, a TOML file (with --training)
    #[arg(long, value_name = "FILE")]
    pub recipe: Option<PathBuf>,
    /// Replace a value of the recipe; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Which of a run's states to import: best0, copy1 (biggan-pytorch); best, current (studiogan)
    #[arg(long, value_name = "NAME")]
    pub suffix: Option<String>,
}

/// Options of `fetch`.
#[derive(Debug, clap::Args)]
pub struct FetchModelArgs {
    /// Name of the model, see below; what is kept of it already is not fetched again
    pub name: String,
}

/// Options of `sample`.
#[derive(Debug, clap::Args)]
pub struct SampleArgs {
    /// Model file, the index (.safetensors.index.json) of a model in parts, or a name as for `fetch`
    pub model: PathBuf,
    /// Class: a name or one of its synonyms, a WordNet id (n02099601), a number (with # before it where classes are
    /// named by numbers: '#0'), a list such as "dress,bag", or '*' for all; may be repeated. See below for what
    /// comes first
    #[arg(long, value_name = "CLASS", allow_negative_numbers = true)]
    pub class: Vec<String>,
    /// How far z is truncated, or off: by the model's kind, see --truncation-kind
    #[arg(long, value_name = "T", default_value = "off")]
    pub truncation: Truncation,
    /// What --truncation means [default: the model's]. resampling: |z| at most T, 0.001 to 8 (the
    /// paper; StudioGAN); scaled_truncated_normal: T times a normal truncated at 2, 0.001 to 1 (TF-Hub,
    /// pytorch-pretrained-BigGAN); scaled_normal: a normal of standard deviation T (BigGAN-PyTorch)
    #[arg(long, value_name = "KIND")]
    pub truncation_kind: Option<TruncationKind>,
    /// Interpolate between rows of the statistics table like pytorch-pretrained-BigGAN, with its
    /// reversed weights and its rounding
    #[arg(long)]
    pub hf_compat: bool,
    /// Seed of the latents
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Draw a mix of classes with their weights: "dress:0.7,bag:0.3"
    #[arg(long, value_name = "MIX", conflicts_with_all = ["class", "latents", "pictures"])]
    pub mix: Option<String>,
    /// Pictures of each class
    #[arg(
        long,
        visible_alias = "count-per-class",
        value_name = "N",
        default_value_t = 16
    )]
    pub count: usize,
    /// Sheet to write, a PNG file
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write single pictures, any number, to DIR/<class>/000000.png; the same command continues where it was stopped,
    /// and a larger --count adds to them. Without --class of every class
    #[arg(long, value_name = "DIR", conflicts_with_all = ["out", "raw", "latents", "pictures", "mix"])]
    pub each: Option<PathBuf>,
    /// Also write the numbers: image [n,3,r,r] f32 in [-1,1], a safetensors file
    #[arg(long, value_name = "FILE")]
    pub raw: Option<PathBuf>,
    /// Use these latents: z [n,z_dim] f32 with y [n] i64 or class_vector [n,classes] f32, a
    /// safetensors file; --truncation then only chooses the statistics
    #[arg(long, value_name = "FILE", conflicts_with_all = ["class", "seed", "count"])]
    pub latents: Option<PathBuf>,
    /// Draw these pictures: a JSON list as the page uses, each {"from": {"classes": [{"class": 8,
    /// "weight": 1}], "z": {"seed": 1, "index": 0, "steps": [], "chunks": []}}}, see docs/page.md
    #[arg(long, value_name = "FILE", conflicts_with_all = ["class", "seed", "count", "latents"])]
    pub pictures: Option<PathBuf>,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Options of `inspect`.
#[derive(Debug, clap::Args)]
pub struct InspectArgs {
    /// Model file or index, its name as for `fetch`, checkpoint file or run directory
    pub path: Option<PathBuf>,
    /// Recipe, a TOML file
    #[arg(long, value_name = "FILE", conflicts_with = "path")]
    pub config: Option<PathBuf>,
    /// Replace a value of the recipe; may be repeated
    #[arg(
        long = "set",
        value_name = "KEY=VALUE",
        requires = "config",
        conflicts_with = "path"
    )]
    pub set: Vec<String>,
}

/// Options of `classes`.
#[derive(Debug, clap::Args)]
pub struct ClassesArgs {
    /// Model file, the index (.safetensors.index.json) of a model in parts, or a name as for `fetch`
    pub model: PathBuf,
    /// Names to give them: one a line in the order of the numbers, with WordNet ids (n01440764 tench) or without;
    /// JSON, a list or an object such as Hugging Face's id2label; or the name of a data set: cifar10, cifar100,
    /// tiny-imagenet, imagenet
    #[arg(long, value_name = "FILE")]
    pub class_names: Option<PathBuf>,
}

/// Options of `report`.
#[derive(Debug, clap::Args)]
pub struct ReportArgs {
    /// Directory of a run
    pub run: PathBuf,
    /// Page to write [default: report.html in the directory of the run]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Options of `watch`.
#[derive(Debug, clap::Args)]
pub struct WatchArgs {
    /// Directory of a run, of this or another process
    pub run: PathBuf,
    /// Print one frame as text and exit, as without a terminal; otherwise q or Ctrl-C quits
    #[arg(long)]
    pub once: bool,
}

/// Options of `classifier`.
#[derive(Debug, clap::Args)]
pub struct ClassifierArgs {
    /// Name of the data set
    #[arg(long, value_name = "NAME")]
    pub dataset: String,
    /// Directory of the data set [default: where `data fetch` puts it]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// How pictures become squares
    #[command(flatten)]
    pub square: SquareArgs,
    /// Classifier file to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Name used in scores [default: that of --out without its extension]
    #[arg(long)]
    pub name: Option<String>,
    /// Classes of the data set [default: as many as it has; of idx files 10]
    #[arg(long)]
    pub classes: Option<usize>,
    /// Side of the images in pixels, as in the models that it will judge; a multiple of 8
    #[arg(long, value_name = "PIXELS", default_value_t = 32)]
    pub resolution: usize,
    /// Passes over the training set
    #[arg(long, default_value_t = 6)]
    pub epochs: usize,
    /// Seed of weights and order
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Options of `table1`.
#[derive(Debug, clap::Args)]
pub struct Table1Args {
    /// Directory of the runs and of their results, one JSON file per row
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Table to write [default: table1.md in the directory]
    #[arg(long, value_name = "FILE")]
    pub table: Option<PathBuf>,
    /// Rows to run [default: all]
    #[arg(long, value_name = "ROW,...", value_delimiter = ',')]
    pub rows: Vec<String>,
    /// Run nothing, only write the table of the finished rows
    #[arg(long, conflicts_with = "jobs")]
    pub table_only: bool,
    /// Real images that D sees per row
    #[arg(long, value_name = "N", default_value_t = 40_000)]
    pub images: u64,
    /// Samples for a row's last and best score; two fifths of it for the scores during training
    #[arg(long, value_name = "N", default_value_t = 5000)]
    pub samples: usize,
    /// Rows to run in parallel, each in a process with its share of the threads
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub jobs: usize,
    /// Classifier file in whose features the rows are scored
    #[arg(
        long,
        value_name = "FILE",
        default_value = "models/fashion-cnn.safetensors"
    )]
    pub classifier: PathBuf,
    /// Recipe of the row batch32, which the others change [default: built in]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}
