//! Converts a generator's weights from a public PyTorch implementation into a model file.
//!
//!     cargo run --example import -- G_ema.pth config.json model.safetensors
//!
//! The pickle inside the file is parsed as data and never executed. CONFIG is the program's own: JSON, or StudioGAN's
//! YAML.

use std::error::Error;
use std::fs;

use biggan::file::Dtype;
use biggan::import::{self, Source};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [weights, config, out] = args.as_slice() else {
        return Err("usage: import WEIGHTS CONFIG OUT.safetensors".into());
    };
    let weights = fs::read(weights)?;
    let config = fs::read_to_string(config)?;

    // which of the three programs wrote it shows in the names of its tensors
    let source = Source::detect(&weights)?;
    let (model, report) = import::model(source, &weights, Some(&config))?;
    println!("{}: {}", source.name(), report.summary());

    // f16 halves the file; pictures move by less than a pixel value
    let bytes = model.encode(Dtype::F16)?;
    fs::write(out, &bytes)?;
    println!("{out}: {} bytes", bytes.len());
    Ok(())
}
