//! `data fetch avatars`: a data set that is drawn.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::support::setting::{Setting, png_size};

/// A small set of two classes in `avatars`.
const SMALL: [&str; 11] = [
    "data",
    "fetch",
    "avatars",
    "--class",
    "thumbs,clay",
    "--per-class",
    "5",
    "--test-per-class",
    "2",
    "--resolution",
    "16",
];

fn into<'a>(args: &[&'a str], out: &'a str) -> Vec<&'a str> {
    [args, &["--out", out]].concat()
}

/// All files below a directory, by their paths in it.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            let below = files(&path).into_iter();
            all.extend(below.map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)));
        } else {
            all.insert(name, std::fs::read(&path).unwrap());
        }
    }
    all
}

#[test]
fn pictures_are_drawn_into_class_folders_the_same_every_time() {
    let setting = Setting::new();
    let output = setting.run(&into(&SMALL, "avatars"));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    for part in ["14 pictures of 2 classes", "DiceBear", "CC0 1.0"] {
        assert!(said.contains(part), "{said:?} lacks {part:?}");
    }
    let drawn = files(&setting.path("avatars"));
    let mut expected = BTreeSet::from(["LICENCE.txt".to_owned()]);
    for class in ["clay", "thumbs"] {
        let of = |part: &str, count| {
            let name = |number| format!("{part}/{class}/{number:05}.png");
            (0..count).map(name).collect::<Vec<_>>()
        };
        expected.extend(of("train", 5));
        expected.extend(of("test", 2));
    }
    assert_eq!(drawn.keys().cloned().collect::<BTreeSet<_>>(), expected);
    let size = png_size(&setting.path("avatars/train/clay/00004.png"));
    assert_eq!(size, (16, 16));

    setting.ok(&into(&SMALL, "again"));
    assert_eq!(files(&setting.path("again")), drawn);
    // a test part does not depend on the number of training pictures
    let mut more = into(&SMALL, "more");
    more[6] = "9";
    setting.ok(&more);
    let more = files(&setting.path("more"));
    for (name, bytes) in &drawn {
        if name != "LICENCE.txt" {
            assert_eq!(more.get(name), Some(bytes), "{name}");
        }
    }
}

#[test]
fn no_picture_is_there_twice() {
    let setting = Setting::new();
    // so many that in each of these classes a seed draws the picture of another
    let mut args = into(&SMALL, "avatars");
    args[4] = "clay,open-peeps";
    args[6] = "300";
    args[8] = "100";
    let output = setting.run(&args);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && said.contains("2 repeats left out"),
        "{said}"
    );
    let pictures = files(&setting.path("avatars"));
    let distinct: BTreeSet<&Vec<u8>> = pictures.values().collect();
    assert_eq!((pictures.len(), distinct.len()), (801, 801));
    let report = setting.ok(&["data", "check", "avatars", "--resolution", "16"]);
    for part in [
        "train: 600 images in 2 classes",
        "test: 200 images in 2 classes",
        "no problems found",
    ] {
        assert!(report.contains(part), "{report}");
    }
}

#[test]
fn the_licence_names_the_versions() {
    let setting = Setting::new();
    setting.ok(&into(&SMALL, "avatars"));
    let licence = std::fs::read_to_string(setting.path("avatars/LICENCE.txt")).unwrap();
    let lock = include_str!("../../Cargo.lock");
    for name in ["dicebear-core", "dicebear-styles", "resvg"] {
        let (_, after) = lock.split_once(&format!("name = \"{name}\"\n")).unwrap();
        let version = after.split('"').nth(1).unwrap();
        let named = format!("{name} {version}");
        assert!(licence.contains(&named), "{licence:?} lacks {named:?}");
    }
    assert!(licence.contains("clay: \"Clay\" (https://www.dicebear.com) by DiceBear"));
}

