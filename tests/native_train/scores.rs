//! classifier -> evaluate.

use crate::model::with_model;
use crate::setting::Setting;

/// A setting with a model and test images.
fn with_test_images() -> Setting {
    let setting = with_model();
    let labels: Vec<u8> = (0..12).map(|i| (i % 3) as u8).collect();
    let pixels: Vec<u8> = (0..12 * 28 * 28).map(|i| (i % 240) as u8).collect();
    setting.write_idx("t10k-images-idx3-ubyte", &[12, 28, 28], &pixels);
    setting.write_idx("t10k-labels-idx1-ubyte", &[12], &labels);
    setting
}

const CLASSIFIER: [&str; 13] = [
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
