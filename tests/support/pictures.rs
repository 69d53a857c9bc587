//! Pictures in class folders.

use std::fs::File;
use std::path::Path;

use super::setting::Setting;

/// Writes a PNG file of many colours.
pub fn picture(path: &Path, width: u32, height: u32) {
    seeded_picture(path, width, height, 35);
}

/// Writes a PNG file whose colours depend on a seed.
pub fn seeded_picture(path: &Path, width: u32, height: u32, seed: u32) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut encoder = png::Encoder::new(File::create(path).unwrap(), width, height);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().unwrap();
    let pixels: Vec<u8> = (0..width * height * 3)
        .map(|i| (i * seed / 7) as u8)
        .collect();
    writer.write_image_data(&pixels).unwrap();
}

/// Classes `apple` and `pear` with three pictures each, in `pictures`.
pub fn apples_and_pears(setting: &Setting) {
    for (class, side) in [("apple", 40), ("pear", 50)] {
        for number in 0..3 {
            let path = setting.path(&format!("pictures/{class}/{number}.png"));
            picture(&path, side + number, 40);
        }
    }
}