#[test]
fn a_directory_with_anything_else_is_left_alone() {
    let setting = Setting::new();
    setting.ok(&into(&SMALL, "avatars"));
    let drawn = files(&setting.path("avatars"));
    let output = setting.run(&into(&SMALL, "avatars"));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && said.contains("has them already"),
        "{said}"
    );
    let mut other = into(&SMALL, "avatars");
    other[6] = "6";
    setting.refused(2, &other, &["other pictures", "5 training", "--out"]);
    assert_eq!(files(&setting.path("avatars")), drawn);
    setting.refused(
        2,
        &into(&SMALL, "data"),
        &["data holds other files", "--out"],
    );
    std::fs::create_dir(setting.path("empty")).unwrap();
    setting.ok(&into(&SMALL, "empty"));
    assert_eq!(files(&setting.path("empty")), drawn);
}

#[test]
fn wrong_choices_are_one_line() {
    let setting = Setting::new();
    let with = |at: usize, value| {
        let mut args = into(&SMALL, "avatars");
        args[at] = value;
        args
    };
    setting.refused(2, &with(4, "clay,cley"), &["\"cley\"", "clay, critters"]);
    setting.refused(2, &with(6, "0"), &["--per-class is 0", "1 or more"]);
    setting.refused(2, &with(8, "0"), &["--test-per-class is 0"]);
    for resolution in ["15", "513"] {
        let parts = [resolution, "16 to 512"];
        setting.refused(2, &with(10, resolution), &parts);
    }
    setting.refused(
        2,
        &["data", "fetch", "fashion-mnist", "--per-class", "5"],
        &["--per-class is for avatars", "fashion-mnist"],
    );
    assert!(!setting.path("avatars").exists());
    let help = setting.ok(&["data", "fetch", "--help"]);
    for part in ["open-peeps", "--per-class", "CC0", "configs/avatars64.toml"] {
        assert!(help.contains(part), "{part:?} is not in\n{help}");
    }
}

#[test]
fn recipes_train_on_them() {
    let setting = Setting::new();
    let recipe = std::fs::read_to_string(setting.path("tiny.toml")).unwrap();
    let recipe = recipe.replace(
        "dataset = \"idx\"\npath = \"data\"",
        "dataset = \"avatars\"",
    );
    std::fs::write(setting.path("avatars.toml"), recipe).unwrap();
    let train = ["--config", "avatars.toml", "--out", "run", "--steps", "1"];
    // what is in the user's data directory is found; three classes as the networks
    let mut args = SMALL.to_vec();
    args[4] = "clay,moods,thumbs";
    setting.ok(&args);
    let parts = [
        "16x16",
        "resolution is 32",
        "data fetch avatars --resolution 32",
    ];
    setting.refused(2, &train, &parts);
    std::fs::remove_dir_all(setting.path("data-home")).unwrap();
    args[10] = "32";
    setting.ok(&args);
    setting.ok(&train);
    let report = setting.ok(&["data", "check", "--config", "avatars.toml"]);
    for part in [
        "train: 15 images in 3 classes",
        "5  moods",
        "no problems found",
    ] {
        assert!(report.contains(part), "{report}");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_command_leaves_no_picture() {
    use std::process::Stdio;

    use crate::support::processes::{kill, wait_until};
    let setting = Setting::new();
    let mut endless = into(&SMALL, "avatars");
    endless[6] = "1000000";
    let directory = setting.path("avatars");
    let has_pictures = || {
        let clay = |entry: std::io::Result<std::fs::DirEntry>| {
            let written = entry.unwrap().path().join("train/clay");
            std::fs::read_dir(written).is_ok_and(|pictures| pictures.count() > 0)
        };
        std::fs::read_dir(&directory).is_ok_and(|mut entries| entries.any(clay))
    };
    let start = || {
        let child = setting
            .command(&endless)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        wait_until("a picture", has_pictures);
        child
    };
    let entries = || std::fs::read_dir(&directory).unwrap().count();

    let child = start();
    kill("INT", child.id());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("no picture is kept"), "{said}");
    assert_eq!(entries(), 0);

    // what a killed one leaves is hidden, and the next one removes it
    let mut child = start();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(entries(), 1);
    setting.ok(&into(&SMALL, "avatars"));
    assert_eq!(entries(), 3);
}
