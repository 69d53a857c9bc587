//! Directories of pictures as people have them: what is read, passed over, found by `data check` and refused by
//! training.

use std::process::Output;

use native_train::dataset::parts::Layout;
use native_train::dataset::{Split, class_folders};
use serde_json::Value;

use crate::support::fixtures::root;
use crate::support::pictures::{apples_and_pears, seeded_picture};
use crate::support::setting::{Setting, refusal, stderr};

/// Writes pictures of their own at paths.
fn pictures(setting: &Setting, paths: &[&str]) {
    for (number, path) in (0u32..).zip(paths) {
        let seed = 1 + path.bytes().map(u32::from).sum::<u32>() + 97 * number;
        seeded_picture(&setting.path(path), 40 + number, 40, seed);
    }
}

/// Classes `a` and `b` with two pictures each in parts of `pictures`.
fn parts(setting: &Setting, parts: &[&str]) {
    for part in parts {
        let paths = ["a/0.png", "a/1.png", "b/0.png", "b/1.png"];
        let paths = paths.map(|path| format!("pictures/{part}/{path}"));
        pictures(setting, &paths.each_ref().map(String::as_str));
    }
}

/// Settings of a recipe for a data set.
fn sets(dataset: &str, path: &str, classes: usize) -> Vec<String> {
    [
        format!("data.dataset='{dataset}'"),
        format!("data.path='{path}'"),
        format!("train.generator.classes={classes}"),
        format!("train.discriminator.classes={classes}"),
    ]
    .into_iter()
    .flat_map(|set| ["--set".to_owned(), set])
    .collect()
}

fn with<'a>(args: &[&'a str], sets: &'a [String]) -> Vec<&'a str> {
    args.iter()
        .copied()
        .chain(sets.iter().map(String::as_str))
        .collect()
}

fn train(setting: &Setting, sets: &[String]) -> Output {
    setting.run(&with(
        &["--config", "tiny.toml", "--out", "run", "--steps", "1"],
        sets,
    ))
}

/// Findings of `data check`, as "severity: kind: message".
fn findings(setting: &Setting, args: &[&str]) -> (Vec<String>, Option<i32>) {
    let output = setting.run(&[&["data", "check", "--json"], args].concat());
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", stderr(&output)));
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let findings = report["findings"].as_array().unwrap().iter();
    let lines = findings.map(|f| {
        let [severity, kind, message] = ["severity", "kind", "message"].map(|key| text(f, key));
        format!("{severity}: {kind}: {message}")
    });
    (lines.collect(), output.status.code())
}

fn has(lines: &[String], parts: &[&str]) -> bool {
    lines
        .iter()
        .any(|line| parts.iter().all(|part| line.contains(part)))
}

/// Checks that `data check` has a fault in words with which training refuses.
fn fault_and_refusal(setting: &Setting, sets: &[String], code: i32, parts: &[&str]) {
    let (lines, rc) = findings(setting, &with(&["--config", "tiny.toml"], sets));
    assert_eq!(rc, Some(1), "{lines:?}");
    let fault = [&["fault: "], parts].concat();
    assert!(has(&lines, &fault), "{lines:?} lacks {parts:?}");
    refusal(&train(setting, sets), code, parts);
}

/// What a file of a kind begins with.
fn content(kind: &str) -> &'static [u8] {
    match kind {
        "png" => b"\x89PNG\r\n\x1a\n",
        "jpeg" | "jpg" => b"\xff\xd8\xff",
        "webp" => b"RIFF\0\0\0\0WEBP",
        "gif" => b"GIF89a",
        "bmp" => b"BM\x36\0\0\0\0\0\0\0\x36\0",
        "tiff" => b"II*\0",
        "heic" => b"\0\0\0\x18ftypheic",
        "empty" => b"",
        _ => b"no picture at all",
    }
}

