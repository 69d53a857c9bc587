//! A single picture as a PNG file that says what it was drawn from, so that a folder of them can be continued.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::run::atomic_file::Aside;

/// Keyword of the text with the [`Drawn`] in JSON.
const KEYWORD: &str = "native-train sample";

/// What a picture was drawn from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drawn {
    /// SHA-256 of the model's weights.
    pub model: String,
    /// Class.
    pub class: usize,
    /// Seed of the latents.
    pub seed: u64,
    /// Index of the latents in their seed.
    pub index: u64,
    /// Truncation and its kind.
    pub truncation: String,
    /// Whether statistics are those of pytorch-pretrained-BigGAN's interpolation.
    #[serde(default)]
    pub hf_compat: bool,
}

/// What is at the place of a picture.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing, or the rest of a picture that was not written whole.
    Nothing,
    /// The picture.
    Whole,
}

/// Whether a picture is there already.
///
/// # Errors
/// If another file is there, which a new picture would replace; the message says what differs.
pub fn find(path: &Path, wanted: &Drawn, side: usize) -> Result<Found> {
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Found::Nothing),
        bytes => bytes.with_context(|| path.display().to_string())?,
    };
    if bytes.is_empty() {
        return Ok(Found::Nothing); // a machine that lost power leaves such files
    }
    let Some((drawn, is_whole)) = read(&bytes, side) else {
        bail!(
            "{} is no picture of `sample --each`; choose another directory",
            path.display()
        );
    };
    if drawn == *wanted {
        return Ok(if is_whole {
            Found::Whole
        } else {
            Found::Nothing
        });
    }
    let differ = [
        ("the model", drawn.model != wanted.model),
        ("the class", drawn.class != wanted.class),
        ("the seed", drawn.seed != wanted.seed),
        ("the truncation", drawn.truncation != wanted.truncation),
        ("--hf-compat", drawn.hf_compat != wanted.hf_compat),
        ("the index", drawn.index != wanted.index),
    ];
    let of = |part: &str, drawn: &Drawn| match part {
        "the model" => drawn.model.get(..12).unwrap_or(&drawn.model).to_owned(),
        "the class" => drawn.class.to_string(),
        "the seed" => drawn.seed.to_string(),
        "the truncation" => drawn.truncation.clone(),
        "--hf-compat" => drawn.hf_compat.to_string(),
        _ => drawn.index.to_string(),
    };
    let differ = differ.iter().filter(|(_, differs)| *differs);
    let differ: Vec<String> = differ
        .map(|(part, _)| format!("{part} is {}, now {}", of(part, &drawn), of(part, wanted)))
        .collect();
    bail!(
        "{} was drawn otherwise ({}); choose another directory",
        path.display(),
        differ.join(", ")
    )
}

/// What a picture says of itself, and whether all its pixels are there.
fn read(bytes: &[u8], side: usize) -> Option<(Drawn, bool)> {
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
        .read_info()
        .ok()?;
    let texts = &reader.info().uncompressed_latin1_text;
    let text = texts.iter().find(|text| text.keyword == KEYWORD)?;
    let drawn = serde_json::from_str(&text.text).ok()?;
    let mut pixels = vec![0; reader.output_buffer_size()?];
    let is_whole = reader.next_frame(&mut pixels).is_ok() && reader.finish().is_ok();
    let size = (reader.info().width, reader.info().height);
    Some((drawn, is_whole && size == (side as u32, side as u32)))
}

/// Writes a picture; it is whole when it has its name. It is not synced to the disk: what a loss of power takes is drawn
/// again.
///
/// # Errors
/// If it cannot be written.
pub fn write(path: &Path, rgba: &[u8], side: usize, drawn: &Drawn) -> Result<()> {
    let bytes = encode(rgba, side, drawn)?;
    let mut aside = Aside::new(path)?;
    aside
        .write_all(&bytes)
        .with_context(|| format!("writing {}", path.display()))?;
    aside.commit_unsynced(path)
}

fn encode(rgba: &[u8], side: usize, drawn: &Drawn) -> Result<Vec<u8>> {
    let (pixels, _) = rgba.as_chunks::<4>();
    let rgb: Vec<u8> = pixels.iter().flat_map(|&[r, g, b, _]| [r, g, b]).collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, side as u32, side as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let text = serde_json::to_string(drawn).context("a picture's text")?;
    encoder
        .add_text_chunk(KEYWORD.to_owned(), text)
        .and_then(|()| encoder.write_header())
        .and_then(|mut writer| {
            writer.write_image_data(&rgb)?;
            writer.finish()
        })
        .context("encoding a PNG")?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_known_again_and_nothing_else_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("000000.png");
        let drawn = Drawn {
            model: "0123456789abcdef".into(),
            class: 1,
            seed: 7,
            index: 0,
            truncation: "off".into(),
            hf_compat: false,
        };
        assert_eq!(find(&path, &drawn, 2).unwrap(), Found::Nothing);
        write(&path, &[9; 16], 2, &drawn).unwrap();
        assert_eq!(find(&path, &drawn, 2).unwrap(), Found::Whole);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);

        let other = Drawn {
            seed: 8,
            ..drawn.clone()
        };
        let message = find(&path, &other, 2).unwrap_err().to_string();
        assert!(message.contains("the seed is 7, now 8"), "{message}");

        let whole = std::fs::read(&path).unwrap();
        for length in [0, whole.len() - 1, whole.len() - 20] {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert_eq!(find(&path, &drawn, 2).unwrap(), Found::Nothing, "{length}");
        }
        for foreign in [&b"notes"[..], &whole[..20]] {
            std::fs::write(&path, foreign).unwrap();
            let message = find(&path, &drawn, 2).unwrap_err().to_string();
            assert!(
                message.contains("no picture of `sample --each`"),
                "{message}"
            );
        }
    }
}
