//! Draws a sheet of sixteen pictures of one class.
//!
//!     cargo run --example sample -- models/fashion32.safetensors Dress dress.png

use std::error::Error;
use std::fs::{self, File};

use biggan::image::Sheet;
use biggan::{Device, ModelFile, Picture, Sampler, Truncation};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [model, class, out] = args.as_slice() else {
        return Err("usage: sample MODEL CLASS OUT.png".into());
    };

    // the CPU; with the feature `wgpu` it can be `Device::wgpu(Default::default())`
    let device = Device::flex();
    let sampler = Sampler::new(ModelFile::decode(&fs::read(model)?)?, &device)?;

    // the model file names its classes
    let names = &sampler.info().class_names;
    let class = names
        .iter()
        .position(|name| name == class)
        .ok_or_else(|| format!("no class {class}; the model has {}", names.join(", ")))?;

    // the first sixteen samples of seed 7; a lower threshold gives more typical pictures, less varied
    let pictures: Vec<Picture> = (0..16)
        .map(|index| Picture::sample(class, 7, index))
        .collect();
    let truncation = Truncation::Threshold(0.8);
    // asynchronous, because a browser cannot wait for its GPU in any other way
    let samples = pollster::block_on(sampler.draw(&pictures, truncation))?;

    let sheet = Sheet::new(&samples.rgba()?, samples.side, 4);
    let mut png = png::Encoder::new(File::create(out)?, sheet.width as u32, sheet.height as u32);
    png.set_color(png::ColorType::Rgba);
    png.write_header()?.write_image_data(&sheet.rgba)?;
    println!("{out}: {}x{} pixels", sheet.width, sheet.height);
    Ok(())
}
