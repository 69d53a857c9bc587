//! Pictures as people have them: turned, cut, transparent, of odd shapes, depths and kinds.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::fixtures::fixture;
use crate::support::pictures::{apples_and_pears, picture, seeded_picture};
use crate::support::setting::Setting;

/// Bytes of a file of tests/fixtures/pictures.
fn file(name: &str) -> Vec<u8> {
    fs::read(fixture("pictures").join(name)).unwrap()
}

fn put(setting: &Setting, name: &str, bytes: impl AsRef<[u8]>) {
    let path = setting.path(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// A PNG file of a kind of colour, with chunks before its pixels.
fn png(
    size: [u32; 2],
    color: png::ColorType,
    depth: png::BitDepth,
    pixels: &[u8],
    chunks: &[([u8; 4], Vec<u8>)],
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, size[0], size[1]);
    encoder.set_color(color);
    encoder.set_depth(depth);
    let mut writer = encoder.write_header().unwrap();
    for (kind, data) in chunks {
        writer
            .write_chunk(png::chunk::ChunkType(*kind), data)
            .unwrap();
    }
    writer.write_image_data(pixels).unwrap();
    drop(writer);
    bytes
}

/// Exif data with an orientation.
fn exif(orientation: u8) -> Vec<u8> {
    let head = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0";
    [head, &[orientation, 0, 0, 0, 0, 0, 0, 0][..]].concat()
}

/// The images of a packed part.
fn packed(setting: &Setting, name: &str) -> Vec<Vec<u8>> {
    let set = native_train::dataset::packed::open(&setting.path(name)).unwrap();
    let all: Vec<usize> = (0..set.len()).collect();
    set.read(&all)
        .unwrap()
        .into_iter()
        .map(|image| image.into_owned())
        .collect()
}

fn pack(setting: &Setting, folder: &str, out: &str, more: &[&str]) -> Vec<Vec<u8>> {
    let args = ["data", "pack", folder, "--resolution", "16", "--out", out];
    setting.ok(&[&args[..], more].concat());
    packed(setting, &format!("{out}/train.pack"))
}

/// Messages of the findings about a directory, by kind.
fn findings(setting: &Setting, folder: &str, more: &[&str]) -> Vec<(String, String)> {
    let args = ["data", "check", folder, "--json"];
    let output = setting.run(&[&args[..], more].concat());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let all = report["findings"].as_array().unwrap().iter();
    all.map(|finding| (text(finding, "kind"), text(finding, "message")))
        .collect()
}

fn found(findings: &[(String, String)], kind: &str, parts: &[&str]) {
    let finding = findings.iter().find(|(found, _)| found == kind);
    let (_, message) = finding.unwrap_or_else(|| panic!("no {kind} in {findings:?}"));
    for part in parts {
        assert!(message.contains(part), "{message:?} lacks {part:?}");
    }
}

/// zoo/exif: the same picture stored in eight ways gives the same image.
#[test]
fn exif_orientation_is_applied_natively() {
    let setting = Setting::new();
    let (width, height) = (20u32, 16u32);
    let at = |x: u32, y: u32| [(x * 12) as u8, (y * 15) as u8, (x * y) as u8];
    for orientation in 1..=8u8 {
        // the stored picture: its pixel (column, row) is seen at (x, y)
        let [columns, rows] = if orientation < 5 {
            [width, height]
        } else {
            [height, width]
        };
        let mut pixels = Vec::new();
        for row in 0..rows {
            for column in 0..columns {
                let (right, bottom) = (width - 1, height - 1);
                let (x, y) = match orientation {
                    1 => (column, row),
                    2 => (right - column, row),
                    3 => (right - column, bottom - row),
                    4 => (column, bottom - row),
                    5 => (row, column),
                    6 => (right - row, column),
                    7 => (right - row, bottom - column),
                    _ => (row, bottom - column),
                };
                pixels.extend(at(x, y));
            }
        }
        let depth = png::BitDepth::Eight;
        let chunks = [(*b"eXIf", exif(orientation))];
        let bytes = png(
            [columns, rows],
            png::ColorType::Rgb,
            depth,
            &pixels,
            &chunks,
        );
        put(&setting, &format!("turned/a/{orientation}.png"), bytes);
    }
    let images = pack(&setting, "turned", "out", &[]);
    assert_eq!(images.len(), 8);
    assert!(images.iter().all(|image| *image == images[0]));
    // all are one picture to `data check` too
    found(
        &findings(&setting, "turned", &[]),
        "duplicates",
        &["7 pictures"],
    );
}

/// zoo/cut, zoo/motion: the decoder decides.
#[test]
fn cut_jpegs_are_refused_and_motion_photos_are_read() {
    let setting = Setting::new();
    let whole = file("baseline.jpg");
    let exif = [b"Exif\0\0".as_slice(), &exif(1), &file("grey.jpg")].concat();
    let length = (exif.len() as u16 + 2).to_be_bytes();
    let thumbnail = [&whole[..2], &[0xff, 0xe1], &length, &exif, &whole[2..]].concat();
    let video = [b"\0\0\0\x18ftypmp42".as_slice(), &[0; 100_000]].concat();
    put(&setting, "pictures/a/whole.jpg", &thumbnail);
    put(
        &setting,
        "pictures/a/MVIMG.jpg",
        [&thumbnail[..], &video].concat(),
    );
    put(
        &setting,
        "pictures/a/PANO.jpg",
        [&whole[..whole.len() - 2], &video].concat(),
    );
    put(&setting, "pictures/a/no-end.jpg", &whole[..whole.len() - 2]);
    let images = pack(&setting, "pictures", "out", &[]);
    assert!(images.len() == 4 && images.iter().all(|image| *image == images[0]));

    put(&setting, "pictures/b/whole.jpg", file("progressive.jpg"));
    put(
        &setting,
        "pictures/b/cut.jpg",
        &thumbnail[..thumbnail.len() * 6 / 10],
    );
    let progressive = file("progressive.jpg");
    put(
        &setting,
        "pictures/b/first-scan.jpg",
        &progressive[..progressive.len() / 2],
    );
    let findings = findings(&setting, "pictures", &[]);
    let parts = [
        "2 of 7 train",
        "b/cut.jpg: truncated",
        "b/first-scan.jpg: truncated",
    ];
    found(&findings, "unreadable", &parts);
}

/// A disc in what is transparent elsewhere and hides a colour there.
fn disc(hidden: [u8; 3]) -> Vec<u8> {
    let pixels: Vec<u8> = (0..32i32 * 32)
        .flat_map(|at| {
            let (x, y) = (at % 32 - 16, at / 32 - 16);
            match x * x + y * y < 100 {
                true => [20, 200, 20, 255],
                false => [hidden[0], hidden[1], hidden[2], 0],
            }
        })
        .collect();
    png(
        [32, 32],
        png::ColorType::Rgba,
        png::BitDepth::Eight,
        &pixels,
        &[],
    )
}

/// zoo/alpha: hidden colours never become data.
#[test]
fn transparency_is_blended_over_one_colour() {
    let setting = Setting::new();
    let hidden = [[255, 0, 255], [0, 0, 0], [255, 255, 255]];
    for (name, hidden) in ["magenta", "black", "white"].iter().zip(hidden) {
        put(&setting, &format!("sprites/a/{name}.png"), disc(hidden));
    }
    let white = pack(&setting, "sprites", "white", &[]);
    assert!(white.iter().all(|image| *image == white[0]));
    assert_eq!(white[0][0], 255);
    let grey = pack(&setting, "sprites", "grey", &["--background", "#405060"]);
    assert!(grey.iter().all(|image| *image == grey[0]));
    assert_eq!(
        [0, 1, 2].map(|channel| grey[0][channel * 256]),
        [0x40, 0x50, 0x60]
    );
    let found_in = findings(&setting, "sprites", &["--background", "#405060"]);
    found(
        &found_in,
        "transparent",
        &["3 of 3", "#405060", "sprites/a/black.png"],
    );
    setting.refused(
        2,
        &[
            "data",
            "pack",
            "sprites",
            "--out",
            "x",
            "--background",
            "grey",
        ],
        &["\"grey\" is not a colour", "#ffffff"],
    );
}

/// zoo/shapes, zoo/deep, masks, animations: found by `data check`, each with its number and an example.
#[test]
fn odd_pictures_are_found_and_named() {
    let setting = Setting::new();
    let (rgb, grey) = (png::ColorType::Rgb, png::ColorType::Grayscale);
    let (eight, sixteen) = (png::BitDepth::Eight, png::BitDepth::Sixteen);
    picture(&setting.path("odd/a/plain.png"), 40, 40);
    picture(&setting.path("odd/a/wide.png"), 320, 40);
    picture(&setting.path("odd/a/tiny.png"), 4, 4);
    let twelve_bits: Vec<u8> = (0..1600u32)
        .flat_map(|i| ((i * 61 % 4096) as u16).to_be_bytes())
        .collect();
    put(
        &setting,
        "odd/a/ct.png",
        png([40, 40], grey, sixteen, &twelve_bits, &[]),
    );
    let mask: Vec<u8> = (0..1600u16).map(|i| (i / 9 % 3) as u8).collect();
    put(
        &setting,
        "odd/a/mask.png",
        png([40, 40], grey, eight, &mask, &[]),
    );
    let gamma = [(*b"gAMA", 100_000u32.to_be_bytes().to_vec())];
    let colours: Vec<u8> = (0..4800u32).map(|i| (i * 7 / 3) as u8).collect();
    put(
        &setting,
        "odd/a/linear.png",
        png([40, 40], rgb, eight, &colours, &gamma),
    );
    put(&setting, "odd/b/moving.png", file("moving.png"));
    put(&setting, "odd/b/moving.webp", file("moving.webp"));
    put(&setting, "odd/b/cmyk.jpg", file("cmyk.jpg"));
    put(&setting, "odd/b/photo.jpg", b"\0\0\0\x18ftypheic\0\0\0\0");
    put(
        &setting,
        "odd/b/page.png",
        b"<!DOCTYPE html><title>404</title>",
    );
    let all = findings(&setting, "odd", &[]);
    found(&all, "shape", &["1 of 9", "320x40", "a/wide.png"]);
    found(&all, "small", &["4x4", "8.0 times", "a/tiny.png"]);
    found(&all, "16 bits", &["1 of 9", "of which 12", "a/ct.png"]);
    found(&all, "range", &["2 of 9", "a/ct.png", "a/mask.png"]);
    found(
        &all,
        "animated",
        &["2 of 9", "b/moving.png", "b/moving.webp"],
    );
    found(&all, "profile", &["1 of 9", "gamma 1", "a/linear.png"]);
    found(&all, "cmyk", &["1 of 9", "b/cmyk.jpg"]);
    let heic = "b/photo.jpg: neither PNG, JPEG nor WebP but HEIC; convert it";
    let page = "b/page.png: neither PNG, JPEG nor WebP but an HTML page; download it again";
    found(&all, "unreadable", &[heic, page]);
}

/// The small recipe of a folder with two classes.
fn recipe(setting: &Setting, data: &str) {
    let text = fs::read_to_string(setting.path("tiny.toml")).unwrap();
    let text = text.replace("classes = 3", "classes = 2");
    let text = text.replace("dataset = \"idx\"\npath = \"data\"", data);
    fs::write(setting.path("fit.toml"), text).unwrap();
}

/// `data.fit`, in a recipe and for `data pack`, which remembers it.
#[test]
fn pad_keeps_whole_pictures_and_packs_remember_it() {
    let setting = Setting::new();
    for (class, number) in [("a", 1), ("a", 2), ("b", 3), ("b", 4)] {
        let path = setting.path(&format!("wide/{class}/{number}.png"));
        seeded_picture(&path, 64, 32, 30 + number);
    }
    let padded = pack(
        &setting,
        "wide",
        "padded",
        &["--fit", "pad", "--background", "#010203"],
    );
    // 64x32 in 16x16: four rows above and below
    let margin = |image: &[u8], channel: usize| image[channel * 256..][..64].to_vec();
    assert_eq!(margin(&padded[0], 0), [1; 64]);
    assert_eq!(margin(&padded[0], 2), [3; 64]);
    assert_ne!(pack(&setting, "wide", "cropped", &[]), padded);

    let reading = |data: &str| {
        recipe(&setting, data);
        ["data", "bench", "--config", "fit.toml", "--images", "4"]
    };
    let of_pack = |more: &str| format!("dataset = \"packed\"\npath = \"packed\"\n{more}");
    let args = [
        "data",
        "pack",
        "wide",
        "--resolution",
        "32",
        "--out",
        "packed",
        "--fit",
        "pad",
    ];
    setting.ok(&args);
    let parts = [
        "data.fit is \"crop\"",
        "packed with fit \"pad\"",
        "--fit \"crop\"",
    ];
    setting.refused(2, &reading(&of_pack("fit = \"crop\"")), &parts);
    setting.ok(&reading(&of_pack("fit = \"pad\"")));
    let parts = ["data.background is \"#000000\"", "\"#ffffff\""];
    setting.refused(2, &reading(&of_pack("background = \"#000000\"")), &parts);
    let unsaid = setting.run(&reading(&of_pack("")));
    let told = String::from_utf8_lossy(&unsaid.stderr).into_owned();
    assert!(
        unsaid.status.success() && told.contains("packed with fit \"pad\""),
        "{told}"
    );

    // a folder trains the same images as its pack
    let folder = "dataset = \"image-folder\"\npath = \"wide\"\nfit = \"pad\"";
    let losses = |data: &str, out: &str| {
        recipe(&setting, data);
        setting.ok(&[
            "--config",
            "fit.toml",
            "--out",
            out,
            "--steps",
            "1",
            "--set",
            "run.log_every_steps=1",
        ]);
        let log = fs::read_to_string(setting.path(out).join("log.jsonl")).unwrap();
        let line: Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
        line["loss_d"].clone()
    };
    let from_folder = losses(folder, "from-folder");
    assert!(from_folder.is_number());
    assert_eq!(losses(&of_pack(""), "from-pack"), from_folder);
    let cropped = "dataset = \"image-folder\"\npath = \"wide\"";
    assert_ne!(losses(cropped, "from-crop"), from_folder);
}

#[test]
fn values_of_fit_and_background_are_refused_in_one_line() {
    let setting = Setting::new();
    apples_and_pears(&setting);
    let of = |more: &str| {
        recipe(
            &setting,
            &format!("dataset = \"image-folder\"\npath = \"pictures\"\n{more}"),
        );
        ["--config", "fit.toml", "--out", "run", "--dry-run"]
    };
    setting.refused(
        2,
        &of("fit = \"stretch\""),
        &["data.fit", "\"stretch\"", "crop", "pad"],
    );
    setting.refused(
        2,
        &of("background = \"white\""),
        &["data.background", "\"white\"", "#ffffff"],
    );
    let pack = ["data", "pack", "pictures", "--out", "x", "--fit", "stretch"];
    setting.refused(2, &pack, &["stretch", "crop", "pad"]);
    let fixed = [
        "data",
        "bench",
        "--config",
        "tiny.toml",
        "--set",
        "data.fit=pad",
    ];
    setting.refused(2, &fixed, &["data.fit", "idx", "image-folder"]);
}

/// `data pack` takes memory by what it needs: it aborted at 24 pictures of 4,096 pixels in 8 GB.
#[cfg(target_os = "linux")]
#[test]
fn packing_large_pictures_fits_a_limit_of_memory() {
    let setting = Setting::new();
    for number in 0..2 {
        let path = setting.path(&format!("large/{number}/0.png"));
        seeded_picture(&path, 40, 40, 30 + number);
    }
    let command = setting.command(&[
        "data",
        "pack",
        "large",
        "--resolution",
        "2048",
        "--out",
        "out",
    ]);
    let limited = format!("ulimit -v 2000000; exec {:?} \"$@\"", command.get_program());
    let output = std::process::Command::new("bash")
        .args(["-c", &limited, "bash"])
        .args(command.get_args())
        .current_dir(setting.path(""))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let bytes = fs::metadata(setting.path("out/train.pack")).unwrap().len();
    assert!(bytes > 2 * 3 * 2048 * 2048, "{bytes}");
}

/// zoo/gone: skipping must not take a class away.
#[test]
fn a_class_whose_pictures_are_all_broken_is_not_skipped() {
    let setting = Setting::new();
    for number in 0..3 {
        picture(
            &setting.path(&format!("gone/a/{number}.png")),
            40 + number,
            40,
        );
        put(
            &setting,
            &format!("gone/b/{number}.png"),
            "an error page of a server",
        );
    }
    let args = ["data", "pack", "gone", "--out", "out", "--skip-broken"];
    setting.refused(
        1,
        &args,
        &["no picture is left of the class \"b\"", "restore them"],
    );
    assert!(!Path::new(&setting.path("out/train.pack")).exists());
    let lines = (0..3).map(|n| format!("a/{n}.png\ta\nb/{n}.png\tb\n"));
    put(&setting, "labels.tsv", lines.collect::<String>());
    let labelled = [&args[..], &["--labels", "labels.tsv"]].concat();
    setting.refused(1, &labelled, &["no picture is left of the class \"b\""]);
}
