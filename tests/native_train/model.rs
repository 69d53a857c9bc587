//! export -> sample -> inspect.

use biggan::file::{Dtype, decode, encode};
use biggan::latent_kind::LatentKind;
use biggan::truncation::{LatentDistribution, Truncation, TruncationKind};
use safetensors::{Dtype as StDtype, tensor::TensorView};

use crate::support::models::{image, with_model};
use crate::support::setting::{Setting, png_size};

#[test]
fn the_same_request_gives_the_same_bytes() {
    let setting = with_model();
    let sample = |out: &str, seed: &str| {
        let raw = format!("{out}.safetensors");
        let png = format!("{out}.png");
        setting.ok(&[
            "sample",
            "model.safetensors",
            "--class",
            "1,2",
            "--truncation",
            "0.5",
            "--seed",
            seed,
            "--count",
            "3",
            "--out",
            &png,
            "--raw",
            &raw,
        ]);
        let read = |name: &str| std::fs::read(setting.path(name)).unwrap();
        (read(&png), read(&raw))
    };
    assert_eq!(sample("a", "7"), sample("b", "7"));
    assert_ne!(sample("a", "7").1, sample("c", "8").1);
    let images = image(&setting.path("a.safetensors"));
    assert_eq!(images.shape, [6, 3, 32, 32]);
    assert!(images.values.iter().all(|v| v.abs() <= 1.0));
    let sheet = png_size(&setting.path("a.png"));
    assert_eq!(sheet, (3 * 34 + 2, 2 * 34 + 2));
}

#[test]
fn weights_of_8_bits_draw_nearly_the_same() {
    let setting = with_model();
    let bytes = |name: &str| std::fs::metadata(setting.path(name)).unwrap().len();
    let drawn = |model: &str| {
        setting.ok(&[
            "sample",
            model,
            "--class",
            "1",
            "--count",
            "4",
            "--raw",
            "raw.safetensors",
        ]);
        image(&setting.path("raw.safetensors")).values
    };
    // of a run, whose statistics are then those of the rounded weights, and of a model
    setting.ok(&[
        "export",
        "run",
        "--passes",
        "2",
        "--dtype",
        "q8",
        "--out",
        "q8.safetensors",
    ]);
    setting.ok(&[
        "export",
        "model.safetensors",
        "--dtype",
        "q8",
        "--out",
        "again.safetensors",
    ]);
    setting.ok(&[
        "export",
        "again.safetensors",
        "--dtype",
        "f32",
        "--out",
        "f32.safetensors",
    ]);
    assert_eq!(bytes("q8.safetensors"), bytes("again.safetensors"));
    assert!(bytes("q8.safetensors") < bytes("model.safetensors"));
    let [halves, run, model, f32] = [
        "model.safetensors",
        "q8.safetensors",
        "again.safetensors",
        "f32.safetensors",
    ]
    .map(drawn);
    assert_eq!(f32, model);
    for other in [run, model] {
        let apart = halves.iter().zip(&other).map(|(a, b)| (a - b).abs());
        let mean = apart.sum::<f32>() / halves.len() as f32;
        assert!(mean > 0.0 && mean < 0.02, "{mean}");
    }
    // without a type a model is no run
    setting.refused(
        1,
        &["export", "model.safetensors", "--out", "a.safetensors"],
        &["model.safetensors"],
    );
    setting.refused(
        2,
        &[
            "export",
            "model.safetensors",
            "--dtype",
            "q8",
            "--passes",
            "2",
            "--out",
            "a.safetensors",
        ],
        &["--passes"],
    );
    setting.refused(
        2,
        &[
            "export",
            "model.safetensors",
            "--dtype",
            "q8",
            "--out",
            "model.safetensors",
        ],
        &["model.safetensors"],
    );
}

#[test]
fn pictures_of_a_page_are_drawn_and_unedited_ones_are_those_of_their_seed() {
    let setting = with_model();
    let raw = |out: &str, request: &[&str]| {
        let mut words = vec!["sample", "model.safetensors", "--truncation", "0.5"];
        words.extend(request);
        words.extend(["--raw", out]);
        setting.ok(&words);
        image(&setting.path(out)).values
    };
    let of_seed = raw(
        "seed.safetensors",
        &["--class", "2", "--seed", "7", "--count", "2"],
    );
    let point = |index: usize, edits: &str| {
        format!(
            r#"{{"classes": [{{"class": 2, "weight": 0.5}}], "z": {{"seed": "7", "index": {index}{edits}}}}}"#
        )
    };
    let (first, second) = (point(0, ""), point(1, ""));
    let child = point(0, r#", "steps": [{"seed": 1, "size": 0.2}]"#);
    let list = format!(
        r#"[{{"from": {first}}}, {{"from": {second}}}, {{"from": {child}}},
            {{"from": {first}, "to": {{"point": {second}, "at": 1.0}}}}]"#
    );
    std::fs::write(setting.path("pictures.json"), list).unwrap();
    let drawn = raw("drawn.safetensors", &["--pictures", "pictures.json"]);
    let (length, picture) = (of_seed.len() / 2, |n: usize, of: &[f32], length: usize| {
        of[n * length..(n + 1) * length].to_vec()
    });
    assert_eq!(drawn[..2 * length], of_seed);
    assert_ne!(picture(2, &drawn, length), picture(0, &drawn, length));
    assert_eq!(picture(3, &drawn, length), picture(1, &drawn, length));

    std::fs::write(setting.path("pictures.json"), "[]").unwrap();
    let asked = [
        "sample",
        "model.safetensors",
        "--pictures",
        "pictures.json",
        "--out",
        "a.png",
    ];
    setting.refused(1, &asked, &["pictures.json", "0 pictures"]);
}

