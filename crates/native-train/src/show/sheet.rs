//! Sample sheets: PNG files, and the sheet of a run (one row per class).

use std::path::Path;

use anyhow::{Context, Result};
use biggan::image::{Sheet, to_rgba};
use biggan::model::Generator;
use biggan::train::probe;
use burn::tensor::Device;
use pollster::block_on;

use crate::error::bad_usage;

/// Samples per class on the sheet of a run.
const COLUMNS: usize = 8;
/// Most classes on the sheet of a run; the first are shown.
const MAX_ROWS: usize = 32;

/// A sheet as the bytes of a PNG file.
///
/// # Errors
/// If encoding fails.
pub fn to_png(sheet: &Sheet) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, sheet.width as u32, sheet.height as u32);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().context("encoding a PNG")?;
    writer
        .write_image_data(&sheet.rgba)
        .and_then(|()| writer.finish())
        .context("encoding a PNG")?;
    Ok(bytes)
}

/// Refuses a name that says another format.
///
/// # Errors
/// If it has an ending other than `.png`.
pub fn check_name(path: &Path) -> Result<()> {
    match path.extension() {
        Some(ending) if !ending.eq_ignore_ascii_case("png") => Err(bad_usage(format!(
            "sheet {}: sheets are PNG files; give {}",
            path.display(),
            path.with_extension("png").display()
        ))),
        _ => Ok(()),
    }
}

/// The sheet of a run: one row per class, the same z in every row and every time, with the
/// statistics of this batch.
///
/// # Errors
/// If the device fails or the generator is broken.
pub fn of_generator(generator: &Generator, seed: u64, device: &Device) -> Result<Sheet> {
    let config = generator.config();
    let rows = config.classes.min(MAX_ROWS);
    let (images, _) = block_on(probe::grid(generator, seed, [COLUMNS, rows], device))?;
    let rgba = to_rgba(&images, config.resolution)?;
    Ok(Sheet::new(&rgba, config.resolution, COLUMNS))
}
