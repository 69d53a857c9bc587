//! Trains a small BigGAN on images in memory and saves it as a model file.
//!
//!     cargo run --example train -- stripes.safetensors
//!
//! Twenty rounds take seconds on a CPU and show how the parts fit; a picture worth looking at takes thousands.

use std::error::Error;
use std::fs;

use biggan::Device;
use biggan::train::{Session, ShortRecipe, TrainingImages, Which};

const SIDE: usize = 16;
const IMAGES: usize = 256;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [out] = args.as_slice() else {
        return Err("usage: train OUT.safetensors".into());
    };

    // widths and rates of G and D; everything else is the paper's
    let recipe = ShortRecipe {
        width: 8,
        z_dim: 60,
        embedding: 64,
        batch_size: 32,
        rate_g: 2e-4,
        rate_d: 2e-4,
        d_steps: 2,
        orthogonal: 1e-4,
        ema_decay: 0.9,
        ema_start: 0,
        augment: vec![],
        attention: false,
        seed: 1,
    };
    let mut session = Session::start(recipe, stripes()?, Device::flex())?;
    for _ in 0..20 {
        // a round: two steps of D, then one of G
        let report = pollster::block_on(session.step(Which::Both))?;
        if let (Some(d), Some(g)) = (report.loss_d, report.loss_g) {
            println!("step {}: loss of D {d:.3}, of G {g:.3}", report.g_step);
        }
    }

    // the averaged generator, with statistics for every truncation
    let model = pollster::block_on(session.model("examples/train.rs", "example"))?;
    fs::write(out, &model)?;
    println!("{out}: {} bytes", model.len());
    Ok(())
}

/// Two classes of RGB images: horizontal and vertical stripes, of varied phase and brightness.
fn stripes() -> biggan::Result<TrainingImages> {
    let mut rgb = Vec::new();
    for image in 0..IMAGES {
        for pixel in 0..SIDE * SIDE {
            let [row, column] = [pixel / SIDE, pixel % SIDE];
            let across = if image % 2 == 0 { row } else { column };
            let bright = (across + image / 2) % 4 < 2;
            rgb.extend([if bright { 255 - (image % 64) as u8 } else { 0 }; 3]);
        }
    }
    let labels = (0..IMAGES).map(|image| (image % 2) as u16).collect();
    let names = ["horizontal", "vertical"].map(str::to_owned).to_vec();
    TrainingImages::new("stripes".into(), names, SIDE, &rgb, labels)
}