#[test]
fn brought_latents_give_the_pictures_of_their_seed() {
    let setting = with_model();
    setting.ok(&[
        "sample",
        "model.safetensors",
        "--class",
        "2",
        "--truncation",
        "1",
        "--seed",
        "5",
        "--count",
        "2",
        "--raw",
        "seed.safetensors",
    ]);
    let key = biggan::latent::LatentKey {
        seed: 5,
        stream: biggan::random::Stream::Sample,
        step: 0,
        first: 0,
    };
    let at_1 = LatentDistribution::new(
        LatentKind::Normal,
        TruncationKind::Resampling,
        Truncation::Threshold(1.0),
    );
    let z = key.z(2, 8, at_1.unwrap());
    let z: Vec<u8> = z.iter().flat_map(|v| v.to_le_bytes()).collect();
    let y: Vec<u8> = [2i64, 2].iter().flat_map(|v| v.to_le_bytes()).collect();
    let views = [
        ("z", TensorView::new(StDtype::F32, vec![2, 8], &z).unwrap()),
        ("y", TensorView::new(StDtype::I64, vec![2], &y).unwrap()),
    ];
    let bytes = safetensors::serialize(views, None).unwrap();
    std::fs::write(setting.path("latents.safetensors"), bytes).unwrap();
    setting.ok(&[
        "sample",
        "model.safetensors",
        "--latents",
        "latents.safetensors",
        "--truncation",
        "1",
        "--raw",
        "brought.safetensors",
    ]);
    assert_eq!(
        image(&setting.path("seed.safetensors")),
        image(&setting.path("brought.safetensors"))
    );
}

#[test]
fn models_checkpoints_and_runs_are_inspected() {
    let setting = with_model();
    let model = setting.ok(&["inspect", "model.safetensors"]);
    for part in [
        "14 rows of 8 samples: off 0.04",
        "recipe tiny, seed 3, 64 images, 8 generator steps, 0.39 % initial weights",
        "#0 0; #1 1; #2 2",
        "resampling, 0.001 to 8, or off",
        "data, 24 images",
        "blocks.2",
    ] {
        assert!(model.contains(part), "{part:?} is not in\n{model}");
    }
    let run = setting.ok(&["inspect", "run"]);
    assert!(
        run.contains("64 of 1000000 images, 8 generator and 16"),
        "{run}"
    );
    assert!(run.contains("discriminator"), "{run}");
}

#[test]
fn f32_models_are_larger_and_alike() {
    let setting = with_model();
    setting.ok(&[
        "export",
        "run",
        "--out",
        "wide.safetensors",
        "--passes",
        "2",
        "--dtype",
        "f32",
    ]);
    let size = |name| std::fs::metadata(setting.path(name)).unwrap().len();
    let stored = decode(&std::fs::read(setting.path("wide.safetensors")).unwrap()).unwrap();
    let weights: usize = stored
        .tensors
        .0
        .iter()
        .filter(|(name, _)| !name.starts_with("stats."))
        .map(|(_, tensor)| tensor.values.len())
        .sum();
    // two bytes more a weight; statistics are f32 in both; offsets in the header differ by digits
    let more = size("wide.safetensors").abs_diff(size("model.safetensors") + 2 * weights as u64);
    assert!(more < 256, "{more}");
    let sample = |model: &str| {
        setting.ok(&[
            "sample", model, "--class", "all", "--count", "2", "--raw", "raw",
        ]);
        image(&setting.path("raw")).values
    };
    let (half, full) = (sample("model.safetensors"), sample("wide.safetensors"));
    let apart = half
        .iter()
        .zip(&full)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max);
    // f16 keeps 11 bits; a picture is a few layers of them
    assert!(apart < 0.05, "{apart}");
}

