//! A directory with a tiny data set and recipe, and the program in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// Images in the tiny data set.
pub const IMAGES: usize = 24;

/// Continues the tiny recipe in `run` by one generator step.
pub const RESUME_ONE_STEP: [&str; 7] = [
    "--config",
    "tiny.toml",
    "--out",
    "run",
    "--resume",
    "--steps",
    "1",
];

const RECIPE: &str = r#"
name = "tiny"

[data]
dataset = "idx"
path = "data"

[run]
images = 1_000_000
checkpoint_every_images = 80
sample_every_images = 400
log_every_steps = 5
keep_checkpoints = 3

[train]
seed = 3
batch_size = 4
d_steps = 2
orthogonal = 1e-4

[train.generator]
resolution = 32
channels = 2
z_dim = 8
classes = 3
class_embedding = { kind = "shared", dim = 4 }
hierarchical_z = true

[train.discriminator]
resolution = 32
channels = 2
classes = 3

[train.adam_g]
lr = 1e-3

[train.adam_d]
lr = 1e-3

[train.ema]
decay = 0.5
"#;

/// A directory of its own, removed at the end.
pub struct Setting(TempDir);

impl Setting {
    /// With data and recipe.
    pub fn new() -> Self {
        let setting = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(setting.path("data")).unwrap();
        std::fs::write(setting.path("tiny.toml"), RECIPE).unwrap();
        // any fixed bytes do
        let pixels: Vec<u8> = (0..IMAGES * 28 * 28)
            .map(|i| (i * i / 7 % 251) as u8)
            .collect();
        let labels: Vec<u8> = (0..IMAGES).map(|i| (i % 3) as u8).collect();
        setting.write_idx("train-images-idx3-ubyte", &[IMAGES, 28, 28], &pixels);
        setting.write_idx("train-labels-idx1-ubyte", &[IMAGES], &labels);
        setting
    }

    /// A path in the directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a data file.
    pub fn write_idx(&self, name: &str, dims: &[usize], values: &[u8]) {
        let mut bytes = vec![0, 0, 8, dims.len() as u8];
        bytes.extend(dims.iter().flat_map(|&dim| (dim as u32).to_be_bytes()));
        bytes.extend(values);
        std::fs::write(self.path("data").join(name), bytes).unwrap();
    }

    /// The program, in the directory.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_native-train"));
        command
            .args(args)
            .current_dir(self.0.path())
            // fetched data of the user must play no part
            .env("XDG_DATA_HOME", self.path("data-home"));
        // nor may a launcher of the tests
        for launcher in ["OMPI_COMM_WORLD", "MV2_COMM_WORLD", "PMI"] {
            command.env_remove(format!("{launcher}_SIZE"));
        }
        for variable in ["SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"] {
            command.env_remove(variable);
        }
        command
    }

    /// Runs the program.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs the program, which must succeed; returns what it printed.
    pub fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(
            output.status.success(),
            "{args:?}: {}\n{}",
            output.status,
            stderr(&output)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs the program, which must fail with this code and one line that holds all of `parts`.
    pub fn refused(&self, code: i32, args: &[&str], parts: &[&str]) -> String {
        refusal(&self.run(args), code, parts)
    }

    /// Trains the tiny recipe into `out` for some steps.
    pub fn train(&self, out: &str, steps: u64, more: &[&str]) {
        let steps = steps.to_string();
        let mut args = vec!["--config", "tiny.toml", "--out", out, "--steps", &steps];
        args.extend(more);
        self.ok(&args);
    }

    /// The newest checkpoint of a run.
    pub fn newest_checkpoint(&self, out: &str) -> PathBuf {
        checkpoints(&self.path(out)).pop().expect("a checkpoint")
    }
}

/// Checkpoint files of a run directory, oldest first.
pub fn checkpoints(run: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = match std::fs::read_dir(run.join("checkpoints")) {
        Ok(entries) => entries.map(|entry| entry.unwrap().path()).collect(),
        Err(_) => Vec::new(),
    };
    all.retain(|path| path.extension().is_some_and(|e| e == "safetensors"));
    all.sort();
    all
}

/// Checks a failure: its exit code, and that its error is one line that holds all of `parts`.
pub fn refusal(output: &Output, code: i32, parts: &[&str]) -> String {
    let text = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    let errors: Vec<&str> = text.lines().filter(|l| l.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "{text}");
    assert_eq!(text.lines().last(), Some(errors[0]), "{text}");
    for part in parts {
        assert!(errors[0].contains(part), "{:?} lacks {part:?}", errors[0]);
    }
    errors[0].to_owned()
}

/// What the program wrote to stderr.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Width and height of a PNG file.
pub fn png_size(path: &Path) -> (u32, u32) {
    let file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    (frame.width, frame.height)
}
