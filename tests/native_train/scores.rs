//! classifier -> evaluate.

use crate::support::models::{CLASSIFIER, with_model, with_test_images};

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
        "FD-tiny: n=12, ref=data train n=24, 32x32 not resized, network tiny ",
        "KID-tiny: mean of 1 subsets of 12, n=12, ref=12 of data train n=24",
        "precision by tiny: k=5, n=12, ref=12 of data train n=24",
        "recall by tiny: k=5",
        "density by tiny: k=5",
        "coverage by tiny: k=5",
        "IS-tiny: mean of 10 splits, n=12",
        "truncation 1, classes at random, seed 0",
        "spread within a class / real, tiny: n=9, ref=24 by class of data train n=24",
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
    for part in [
        "100 subsets of 24, n=30, ref=24 of data train n=24",
        "k=5, n=30",
    ] {
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
    let (mut right, mut of) = (0.0, 0.0);
    for line in &tables[1..4] {
        let n: f64 = line.rsplit('=').next().unwrap().parse().unwrap();
        right += if n > 0.0 { first(line) * n } else { 0.0 };
        of += n;
    }
    assert_eq!(of, 10.0, "{said}");
    assert!((right / 10.0 - score("recognised by")).abs() < 1e-5);
    assert!(tables[4].contains("at truncation"), "{said}");
    let rows: Vec<Vec<&str>> = tables[5..]
        .iter()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(rows.len(), 3, "{said}");
    let at: Vec<&str> = rows.iter().map(|row| row[5]).collect();
    assert_eq!(at, ["1", "0.5", "off"]);
    for (value, of) in rows[1]
        .iter()
        .zip(["recognised by", "spread within", "IS-tiny", "FD-tiny"])
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
            "classifier's format is",
            "biggan-classifier",
            "native-train classifier",
        ],
    );
}

/// An evaluation in the tiny classifier's features.
const EVALUATE: [&str; 8] = [
    "evaluate",
    "model.safetensors",
    "--count",
    "30",
    "--recognised",
    "10",
    "--classifier",
    "tiny.safetensors",
];

/// Against the images of the data set.
fn evaluate<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&EVALUATE[..], &["--dataset", "idx", "--data", "data"], more].concat()
}

/// Against kept statistics.
fn against(reference: &str) -> Vec<&str> {
    [&EVALUATE[..], &["--reference", reference]].concat()
}

/// The score whose line holds `of`.
fn score(said: &str, of: &str) -> f64 {
    let line = said.lines().find(|line| line.contains(of));
    let line = line.unwrap_or_else(|| panic!("{of} in {said}"));
    line.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn a_kept_reference_gives_the_distance_of_its_images() {
    let setting = with_test_images();
    setting.ok(&CLASSIFIER);
    let of_images = setting.ok(&evaluate(&[]));
    let mut make = vec![
        "reference",
        "--dataset",
        "idx",
        "--data",
        "data",
        "--out",
        "stats",
    ];
    make.extend(["--classifier", "tiny.safetensors"]);
    let said = setting.ok(&make);
    assert!(
        said.contains("data train n=24 (") && said.contains("32x32 not resized"),
        "{said}"
    );
    let kept = setting.ok(&against("stats"));
    assert_eq!(score(&kept, "FD-tiny"), score(&of_images, "FD-tiny"));
    assert!(
        kept.contains("FD-tiny: n=30, ref=data train n=24"),
        "{kept}"
    );
    assert!(!kept.contains("KID") && !kept.contains("spread"), "{kept}");

    // of another network, by its file; both protocols are named
    let mut other = CLASSIFIER.to_vec();
    other.extend(["--seed", "2"]);
    setting.ok(&other);
    let args = against("stats");
    let refusal = setting.refused(1, &args, &["another network", "native-train reference"]);
    assert_eq!(refusal.matches("network tiny ").count(), 2, "{refusal}");
    // of another data set
    setting.ok(&make);
    let pixels = vec![9u8; 24 * 28 * 28];
    setting.write_idx("train-images-idx3-ubyte", &[24, 28, 28], &pixels);
    setting.ok(&make);
    setting.refused(1, &args, &["another data set", "data train n=24"]);
    // of another kind
    let of_model = against("model.safetensors");
    setting.refused(
        1,
        &of_model,
        &["not reference statistics", "format is biggan"],
    );
    let npz = include_bytes!("../fixtures/frechet/small.npz");
    std::fs::write(setting.path("small.npz"), npz).unwrap();
    let of_npz = against("small.npz");
    setting.refused(
        1,
        &of_npz,
        &["small.npz", "vectors of 2 values", "tiny makes 128"],
    );
}

#[test]
fn curves_are_judged_drawn_and_written() {
    let setting = with_test_images();
    setting.ok(&CLASSIFIER);
    let args = [
        "--amenability",
        "--curve",
        "0.04",
        "--picture",
        "curve.svg",
        "--json",
        "scores.json",
        "--neighbours",
        "20",
    ];
    let said = setting.ok(&evaluate(&args));
    assert!(said.contains("n=20, ref=20 of data train n=24"), "{said}");
    assert!(
        said.contains("FD-tiny: n=30, ref=data train n=24"),
        "{said}"
    );
    for part in ["amenable to truncation", "16 %", "60 %"] {
        assert!(said.contains(part), "{said} lacks {part}");
    }
    let table = said
        .lines()
        .skip_while(|line| !line.contains("at truncation"));
    let at: Vec<&str> = table
        .skip(1)
        .take(6)
        .map(|l| l.split_whitespace().last().unwrap())
        .collect();
    assert_eq!(at, ["0.04", "off", "2", "1.5", "1", "0.5"], "{said}");

    let svg = std::fs::read_to_string(setting.path("curve.svg")).unwrap();
    for part in [
        "<svg",
        "FD-tiny (less is better)",
        "IS-tiny (more is better)",
        "\n0.04\n",
        "\noff\n",
    ] {
        assert!(svg.contains(part), "{svg} lacks {part}");
    }
    // the line goes from off to the strongest, whatever the order of the rows; numbers of the axes come
    // before all labels
    let places = ["off", "2", "1.5", "1", "0.5", "0.04"].map(|t| svg.rfind(&format!("\n{t}\n")));
    assert!(places.is_sorted() && places[0].is_some(), "{places:?}");
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(setting.path("scores.json")).unwrap()).unwrap();
    let scores = json["scores"].as_array().unwrap();
    assert_eq!(scores.len(), 10);
    assert_eq!(json["curve"].as_array().unwrap().len(), 6 * 5);
    for entry in scores.iter().chain(json["curve"].as_array().unwrap()) {
        assert!(
            entry["value"].is_f64() && entry["count"].is_u64(),
            "{entry}"
        );
        let protocol = &entry["protocol"];
        for key in [
            "network",
            "network_sha256",
            "resizer",
            "statistics",
            "truncation",
        ] {
            assert!(protocol[key].is_string(), "{entry} lacks {key}");
        }
        assert_eq!(
            (&protocol["seed"], &protocol["resolution"]),
            (&0.into(), &32.into())
        );
    }
    let fd = scores
        .iter()
        .find(|score| score["name"] == "FD-tiny")
        .unwrap();
    assert!((fd["value"].as_f64().unwrap() - score(&said, "FD-tiny: ")).abs() < 1e-6);
    assert!(json["amenability"].as_str().unwrap().contains("amenable"));

    setting.refused(2, &evaluate(&["--picture", "x.svg"]), &["--curve"]);
    setting.refused(2, &evaluate(&["--curve", "1,9"]), &["9", "0.001 to 8"]);
    setting.refused(2, &evaluate(&["--neighbours", "1"]), &["--neighbours is 1"]);
    assert!(!setting.path("x.svg").exists());
}

