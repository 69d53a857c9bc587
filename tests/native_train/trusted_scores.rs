//! Scores that can be trusted: own folders of any resolution, classifiers of other classes, broken models, small counts.

use biggan::file::{Dtype, ModelFile};
use native_train::records::score_record::ScoreRecord;
use native_train::run::checkpoint::Checkpoint;

use crate::support::models::{CLASSIFIER, with_test_images};
use crate::support::pictures::seeded_picture;
use crate::support::setting::Setting;

/// The tiny recipe on `pictures` of 16 px.
const AT_16: [&str; 14] = [
    "--set",
    "data.dataset=image-folder",
    "--set",
    "data.path=pictures",
    "--set",
    "train.generator.resolution=16",
    "--set",
    "train.discriminator.resolution=16",
    "--set",
    "train.generator.z_dim=9",
    "--set",
    "train.generator.classes=2",
    "--set",
    "train.discriminator.classes=2",
];

/// Six pictures of each class in a folder, wider than high.
fn write_classes(setting: &Setting, folder: &str, classes: [&str; 2]) {
    for (class, kind) in classes.into_iter().zip([11, 90]) {
        for number in 0..6 {
            let path = setting.path(&format!("{folder}/{class}/{number}.png"));
            seeded_picture(&path, 20, 16, kind + number);
        }
    }
}

/// The classifier `OUT` of a folder at 16 px.
fn classifier(setting: &Setting, folder: &str, out: &str) -> String {
    let args = ["classifier", "--dataset", "image-folder", "--data", folder];
    let more = ["--resolution", "16", "--epochs", "1", "--out", out];
    setting.ok(&[&args[..], &more].concat())
}

/// A model of own pictures, its run and its classifier.
fn own_pictures() -> Setting {
    let setting = Setting::new();
    write_classes(&setting, "pictures", ["apple", "pear"]);
    let said = classifier(&setting, "pictures", "c16.safetensors");
    assert!(said.contains("2 real images that were held out"), "{said}");
    setting.train("run", 8, &AT_16);
    let out = ["--out", "model.safetensors", "--passes", "2"];
    setting.ok(&[&["export", "run"], &out[..]].concat());
    setting
}

const EVALUATE: [&str; 8] = [
    "evaluate",
    "model.safetensors",
    "--count",
    "30",
    "--recognised",
    "20",
    "--classifier",
    "c16.safetensors",
];

#[test]
fn a_score_of_own_pictures_at_another_resolution() {
    let setting = own_pictures();
    // the model remembers what it was trained on
    let remembered = [
        "\"pictures\", 12 images",
        "image-folder, 16x16",
        "--data DIR",
    ];
    setting.refused(2, &EVALUATE, &remembered);
    let said = setting.ok(&[&EVALUATE[..], &["--data", "pictures"]].concat());
    for part in [
        "recognised by c16: n=20, 16x16",
        "spread within a class / real, c16: n=20, ref=12 by class of pictures train n=12",
        "FD-c16: n=30, ref=pictures train n=12",
    ] {
        assert!(said.contains(part), "{said} lacks {part}");
    }
    let named = ["--dataset", "image-folder", "--data", "pictures"];
    assert_eq!(said, setting.ok(&[&EVALUATE[..], &named].concat()));
    // pictures that became squares in another way are other images
    let fitted = |fit| [&EVALUATE[..], &["--data", "pictures", "--fit", fit]].concat();
    assert_eq!(said, setting.ok(&fitted("crop")));
    setting.refused(
        1,
        &fitted("pad"),
        &["is another than the model was trained on"],
    );
    let inside = setting.ok(&["inspect", "model.safetensors"]);
    assert!(inside.contains("image-folder, 16x16"), "{inside}");
    // and while training
    let score = [
        "--set",
        "run.score.every_images=32",
        "--set",
        "run.score.classifier=c16.safetensors",
        "--set",
        "run.score.samples=20",
    ];
    setting.train("scored", 8, &[&AT_16[..], &score].concat());
    let text = std::fs::read_to_string(setting.path("scored/scores.jsonl")).unwrap();
    let scores: Vec<ScoreRecord> = text
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(scores.len(), 2);
    assert!(
        scores.iter().all(|score| score.frechet.is_finite()),
        "{text}"
    );
}

#[test]
fn a_classifier_of_other_classes_of_the_same_number_is_refused() {
    let setting = own_pictures();
    write_classes(&setting, "others", ["pear", "quince"]);
    classifier(&setting, "others", "other.safetensors");
    let mut args = EVALUATE.to_vec();
    args[7] = "other.safetensors";
    let both = [
        "other classes",
        "\"pear\"",
        "\"apple\"",
        "pear, quince",
        "apple, pear",
    ];
    setting.refused(1, &[&args[..], &["--data", "pictures"]].concat(), &both);
    let score = [
        "--set",
        "run.score.every_images=32",
        "--set",
        "run.score.classifier=other.safetensors",
    ];
    let train = ["--config", "tiny.toml", "--out", "scored"];
    setting.refused(1, &[&train[..], &AT_16, &score].concat(), &both);
    // of another resolution
    let mut args = vec![
        "classifier",
        "--dataset",
        "image-folder",
        "--data",
        "pictures",
    ];
    args.extend([
        "--resolution",
        "24",
        "--epochs",
        "1",
        "--out",
        "c16.safetensors",
    ]);
    setting.ok(&args);
    let sizes = ["16x16 images of 2", "24x24 of 2", "--resolution 16"];
    setting.refused(
        1,
        &[&EVALUATE[..], &["--data", "pictures"]].concat(),
        &sizes,
    );
    args[6] = "21";
    setting.refused(2, &args, &["--resolution is 21", "multiple of 8"]);
}

