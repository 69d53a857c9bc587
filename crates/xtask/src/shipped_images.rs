//! The training images that ship with the package.

use std::fs::{self, File};
use std::process::Stdio;

use anyhow::{Context, Result};

use crate::run::{command, run, step};
use crate::workspace::Workspace;

/// Images of each class.
const PER_CLASS: &str = "200";
/// Pixels are rounded to multiples of 3, at most 1 of 255 from the original: a fifth less to download.
const PIXEL_STEP: &str = "3";

/// Rebuilds www/src/lib/train/data/fashion-mnist-2000.pack.gz from Fashion-MNIST, which is fetched.
pub fn make(workspace: &Workspace) -> Result<()> {
    step("images of Fashion-MNIST", || {
        let packed = workspace.target.join("shipped-images");
        let mut pack = command(&workspace.root, "cargo", &["run", "--package"]);
        pack.args(["native-train", "--locked", "--", "data", "pack"]);
        pack.args(["--config", "configs/fashion32.toml"]);
        pack.args(["--per-class", PER_CLASS, "--pixel-step", PIXEL_STEP]);
        pack.arg("--out").arg(&packed);
        run(pack)?;
        let path = workspace
            .www()
            .join("src/lib/train/data/fashion-mnist-2000.pack.gz");
        let file = File::create(&path).with_context(|| path.display().to_string())?;
        let mut compress = command(&packed, "gzip", &["-9nc", "train.pack"]);
        compress.stdout(Stdio::from(file));
        run(compress)?;
        eprintln!(
            "    {}: {} bytes",
            path.display(),
            fs::metadata(&path)?.len()
        );
        Ok(())
    })
}