#[test]
fn networks_are_asked_for_in_one_way_and_checked() {
    let setting = with_model();
    let start = ["evaluate", "model.safetensors", "--data", "data"];
    let refused = |code, more: &[&str], parts: &[&str]| {
        setting.refused(code, &[&start[..], more].concat(), parts);
    };
    refused(2, &[], &["--classifier FILE", "--features inception"]);
    let inception = |file| ["--features", "inception", "--network", file];
    refused(
        1,
        &inception("none.pth"),
        &["inception none.pth", "No such"],
    );
    refused(
        1,
        &inception("model.safetensors"),
        &[
            "inception model.safetensors",
            "Conv2d_1a_3x3.conv.weight is missing",
        ],
    );
    // a generator's weights are of another network
    let mut writer = crate::support::torch_writer::TorchWriter::default();
    let weight = writer.f32(&[32, 3, 5, 5], &[0.5; 32 * 75]);
    let state = vec![("Conv2d_1a_3x3.conv.weight".to_owned(), weight)];
    let state = crate::support::torch_writer::Item::Ordered(state);
    let options = crate::support::torch_writer::ZipOptions::default();
    std::fs::write(setting.path("other.pth"), writer.zip(&state, options)).unwrap();
    let parts = [
        "tensor Conv2d_1a_3x3.conv.weight",
        "[32, 3, 5, 5]",
        "[32, 3, 3, 3]",
    ];
    refused(1, &inception("other.pth"), &parts);
    for args in [
        vec!["--features", "inception"],
        vec!["--network", "x"],
        vec![
            "--classifier",
            "x",
            "--features",
            "inception",
            "--network",
            "y",
        ],
    ] {
        let output = setting.run(&[&start[..], &args].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
    }
    let reference = [
        "reference",
        "--dataset",
        "idx",
        "--data",
        "data",
        "--out",
        "x",
    ];
    setting.refused(2, &reference, &["--classifier FILE"]);
    // what a network without classes, or statistics without images, would ignore
    for typed in [&["--by-class"][..], &["--recognised", "9"]] {
        let args = [&start[..], &inception("model.safetensors"), typed].concat();
        setting.refused(2, &args, &[typed[0], "--classifier FILE"]);
    }
    for typed in [
        ["--data", "data"],
        ["--neighbours", "9"],
        ["--fit", "pad"],
        ["--background", "#000000"],
    ] {
        let args = [&start[..2], &["--reference", "stats"], &typed].concat();
        let output = setting.run(&args);
        assert_eq!(output.status.code(), Some(2), "{typed:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            said.contains("cannot be used with") && said.contains(typed[0]),
            "{said}"
        );
    }
}