/// The tiny classifier's scores of `model.safetensors`.
fn tiny<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec![
        "evaluate",
        "model.safetensors",
        "--classifier",
        "tiny.safetensors",
    ];
    args.extend(["--dataset", "idx", "--data", "data", "--neighbours", "2"]);
    args.extend(more);
    args
}

#[test]
fn a_model_with_a_nan_weight_is_broken_in_every_command() {
    let setting = with_test_images();
    setting.ok(&CLASSIFIER);
    let path = setting.path("model.safetensors");
    let mut file = ModelFile::decode(&std::fs::read(&path).unwrap()).unwrap();
    let (_, weight) = file
        .tensors
        .0
        .iter_mut()
        .find(|(name, _)| name.contains("blocks"))
        .unwrap();
    weight.values[0] = f32::NAN;
    std::fs::write(&path, file.encode(Dtype::F32).unwrap()).unwrap();
    let broken = ["NaN", "this one is broken"];
    setting.refused(1, &tiny(&["--count", "4"]), &broken);
    let model = "model.safetensors";
    setting.refused(
        1,
        &["sample", model, "--class", "all", "--out", "x.png"],
        &broken,
    );
    setting.refused(
        1,
        &["sample", model, "--class", "all", "--raw", "x.st"],
        &broken,
    );
    setting.refused(
        1,
        &["sheet", model, "--kind", "by-class", "--out", "x.png"],
        &broken,
    );
    setting.refused(
        1,
        &[
            "standing-stats",
            model,
            "--passes",
            "1",
            "--out",
            "y.safetensors",
        ],
        &broken,
    );
    // nor is one exported
    let path = setting.newest_checkpoint("run");
    let mut checkpoint = Checkpoint::decode(&std::fs::read(&path).unwrap()).unwrap();
    for (name, tensor) in &mut checkpoint.tensors.0 {
        if name.contains("blocks") {
            tensor.values[0] = f32::NAN;
        }
    }
    std::fs::write(&path, checkpoint.encode().unwrap()).unwrap();
    setting.refused(
        1,
        &["export", "run", "--out", "y.safetensors", "--passes", "1"],
        &broken[1..],
    );
    assert!(!setting.path("y.safetensors").exists() && !setting.path("x.png").exists());
}

#[test]
fn counts_too_small_for_the_features_are_remarked_in_text_and_json() {
    let setting = with_test_images();
    setting.ok(&CLASSIFIER);
    for count in ["2", "9", "100"] {
        let said = setting.ok(&tiny(&[
            "--count",
            count,
            "--recognised",
            "2",
            "--json",
            "s.json",
        ]));
        let remark = format!("{count} samples are too few for the covariance of 128 features");
        assert!(said.contains(&format!("note: {remark}")), "{said}");
        assert!(said.contains("note: 24 real images are too few"), "{said}");
        assert!(said.contains("2 samples cannot show 3 classes"), "{said}");
        let json = std::fs::read_to_string(setting.path("s.json")).unwrap();
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        let of = |name: &str| {
            let scores = json["scores"].as_array().unwrap();
            scores.iter().find(|score| score["name"] == name).unwrap()["remarks"].to_string()
        };
        assert!(of("FD-tiny").contains(&remark), "{json}");
    }
    let enough = setting.ok(&tiny(&["--count", "129", "--recognised", "9"]));
    assert!(!enough.contains("samples are too few"), "{enough}");
}

#[test]
fn one_real_image_a_class_has_no_spread_and_says_so() {
    let setting = own_pictures();
    for class in ["apple", "pear"] {
        for number in 1..6 {
            std::fs::remove_file(setting.path(&format!("pictures/{class}/{number}.png"))).unwrap();
        }
    }
    setting.train("few", 8, &AT_16);
    let out = ["--out", "model.safetensors", "--passes", "2"];
    setting.ok(&[&["export", "few"], &out[..]].concat());
    let said = setting.ok(&[&EVALUATE[..], &["--data", "pictures"]].concat());
    assert!(
        said.contains("note: there is no spread within a class"),
        "{said}"
    );
    assert!(!said.contains("inf ") && !said.contains("NaN"), "{said}");
}

#[test]
fn scores_of_an_earlier_protocol_are_told_apart() {
    let setting = with_test_images();
    setting.ok(&CLASSIFIER);
    let path = setting.path("model.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    let mut info = ModelFile::decode(&bytes).unwrap().info;
    let old =
        "FD-tiny: n=4, ref=train n=24, BN standing statistics of 8 samples, truncation off, seed 0";
    info.scores.insert(old.to_owned(), 1.5);
    std::fs::write(&path, ModelFile::replace_info(&bytes, &info).unwrap()).unwrap();
    setting.ok(&tiny(&["--count", "4", "--recognised", "9", "--update"]));
    let inside = setting.ok(&["inspect", "model.safetensors"]);
    assert!(inside.contains(&format!("{old}: 1.5")), "{inside}");
    assert!(
        inside.contains("truncation off, classes at random, seed 0"),
        "{inside}"
    );
    assert!(inside.contains("took the classes in turn"), "{inside}");
}