/// The cases that the browser reads too (www/tests/train-layouts.test.mjs).
#[test]
fn layouts_are_those_of_the_browser() {
    let cases = root().join("tests/fixtures/layouts/cases.json");
    let cases: Value = serde_json::from_slice(&std::fs::read(cases).unwrap()).unwrap();
    let texts = |case: &Value, key: &str| -> Vec<String> {
        let list = case[key].as_array().cloned().unwrap_or_default();
        list.iter()
            .map(|text| text.as_str().unwrap().to_owned())
            .collect()
    };
    for case in cases.as_array().unwrap() {
        let directory = tempfile::tempdir().unwrap();
        for file in texts(case, "files") {
            let path = directory.path().join(&file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let ending = file.rsplit('.').next().unwrap().to_ascii_lowercase();
            let kind = case["kinds"][&file].as_str().unwrap_or(&ending);
            std::fs::write(path, content(kind)).unwrap();
        }
        let listed = Layout::find(directory.path()).and_then(|layout| {
            let (classes, mut passed) = class_folders::list(layout.part(Split::Train)?)?;
            passed.absorb(layout.passed.clone());
            Ok((classes, passed.line(directory.path()).unwrap_or_default()))
        });
        let about = &case["about"];
        match listed {
            Ok((classes, passed)) => {
                let found = classes
                    .iter()
                    .map(|c| (c.name.clone(), c.files.len().into()));
                let found = Value::Object(found.collect());
                assert_eq!(found, case["classes"], "{about}");
                for part in texts(case, "passed") {
                    assert!(passed.contains(&part), "{about}: {passed} lacks {part}");
                }
            }
            Err(error) => {
                let refused = texts(case, "refused");
                assert!(!refused.is_empty(), "{about}: {error:#}");
                for part in refused {
                    let text = format!("{error:#}");
                    assert!(text.contains(&part), "{about}: {text} lacks {part}");
                }
            }
        }
    }
}

#[test]
fn what_is_passed_over_is_counted_and_named() {
    let setting = Setting::new();
    pictures(
        &setting,
        &[
            "pictures/cats/0.png",
            "pictures/cats/1.PNG",
            "pictures/dogs/0.png",
            "pictures/dogs/1.png",
            "pictures/cats/2019/0.png",
            "pictures/cats/2019/more/1.png",
            "pictures/dogs/2019/2.png",
            "pictures/__MACOSX/cats/0.png",
        ],
    );
    let path = |name: &str| setting.path("pictures").join(name);
    // pictures by their first bytes
    for (number, name) in (0u32..).zip(["cats/7.jfif", "cats/8.png_large", "cats/9"]) {
        seeded_picture(&path("x.png"), 61 + number, 40, 1000 + number);
        std::fs::rename(path("x.png"), path(name)).unwrap();
    }
    for (name, bytes) in [
        ("cats/4.bmp", &b"BM\x36\x30\0\0\0\0\0\0\x36\0"[..]),
        ("cats/5.gif", b"GIF89a\x40\0\x40\0\0\0"),
        ("cats/10.heic", b"\0\0\0\x18ftypheic\0\0\0\0"),
        ("dogs/notes.txt", b"of 2019"),
        ("dogs/empty", b""),
        ("dogs/.DS_Store", b"\0\0\0\x01Bud1"),
        ("dogs/Thumbs.db", b"\xd0\xcf\x11\xe0"),
        ("dogs/~$list.docx", b"lock"),
        ("README", b"about"),
    ] {
        std::fs::write(path(name), bytes).unwrap();
    }
    let expected = [
        "3 pictures of kinds that are not read (BMP, GIF, HEIC; e.g. cats/10.heic)",
        "3 pictures in folders below class folders (e.g. cats/2019/0.png)",
        "1 empty file (dogs/empty)",
        "2 files that are no pictures (e.g. README)",
        "4 hidden files (e.g. __MACOSX)",
    ];
    let (lines, code) = findings(&setting, &["pictures"]);
    assert_eq!(code, Some(0), "{lines:?}");
    for (words, severity) in expected
        .iter()
        .zip(["warning", "warning", "note", "note", "note"])
    {
        assert!(
            has(&lines, &[&format!("{severity}: passed over: {words}")]),
            "{lines:?}: {words}"
        );
    }
    let report = setting.ok(&["data", "check", "pictures"]);
    assert!(report.contains("train: 7 images in 2 classes"), "{report}");
    let line = format!("pictures: passed over: {}", expected.join(", "));
    let pack = [
        "data",
        "pack",
        "pictures",
        "--resolution",
        "8",
        "--out",
        "packed",
    ];
    let output = setting.run(&pack);
    assert!(stderr(&output).contains(&line), "{}", stderr(&output));
    let output = train(&setting, &sets("image-folder", "pictures", 2));
    let text = stderr(&output);
    assert!(output.status.success() && text.contains(&line), "{text}");
    assert!(text.contains("7 images of pictures"), "{text}");
}

#[test]
fn parts_are_read_in_all_spellings() {
    for (train_part, test_part) in [
        ("train", "valid"),
        ("Train", "Test"),
        ("TRAINING", "Validation"),
        ("training", "eval"),
        ("train", "dev"),
        ("Training", "TESTING"),
    ] {
        let setting = Setting::new();
        parts(&setting, &[train_part, test_part]);
        let report = setting.ok(&["data", "check", "pictures"]);
        assert!(
            report.contains("train: 4 images in 2 classes")
                && report.contains("test: 4 images in 2 classes")
                && report.contains(&format!("note: parts: the test part is {test_part}")),
            "{report}"
        );
    }
    let setting = Setting::new();
    parts(
        &setting,
        &["archive/set/train", "archive/set/val", "archive/set/test"],
    );
    std::fs::write(setting.path("pictures/archive/set/words.txt"), "a b").unwrap();
    std::fs::create_dir(setting.path("pictures/archive/set/boxes")).unwrap();
    let output = train(&setting, &sets("image-folder", "pictures", 2));
    let text = stderr(&output);
    assert!(output.status.success(), "{text}");
    assert!(
        text.contains(
            "pictures: the parts are in archive/set; passed over: 1 other test part (archive/set/val), \
             1 file that is no picture (archive/set/words.txt), 1 folder without pictures (archive/set/boxes)"
        ),
        "{text}"
    );
    // which one is meant is not guessed
    parts(&setting, &["archive/set/Training"]);
    let (lines, code) = findings(&setting, &["pictures"]);
    assert!(
        code == Some(1) && has(&lines, &["fault: layout", "are the same part"]),
        "{lines:?}"
    );
}

#[test]
fn a_class_may_be_called_like_a_part() {
    let setting = Setting::new();
    pictures(
        &setting,
        &[
            "pictures/bus/0.png",
            "pictures/plane/0.png",
            "pictures/train/0.png",
        ],
    );
    let report = setting.ok(&["data", "check", "pictures"]);
    assert!(report.contains("train: 3 images in 3 classes"), "{report}");
}

#[test]
fn a_test_part_with_a_fault_is_named_and_refused() {
    let setting = Setting::new();
    parts(&setting, &["train", "test"]);
    pictures(&setting, &["pictures/test/loose.png"]);
    fault_and_refusal(
        &setting,
        &sets("image-folder", "pictures", 2),
        1,
        &["test/loose.png", "not in a class folder"],
    );
    let pack = [
        "data",
        "pack",
        "pictures",
        "--resolution",
        "8",
        "--out",
        "packed",
    ];
    setting.refused(1, &pack, &["test/loose.png"]);
    assert!(!setting.path("packed").exists(), "nothing was begun");
}

#[test]
fn a_test_part_without_classes_is_named_and_not_used() {
    let setting = Setting::new();
    parts(&setting, &["train"]);
    pictures(&setting, &["pictures/val/0.png", "pictures/val/1.png"]);
    let said = "val is not used: it has pictures, but no class folders";
    let (lines, code) = findings(&setting, &["pictures"]);
    assert!(
        code == Some(0) && has(&lines, &["warning: parts", said]),
        "{lines:?}"
    );
    let output = train(&setting, &sets("image-folder", "pictures", 2));
    let text = stderr(&output);
    assert!(output.status.success() && text.contains(said), "{text}");
}

#[test]
fn a_test_part_of_other_classes_is_a_fault() {
    let setting = Setting::new();
    parts(&setting, &["train", "test"]);
    std::fs::rename(
        setting.path("pictures/test/a"),
        setting.path("pictures/test/c"),
    )
    .unwrap();
    let words = [
        "list of classes of pictures/test is",
        "only the test part has \"c\", only the training part has \"a\"",
    ];
    let folder = sets("image-folder", "pictures", 2);
    fault_and_refusal(&setting, &folder, 1, &words);
    let classifier = [
        "classifier",
        "--dataset",
        "image-folder",
        "--data",
        "pictures",
        "--classes",
        "2",
        "--out",
        "c",
    ];
    setting.refused(1, &classifier, &words);
    let pack = [
        "data",
        "pack",
        "pictures",
        "--resolution",
        "32",
        "--out",
        "packed",
    ];
    setting.refused(1, &pack, &words);

    // two packs that do not belong together
    std::fs::rename(setting.path("pictures/test"), setting.path("other")).unwrap();
    setting.ok(&pack);
    setting.ok(&[
        "data",
        "pack",
        "other",
        "--resolution",
        "32",
        "--out",
        "packed-other",
    ]);
    let from = setting.path("packed-other/train.pack");
    std::fs::copy(&from, setting.path("packed/test.pack")).unwrap();
    let packed = sets("packed", "packed", 2);
    fault_and_refusal(
        &setting,
        &packed,
        1,
        &["list of classes of packed/test.pack is", "has \"c\""],
    );
}

#[test]
fn another_number_of_classes_is_a_fault() {
    let setting = Setting::new();
    let paths: Vec<String> = (1..=12)
        .map(|class| format!("pictures/{class}/0.png"))
        .collect();
    pictures(
        &setting,
        &paths.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    let words = [
        "train.generator.classes is 10, expected that of pictures: 12 class folders, \"1\" to \"9\"",
    ];
    fault_and_refusal(&setting, &sets("image-folder", "pictures", 10), 2, &words);
    setting.ok(&[
        "data",
        "pack",
        "pictures",
        "--resolution",
        "32",
        "--out",
        "packed",
    ]);
    let words = [
        "train.generator.classes is 10",
        "12 classes, \"1\" to \"9\"",
    ];
    fault_and_refusal(&setting, &sets("packed", "packed", 10), 2, &words);
    let names = ["--set", "data.class_names=['x', 'y']"].map(str::to_owned);
    let sets = [sets("packed", "packed", 12), names.to_vec()].concat();
    let words = ["data.class_names is a list of 2 names, expected 12 names"];
    fault_and_refusal(&setting, &sets, 2, &words);
}

#[test]
fn images_of_another_resolution_are_never_padded_in_silence() {
    let setting = Setting::new();
    apples_and_pears(&setting);
    for (side, words) in [
        ("16", "the size of the images of packed-16, 16x16"),
        ("64", "the size of the images of packed-64, 64x64"),
    ] {
        let out = format!("packed-{side}");
        setting.ok(&[
            "data",
            "pack",
            "pictures",
            "--resolution",
            side,
            "--out",
            &out,
        ]);
        let words = ["train.generator.resolution is 32", words];
        fault_and_refusal(&setting, &sets("packed", &out, 2), 2, &words);
    }
    setting.write_idx("train-images-idx3-ubyte", &[6, 8, 8], &[7; 6 * 64]);
    setting.write_idx("train-labels-idx1-ubyte", &[6], &[0, 1, 2, 0, 1, 2]);
    let words = ["train.generator.resolution is 32", "of data, 8x8"];
    fault_and_refusal(&setting, &sets("idx", "data", 3), 2, &words);
}

#[test]
fn idx_files_with_an_empty_class_or_labels_beyond_are_a_fault() {
    let setting = Setting::new();
    let words = ["class \"3\" is without an image"];
    fault_and_refusal(&setting, &sets("idx", "data", 4), 1, &words);
    let words = ["label 2 of image 2 is out of range, expected one of 2 classes, 0 to 1"];
    fault_and_refusal(&setting, &sets("idx", "data", 2), 1, &words);
    // a test part of another size, or half of one
    setting.write_idx("t10k-images-idx3-ubyte", &[3, 20, 20], &[7; 1200]);
    let words = ["t10k-labels-idx1-ubyte is missing"];
    fault_and_refusal(&setting, &sets("idx", "data", 3), 1, &words);
    setting.write_idx("t10k-labels-idx1-ubyte", &[3], &[0, 1, 2]);
    let words = ["1 channels and 20x20 pixels", "1 channels and 28x28 pixels"];
    fault_and_refusal(&setting, &sets("idx", "data", 3), 1, &words);
}

#[test]
fn the_test_part_of_an_earlier_pack_is_removed() {
    let setting = Setting::new();
    parts(&setting, &["train", "test"]);
    let pack = [
        "data",
        "pack",
        "pictures",
        "--resolution",
        "8",
        "--out",
        "packed",
    ];
    setting.ok(&pack);
    let test = setting.path("packed/test.pack");
    assert!(test.exists());
    // a pack that fails leaves both as they were
    let before =
        ["train.pack", "test.pack"].map(|f| std::fs::read(setting.path("packed").join(f)).unwrap());
    std::fs::write(setting.path("pictures/test/b/2.png"), b"no picture").unwrap();
    setting.refused(1, &pack, &["test/b/2.png"]);
    let after =
        ["train.pack", "test.pack"].map(|f| std::fs::read(setting.path("packed").join(f)).unwrap());
    assert!(before == after, "half of a pack was replaced");
    std::fs::remove_dir_all(setting.path("pictures/test")).unwrap();
    let said = setting.ok(&pack);
    assert!(
        said.contains("packed/test.pack: removed") && !test.exists(),
        "{said}"
    );
    // what is no pack is not ours to remove
    std::fs::write(&test, b"mine").unwrap();
    setting.refused(1, &pack, &["packed/test.pack"]);
    assert_eq!(std::fs::read(&test).unwrap(), b"mine");
}

#[test]
fn one_class_is_a_note() {
    let setting = Setting::new();
    pictures(&setting, &["pictures/cat/0.png", "pictures/cat/1.png"]);
    let (lines, code) = findings(&setting, &["pictures"]);
    assert!(
        code == Some(0) && has(&lines, &["note: one class"]),
        "{lines:?}"
    );
    let output = train(&setting, &sets("image-folder", "pictures", 1));
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn a_class_that_skipping_takes_away_is_refused() {
    let setting = Setting::new();
    apples_and_pears(&setting);
    for number in 0..3 {
        let path = format!("pictures/pear/{number}.png");
        std::fs::write(setting.path(&path), b"an error page of a server").unwrap();
    }
    let words = ["no picture is left of the class \"pear\""];
    let pack = [
        "data",
        "pack",
        "pictures",
        "--resolution",
        "8",
        "--out",
        "packed",
        "--skip-broken",
    ];
    setting.refused(1, &pack, &words);
    let list = "file\tlabel\n./apple/0.png\tapple\n./pear/0.png\tpear\n";
    std::fs::write(setting.path("list.tsv"), list).unwrap();
    setting.refused(1, &[&pack[..], &["--labels", "list.tsv"]].concat(), &words);
    let skip = ["--set", "data.skip_broken=true"].map(str::to_owned);
    let sets = [sets("image-folder", "pictures", 2), skip.to_vec()].concat();
    let (lines, code) = findings(&setting, &with(&["--config", "tiny.toml"], &sets));
    assert!(
        code == Some(1)
            && has(
                &lines,
                &["fault: no image", "class \"pear\" is without an image"]
            ),
        "{lines:?}"
    );
}

#[test]
fn a_list_with_a_header_has_no_class_called_label() {
    let setting = Setting::new();
    apples_and_pears(&setting);
    let list =
        "\u{feff}file\tlabel\r\n# the first two\r\n./apple/0.png\tapple\r\npear\\1.png\tpear\r\n";
    std::fs::write(setting.path("list.tsv"), list).unwrap();
    let pack = [
        "data",
        "pack",
        "pictures",
        "--labels",
        "list.tsv",
        "--resolution",
        "8",
        "--out",
        "packed",
    ];
    let output = setting.run(&pack);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        said.contains("2 images of 2 classes"),
        "{said}{}",
        stderr(&output)
    );
    let text = stderr(&output);
    assert!(
        text.contains("pictures: passed over: 4 pictures that are not listed (e.g. apple/1.png)"),
        "{text}"
    );
}

#[test]
fn a_part_of_each_class_is_packed_from_a_folder_too() {
    let setting = Setting::new();
    apples_and_pears(&setting);
    let pack = [
        "data",
        "pack",
        "pictures",
        "--resolution",
        "8",
        "--out",
        "packed",
    ];
    let some = [&pack[..], &["--per-class", "1", "--pixel-step", "4"]].concat();
    let said = setting.ok(&some);
    assert!(said.contains("2 images of 2 classes"), "{said}");
    let set = native_train::dataset::packed::open(&setting.path("packed/train.pack")).unwrap();
    assert!(
        set.read(&[0, 1])
            .unwrap()
            .concat()
            .iter()
            .all(|&p| p % 4 == 0 || p == 255)
    );
    let none = [&pack[..], &["--per-class", "0"]].concat();
    setting.refused(2, &none, &["--per-class is 0"]);
}

#[test]
fn options_that_would_be_ignored_are_refused() {
    let setting = Setting::new();
    apples_and_pears(&setting);
    let refused = |args: &[&str], part: &str| {
        let output = setting.run(args);
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {text}");
        assert!(text.contains(part), "{args:?}: {text}");
    };
    let recipe = ["data", "pack", "--config", "tiny.toml", "--out", "packed"];
    for option in [
        &["--skip-broken"][..],
        &["--resolution", "16"],
        &["--labels", "l.tsv"],
    ] {
        refused(&[&recipe[..], option].concat(), option[0]);
    }
    let set = ["--set", "train.seed=2"];
    refused(
        &[&["data", "check", "pictures"], &set[..]].concat(),
        "--set",
    );
    refused(
        &[&["data", "pack", "pictures", "--out", "p"], &set[..]].concat(),
        "--set",
    );
    refused(
        &[
            "data",
            "check",
            "--config",
            "tiny.toml",
            "--resolution",
            "16",
        ],
        "--resolution",
    );
    refused(&[&["inspect", "data"], &set[..]].concat(), "--set");
    refused(&["--config", "tiny.toml", "--step-timeout", "5"], "--comm");
    let import = [
        "import",
        "--from",
        "hf-deep",
        "w",
        "--out",
        "o",
        "--training",
    ];
    refused(&[&import[..], &["--dtype", "f32"]].concat(), "--dtype");
    refused(
        &["table1", "--out", "t", "--table-only", "--jobs", "2"],
        "--jobs",
    );
}

#[test]
fn a_directory_of_another_data_set_is_named() {
    let setting = Setting::new();
    apples_and_pears(&setting);
    setting.ok(&[
        "data",
        "pack",
        "pictures",
        "--resolution",
        "8",
        "--out",
        "packed",
    ]);
    let (lines, code) = findings(&setting, &["packed"]);
    assert!(
        code == Some(1) && has(&lines, &["no class folder", "\"packed\""]),
        "{lines:?}"
    );
}

#[cfg(unix)]
#[test]
fn links_and_loops_are_not_followed_into_class_folders() {
    use std::os::unix::fs::symlink;
    let setting = Setting::new();
    apples_and_pears(&setting);
    symlink("..", setting.path("pictures/pear/up")).unwrap();
    symlink("pear", setting.path("pictures/quince")).unwrap();
    let (lines, code) = findings(&setting, &["pictures"]);
    assert_eq!(code, Some(0), "{lines:?}");
    assert!(has(&lines, &["passed over", "pear/up"]), "{lines:?}");
    let twice = "3 pictures are in two classes";
    assert!(
        has(&lines, &["two classes", twice]),
        "a link to a folder is a class: {lines:?}"
    );
}