#[test]
fn a_young_average_is_not_exported() {
    let setting = Setting::new();
    setting.train("run", 4, &[]); // 0.5^4 = 6.25 %
    setting.refused(
        1,
        &["export", "run", "--out", "model.safetensors"],
        &["6.2 % initial weights", "at most 5 %", "train longer"],
    );
    assert!(!setting.path("model.safetensors").exists());
}

#[test]
fn foreign_and_broken_models_are_refused() {
    let setting = with_model();
    let sample = [
        "sample",
        "bad.safetensors",
        "--class",
        "0",
        "--out",
        "x.png",
    ];
    let bytes = std::fs::read(setting.path("model.safetensors")).unwrap();
    let write = |bytes: &[u8]| std::fs::write(setting.path("bad.safetensors"), bytes).unwrap();

    write(&bytes[..bytes.len() - 1]);
    setting.refused(
        1,
        &sample,
        &["bad.safetensors", "not a whole safetensors file"],
    );
    write(b"");
    setting.refused(1, &sample, &["bad.safetensors", "of 0 bytes"]);

    let mut stored = decode(&bytes).unwrap();
    stored.metadata.insert("format_version".into(), "9".into());
    write(&encode(&stored.tensors, &stored.metadata, Dtype::F16).unwrap());
    setting.refused(1, &sample, &["format_version is 9", "expected 1", "export"]);

    stored.metadata.insert("format".into(), "other".into());
    write(&encode(&stored.tensors, &stored.metadata, Dtype::F16).unwrap());
    setting.refused(1, &sample, &["format is \"other\"", "expected \"biggan\""]);

    stored.metadata.clear();
    write(&encode(&stored.tensors, &stored.metadata, Dtype::F16).unwrap());
    setting.refused(1, &sample, &["not stated"]);
    setting.refused(1, &["inspect", "bad.safetensors"], &["not stated"]);
    setting.refused(
        1,
        &["sample", "none", "--class", "0", "--out", "x"],
        &["none", "No such"],
    );
    let checkpoint = setting.newest_checkpoint("run");
    let checkpoint = checkpoint.to_str().unwrap();
    let args = ["sample", checkpoint, "--class", "0", "--out", "x.png"];
    setting.refused(1, &args, &["biggan-checkpoint", "native-train export"]);
    assert!(!setting.path("x.png").exists());
}

#[test]
fn requests_that_do_not_fit_are_refused() {
    let setting = with_model();
    let refused = |more: &[&str], parts: &[&str]| {
        let args = [&["sample", "model.safetensors"], more].concat();
        setting.refused(2, &args, parts);
    };
    refused(&["--class", "0"], &["--out", "--raw"]);
    refused(&["--out", "x.png"], &["no class", "#0 0; #1 1; #2 2"]);
    refused(
        &["--class", "hat", "--out", "x.png"],
        &["\"hat\"", "#0 0; #1 1; #2 2"],
    );
    refused(&["--class", "3", "--out", "x.png"], &["\"3\""]);
    let truncation = ["--class", "0", "--out", "x.png", "--truncation"];
    refused(
        &[&truncation[..], &["9"]].concat(),
        &["9", "0.001 to 8", "off"],
    );
    refused(
        &[
            &truncation[..],
            &["1.5", "--truncation-kind", "scaled_truncated_normal"],
        ]
        .concat(),
        &["1.5", "0.001 to 1", "off"],
    );
    refused(&[&truncation[..], &["0"]].concat(), &["truncation is 0,"]);
    refused(&[&truncation[..], &["much"]].concat(), &["\"much\"", "off"]);
    refused(
        &["--class", "all", "--count", "5000", "--out", "x"],
        &["15000", "1 to 4096"],
    );
    refused(
        &["--class", "0", "--count", "0", "--out", "x"],
        &["1 to 4096"],
    );
    assert!(!setting.path("x.png").exists());
}

#[test]
fn another_kind_of_truncation_draws_another_z() {
    let setting = with_model();
    let sample = |truncation: &str, more: &[&str]| {
        let args = [
            "sample",
            "model.safetensors",
            "--class",
            "1",
            "--count",
            "2",
            "--raw",
            "raw",
            "--truncation",
            truncation,
        ];
        setting.ok(&[&args[..], more].concat());
        image(&setting.path("raw")).values
    };
    let kind = |kind| ["--truncation-kind", kind];
    let own = sample("1", &[]);
    assert_eq!(own, sample("1", &kind("resampling")));
    assert_ne!(own, sample("1", &kind("scaled_normal")));
    let largest = sample("1", &kind("scaled_truncated_normal"));
    assert_eq!(largest, sample("off", &kind("scaled_truncated_normal")));
    // this model's table is none of Hugging Face's
    let hf = [
        "sample",
        "model.safetensors",
        "--class",
        "1",
        "--truncation",
        "1",
    ];
    let hf = [&hf[..], &["--hf-compat", "--raw", "raw"]].concat();
    setting.refused(1, &hf, &["hf_compat", "14 rows"]);
}
