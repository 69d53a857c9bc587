//! `native-train data check`: what ruins a training is found before it.

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::pictures::{apples_and_pears, picture};
use crate::support::setting::Setting;

#[test]
fn check_finds_what_ruins_a_training() {
    let setting = Setting::new();
    apples_and_pears(&setting);
    let check = ["data", "check", "pictures"];
    let clean = setting.ok(&check);
    assert!(
        clean.contains("6 images in 2 classes") && clean.contains("no problems found"),
        "{clean}"
    );
    setting.ok(&["data", "check", "--config", "tiny.toml"]);
    let path = |name: &str| setting.path("pictures").join(name);
    std::fs::copy(path("apple/0.png"), path("pear/again.jpg")).unwrap();
    std::fs::write(path("pear/broken.png"), b"no picture").unwrap();
    let output = setting.run(&[&check[..], &["--json"]].concat());
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let kinds: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["unreadable", "two classes", "misnamed"]);
    assert_eq!(report["classes"]["train"]["apple"], 3);
    std::fs::create_dir(setting.path("deep")).unwrap();
    std::fs::rename(setting.path("pictures"), setting.path("deep/pictures")).unwrap();
    let output = setting.run(&["data", "check", "deep"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.contains("FAULT: layout") && text.contains("one folder too deep"),
        "{text}"
    );
    setting.refused(
        1,
        &["data", "check", "nowhere"],
        &["nowhere", "No such file"],
    );
}

/// A PNG file of a few bytes whose header says 100,000 x 100,000 pixels.
fn bomb(path: &Path) {
    picture(path, 1, 1);
    let mut bytes = std::fs::read(path).unwrap();
    let side = 100_000u32.to_be_bytes();
    bytes[16..24].copy_from_slice(&[side, side].concat());
    let crc = crc32fast::hash(&bytes[12..29]).to_be_bytes();
    bytes[29..33].copy_from_slice(&crc);
    std::fs::write(path, bytes).unwrap();
}

/// Kinds of the findings about a directory, and the exit code.
fn kinds(setting: &Setting, directory: &str) -> (BTreeSet<String>, Option<i32>) {
    let output = setting.run(&["data", "check", directory, "--resolution", "32", "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    let kinds = findings.map(|finding| finding["kind"].as_str().unwrap().to_owned());
    (kinds.collect(), output.status.code())
}

#[test]
fn faults_of_all_kinds_are_found_at_once() {
    let setting = Setting::new();
    let path = |name: String| setting.path("pictures").join(name);
    for number in 0..23 {
        picture(&path(format!("train/apple/{number}.png")), 40 + number, 40);
    }
    picture(&path("train/pear/0.png".into()), 90, 40);
    picture(&path("train/pear/small.png".into()), 31, 90);
    picture(&path("test/apple/0.png".into()), 42, 40); // that of the training part
    picture(&path("test/pear/0.png".into()), 95, 40);
    bomb(&path("train/apple/bomb.png".into()));
    #[cfg(unix)]
    std::os::unix::fs::symlink("loop.jpg", path("train/apple/loop.jpg".into())).unwrap();
    let expected = ["shape", "small", "test in train", "uneven", "unreadable"].map(str::to_owned);
    let (found, code) = kinds(&setting, "pictures");
    assert_eq!((found, code), (BTreeSet::from(expected), Some(1)));
    let output = setting.run(&["data", "check", "pictures"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.contains("bomb.png: its header says 100000x100000 pixels"),
        "{text}"
    );
    #[cfg(unix)]
    assert!(text.contains("loop.jpg: "), "{text}");
    assert!(
        text.contains("\"apple\" has 23 pictures") && text.contains("\"pear\" only 2"),
        "{text}"
    );
    // the part itself, one class alone, and a class folder given for the directory of classes
    let expected = ["shape", "small", "uneven", "unreadable"].map(str::to_owned);
    assert_eq!(
        kinds(&setting, "pictures/train").0,
        BTreeSet::from(expected)
    );
    std::fs::remove_dir_all(path("train/apple".into())).unwrap();
    let expected = ["one class", "shape", "small"].map(str::to_owned);
    let (found, code) = kinds(&setting, "pictures/train");
    assert_eq!((found, code), (BTreeSet::from(expected), Some(0)));
    let (found, code) = kinds(&setting, "pictures/train/pear");
    assert_eq!(
        (found, code),
        (BTreeSet::from(["layout".to_owned()]), Some(1))
    );
}

#[test]
fn a_bomb_is_refused_by_trainings_from_memory_and_from_files() {
    let setting = Setting::new();
    apples_and_pears(&setting);
    bomb(&setting.path("pictures/pear/bomb.png"));
    let mut args = vec!["--config", "tiny.toml", "--out", "run", "--steps", "2"];
    for set in [
        "data.dataset=image-folder",
        "data.path='pictures'",
        "train.generator.classes=2",
        "train.discriminator.classes=2",
    ] {
        args.extend(["--set", set]);
    }
    let parts = ["bomb.png: ", "100000x100000 pixels", "data.skip_broken"];
    for memory in ["data.memory=1MiB", "data.memory=1"] {
        let args = [&args[..], &["--set", memory]].concat();
        setting.refused(1, &args, &parts);
        let skip = ["--set", "data.skip_broken=true", "--out", memory];
        let skip: Vec<&str> = args.iter().copied().chain(skip).collect();
        let skip: Vec<&str> = skip[..2].iter().chain(&skip[4..]).copied().collect();
        setting.ok(&skip);
    }
}
