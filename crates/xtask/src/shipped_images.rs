//! The training images that ship with the package.

use std::fs::{self, File};
use std::process::Stdio;

use anyhow::{Context, Result};

use crate::run::{command, run, step};
use crate::workspace::Workspace;

/// A subset of a data set, at its own resolution or a smaller one.
struct Set {
    name: &'static str,
    config: &'static str,
    resolution: &'static str,
    per_class: &'static str,
    images: u32,
}

/// The browser trains at 16 and 32 pixels, and makes the images of 16 from those of 32.
const SETS: [Set; 2] = [
    Set {
        name: "avatars",
        config: "configs/avatars64.toml",
        resolution: "32",
        per_class: "150",
        images: 1_800,
    },
    Set {
        name: "fashion-mnist",
        config: "configs/fashion32.toml",
        resolution: "32",
        per_class: "200",
        images: 2_000,
    },
];
/// Pixels are rounded to multiples of 3, at most 1 of 255 from the original: a fifth less to download.
const PIXEL_STEP: &str = "3";

/// Rebuilds www/src/lib/train/data from data sets, which are fetched or drawn.
pub fn make(workspace: &Workspace) -> Result<()> {
    for set in &SETS {
        step(&format!("images of {}", set.name), || set.make(workspace))?;
    }
    Ok(())
}

impl Set {
    fn make(&self, workspace: &Workspace) -> Result<()> {
        let packed = workspace.target.join("shipped-images").join(self.name);
        let mut pack = command(&workspace.root, "cargo", &["run", "--package"]);
        pack.args(["native-train", "--locked", "--", "data", "pack"]);
        pack.args(["--config", self.config]);
        for network in ["generator", "discriminator"] {
            let side = format!("train.{network}.resolution={}", self.resolution);
            pack.args(["--set", &side]);
        }
        pack.args(["--per-class", self.per_class, "--pixel-step", PIXEL_STEP]);
        pack.arg("--out").arg(&packed);
        run(pack)?;
        let file = format!("{}-{}.pack.gz", self.name, self.images);
        let path = workspace.www().join("src/lib/train/data").join(file);
        let out = File::create(&path).with_context(|| path.display().to_string())?;
        let mut compress = command(&packed, "gzip", &["-9nc", "train.pack"]);
        compress.stdout(Stdio::from(out));
        run(compress)?;
        let bytes = fs::metadata(&path)?.len();
        eprintln!("    {}: {bytes} bytes", path.display());
        Ok(())
    }
}
