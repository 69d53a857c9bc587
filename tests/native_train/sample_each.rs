//! `sample --each`: single pictures, any number, continued after a stop.

use std::path::{Path, PathBuf};

use biggan::file::ModelFile;
use biggan::image::to_u8;

use crate::support::models::{image, with_model};
use crate::support::setting::{Setting, stderr};

const EACH: [&str; 6] = [
    "sample",
    "model.safetensors",
    "--each",
    "samples",
    "--seed",
    "5",
];

/// All files below a folder with their bytes, sorted.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            all.push((path, bytes));
        }
    }
    all.sort();
    all
}

/// RGB bytes of a PNG file.
fn pixels(path: &Path) -> Vec<u8> {
    let file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    pixels
}

fn each(setting: &Setting, count: &str, more: &[&str]) -> String {
    let args = [&EACH[..], &["--count-per-class", count], more].concat();
    let output = setting.run(&args);
    assert!(output.status.success(), "{}", stderr(&output));
    stderr(&output)
}

#[test]
fn single_pictures_are_those_of_sample_and_a_data_set() {
    let setting = with_model();
    // more than are computed together
    each(&setting, "30", &[]);
    let all = files(&setting.path("samples"));
    assert_eq!(all.len(), 90);
    assert_eq!(all[0].0, setting.path("samples/0/000000.png"));
    assert_eq!(all[89].0, setting.path("samples/2/000029.png"));
    setting.ok(&[
        "sample",
        "model.safetensors",
        "--class",
        "1",
        "--seed",
        "5",
        "--count",
        "30",
        "--raw",
        "r",
    ]);
    let raw = image(&setting.path("r"));
    let (plane, side) = (32 * 32, raw.shape[3]);
    for index in [0, 20, 29] {
        let values = &raw.values[index * 3 * plane..][..3 * plane];
        let expected: Vec<u8> = (0..side * side)
            .flat_map(|p| [0, 1, 2].map(|c| to_u8(values[c * plane + p])))
            .collect();
        let found = pixels(&setting.path(&format!("samples/1/{index:06}.png")));
        assert!(found == expected, "picture {index}");
    }
    let checked = setting.ok(&["data", "check", "samples"]);
    assert!(checked.contains("90"), "{checked}");
}

#[test]
fn the_same_command_continues_and_draws_what_is_missing_or_cut() {
    let setting = with_model();
    each(&setting, "4", &[]);
    let whole = files(&setting.path("samples"));
    // as a killed command, and a loss of power, leave it
    std::fs::remove_file(setting.path("samples/1/000002.png")).unwrap();
    std::fs::write(setting.path("samples/0/.partial-x"), b"half").unwrap();
    std::fs::write(setting.path("samples/2/000000.png"), b"").unwrap();
    let cut = setting.path("samples/2/000001.png");
    let bytes = std::fs::read(&cut).unwrap();
    std::fs::write(&cut, &bytes[..bytes.len() - 30]).unwrap();
    let kept = setting.path("samples/0/000000.png");
    let written = std::fs::metadata(&kept).unwrap().modified().unwrap();
    let told = each(&setting, "4", &[]);
    assert!(
        told.contains("12 pictures of 3 classes (9 were there), 3 drawn"),
        "{told}"
    );
    assert!(files(&setting.path("samples")) == whole);
    assert_eq!(
        std::fs::metadata(&kept).unwrap().modified().unwrap(),
        written
    );
    // more of them, of one class
    each(&setting, "6", &["--class", "1"]);
    let more = files(&setting.path("samples"));
    assert_eq!(more.len(), 14);
    assert!(whole.iter().all(|file| more.contains(file)));
}

#[test]
fn pictures_of_another_request_are_not_mixed_in() {
    let setting = with_model();
    each(&setting, "2", &[]);
    let before = files(&setting.path("samples"));
    let refused = |more: &[&str], parts: &[&str]| {
        let args = [&EACH[..4], &["--count", "3"], more].concat();
        setting.refused(1, &args, parts);
    };
    refused(
        &["--seed", "6"],
        &["000000.png was drawn otherwise", "the seed is 5, now 6"],
    );
    refused(
        &["--seed", "5", "--truncation", "0.5"],
        &["the truncation is off, now 0.5", "another directory"],
    );
    std::fs::write(setting.path("samples/0/000002.png"), b"mine").unwrap();
    refused(
        &["--seed", "5"],
        &["000002.png is no picture of `sample --each`"],
    );
    std::fs::remove_file(setting.path("samples/0/000002.png")).unwrap();
    assert!(files(&setting.path("samples")) == before);
    // scores and names change no picture
    std::fs::write(setting.path("names.txt"), "0\n1\nzwei/2\n").unwrap();
    setting.ok(&["classes", "model.safetensors", "--class-names", "names.txt"]);
    let told = each(&setting, "2", &["--class", "0,1"]);
    assert!(told.contains("(4 were there), 0 drawn"), "{told}");
    each(&setting, "1", &["--class", "zwei/2"]);
    assert!(setting.path("samples/zwei%2F2/000000.png").is_file());
}

#[test]
fn what_does_not_go_with_single_pictures_is_refused() {
    let setting = with_model();
    let refused = |args: &[&str], parts: &[&str]| {
        setting.refused(2, &[&["sample", "model.safetensors"], args].concat(), parts);
    };
    refused(&["--each", "s", "--count", "0"], &["--count is 0"]);
    refused(
        &["--each", "s", "--class", "hat"],
        &["class \"hat\" is unknown"],
    );
    refused(
        &["--class", "0", "--out", "a.jpg"],
        &["sheet a.jpg", "give a.png"],
    );
    refused(
        &["--class", "*", "--count", "4000", "--out", "a.png"],
        &["12000 samples", "--each DIR"],
    );
    for more in [["--out", "a.png"], ["--raw", "r"], ["--mix", "0:1"]] {
        let args = [&["sample", "model.safetensors", "--each", "s"], &more[..]].concat();
        let output = setting.run(&args);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    }
    let sheet = [
        "sheet",
        "model.safetensors",
        "--kind",
        "by-class",
        "--out",
        "a.webp",
    ];
    setting.refused(2, &sheet, &["sheet a.webp", "give a.png"]);
    assert!(!setting.path("s").exists());
}

#[test]
fn a_folder_for_each_class_whatever_it_is_called() {
    let setting = with_model();
    let path = setting.path("model.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    let mut info = ModelFile::decode(&bytes).unwrap().info;
    info.class_names = ["../evil", "crane", "Crane"].map(str::to_owned).to_vec();
    std::fs::write(&path, ModelFile::replace_info(&bytes, &info).unwrap()).unwrap();
    each(&setting, "1", &[]);
    for folder in ["%2E.%2Fevil", "crane%1%", "Crane%2%"] {
        let picture = setting.path("samples").join(folder).join("000000.png");
        assert!(picture.is_file(), "{folder}");
    }
    assert!(!setting.path("evil").exists());
}
