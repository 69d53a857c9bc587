//! classifier -> evaluate.

use crate::model::with_model;
use crate::setting::Setting;

/// A setting with a model and test images.
pub fn with_test_images() -> Setting {
    let setting = with_model();
    let labels: Vec<u8> = (0..12).map(|i| (i % 3) as u8).collect();
    let pixels: Vec<u8> = (0..12 * 28 * 28).map(|i| (i % 240) as u8).collect();
    setting.write_idx("t10k-images-idx3-ubyte", &[12, 28, 28], &pixels);
    setting.write_idx("t10k-labels-idx1-ubyte", &[12], &labels);
    setting
}

/// Trains the classifier `tiny.safetensors`.
pub const CLASSIFIER: [&str; 13] = [
    "classifier",
    "--dataset",
    "idx",
    "--data",
    "data",
    "--classes",
    "3",
    "--name",
    "tiny",
    "--epochs",
    "2",
    "--out",
    "tiny.safetensors",
];

#[test]
fn scores_carry_their_protocol_and_can_be_kept() {
    let setting = with_test_images();
    let said = setting.ok(&CLASSIFIER);
    assert!(said.contains("of the real test images"), "{said}");
    let evaluate = [
        "evaluate",
        "model.safetensors",
        "--classifier",
        "tiny.safetensors",
        "--dataset",
        "idx",
        "--data",
        "data",
        "--count",
        "12",
        "--recognised",
        "9",
        "--truncation",
        "1",
        "--update",
    ];
    let first = setting.ok(&evaluate);
    for part in [
        "recognised by tiny: n=9",
        "FD-tiny: n=12, ref=train n=24",
        "KID-tiny: mean of 1 subsets of 12, n=12, ref=train 12 of 24",
        "precision by tiny: k=5, n=12, ref=train 12 of 24",
        "recall by tiny: k=5",
        "density by tiny: k=5",
        "coverage by tiny: k=5",
        "IS-tiny: mean of 10 splits, n=12",
        "truncation 1, seed 0",
    ] {
        assert!(first.contains(part), "{first} lacks {part}");
    }
    assert_eq!(first, setting.ok(&evaluate), "the same scores twice");
    let inside = setting.ok(&["inspect", "model.safetensors"]);
    assert!(inside.contains("FD-tiny: n=12"), "{inside}");

    // into the index of a model in parts
    let parts = "parts.safetensors.index.json";
    let export = [
        "export",
        "run",
        "--passes",
        "2",
        "--out",
        parts,
        "--shard-size",
        "4KiB",
    ];
    setting.ok(&export);
    let evaluate: Vec<&str> = evaluate
        .into_iter()
        .map(|arg| {
            if arg == "model.safetensors" {
                parts
            } else {
                arg
            }
        })
        .collect();
    assert_eq!(first, setting.ok(&evaluate), "the same scores");
    assert!(setting.ok(&["inspect", parts]).contains("FD-tiny: n=12"));
}

#[test]
fn tables_by_class_and_by_truncation_agree_with_the_scores() {
    let setting = with_test_images();
    setting.ok(&CLASSIFIER);
    let evaluate = |more: &[&str]| {
        let mut args = vec!["evaluate", "model.safetensors"];
        args.extend(["--classifier", "tiny.safetensors", "--dataset", "idx"]);
        args.extend(["--data", "data", "--count", "30", "--recognised", "10"]);
        args.extend(["--truncation", "0.5"]);
        args.extend(more);
        setting.ok(&args)
    };
    let first = |line: &str| -> f64 { line.split_whitespace().next().unwrap().parse().unwrap() };
    let plain = evaluate(&[]);
    let said = evaluate(&["--by-class", "--curve", "1.0,0.5,off"]);
    assert!(said.starts_with(&plain), "{said} goes on from {plain}");
    // fewer real images than samples: all of them, and several subsets of the samples
    for part in ["100 subsets of 24, n=30, ref=train 24 of 24", "k=5, n=30"] {
        assert!(said.contains(part), "{said} lacks {part}");
    }
    let score = |of: &str| {
        first(
            plain
                .lines()
                .find(|line| line.contains(of))
                .unwrap_or_else(|| panic!("{of} in {plain}")),
        )
    };
    for share in ["precision by", "recall by", "coverage by"] {
        assert!((0.0..=1.0).contains(&score(share)), "{plain}");
    }
    assert!((1.0..=3.0).contains(&score("IS-tiny")), "{plain}");

    let tables: Vec<&str> = said[plain.len()..].lines().collect();
    assert_eq!(tables[0], "recognised by tiny, of class:");
    let mut right = 0.0;
    for (line, n) in tables[1..4].iter().zip([4.0, 3.0, 3.0]) {
        assert!(line.ends_with(&format!("n={n}")), "{line}");
        right += first(line) * n;
    }
    assert!((right / 10.0 - score("recognised by")).abs() < 1e-5);
    assert!(tables[4].contains("at truncation"), "{said}");
    let rows: Vec<Vec<&str>> = tables[5..]
        .iter()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(rows.len(), 3, "{said}");
    let at: Vec<&str> = rows.iter().map(|row| row[3]).collect();
    assert_eq!(at, ["1", "0.5", "off"]);
    for (value, of) in rows[1]
        .iter()
        .zip(["recognised by", "spread within", "FD-tiny"])
    {
        assert_eq!(value.parse::<f64>().unwrap(), score(of), "{of}");
    }
}

#[test]
fn a_file_of_another_kind_is_no_classifier() {
    let setting = with_model();
    setting.refused(
        1,
        &[
            "evaluate",
            "model.safetensors",
            "--classifier",
            "model.safetensors",
            "--data",
            "data",
        ],
        &[
            "not a classifier",
            "biggan-classifier",
            "native-train classifier",
        ],
    );
}
