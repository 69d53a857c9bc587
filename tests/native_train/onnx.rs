//! `export --onnx`: the file, and whether ONNX Runtime computes the images that `sample` draws.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use biggan::config::{Architecture, ClassEmbedding, GeneratorConfig};
use biggan::file::{Dtype, encode};
use biggan::named::{HostTensor, HostTensors};

use crate::support::models::{image, with_model};
use crate::support::random_model::{config, model, normals};
use crate::support::setting::Setting;

/// A Python that imports onnxruntime and numpy.
const PYTHON: &str = "BIGGAN_READERS_PYTHON";
const SCRIPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/peer/onnx_forward.py"
);
/// Both sides round in f32, in another order.
const TOLERANCE: f32 = 1e-4;

#[test]
fn a_run_and_its_model_give_the_same_file() {
    let setting = with_model();
    // at a row of the table, between two, and beyond the last
    for t in ["off", "0.5", "0.55", "3"] {
        let of_model = ["--truncation", t, "--onnx", "m.onnx"];
        setting.ok(&[&["export", "model.safetensors"][..], &of_model].concat());
        let of_run = ["--truncation", t, "--onnx", "r.onnx", "--passes", "2"];
        setting.ok(&[&["export", "run"][..], &of_run].concat());
        let read = |name: &str| std::fs::read(setting.path(name)).unwrap();
        assert!(read("m.onnx") == read("r.onnx"), "{t}");
    }
    let checkpoint = setting.newest_checkpoint("run");
    let checkpoint = checkpoint.to_str().unwrap();
    setting.ok(&["export", checkpoint, "--passes", "2", "--onnx", "c.onnx"]);
    // a model in parts
    let parts = [
        "--passes",
        "2",
        "--shard-size",
        "8KiB",
        "--out",
        "p.safetensors",
    ];
    setting.ok(&[&["export", "run"][..], &parts].concat());
    let index = "p.safetensors.index.json";
    setting.ok(&["export", index, "--onnx", "p.onnx"]);
    let read = |name: &str| std::fs::read(setting.path(name)).unwrap();
    assert!(read("c.onnx") == read("p.onnx"));
}

#[test]
fn what_cannot_be_exported_is_refused_in_one_line() {
    let setting = with_model();
    let model = "model.safetensors";
    let export =
        |words: &[&'static str]| [&["export", model, "--onnx", "a.onnx"][..], words].concat();
    setting.refused(
        2,
        &export(&["--truncation", "9"]),
        &["truncation is 9", "0.001 to 8"],
    );
    for option in [["--passes", "3"], ["--dtype", "f32"]] {
        setting.refused(2, &export(&option), &[option[0], model, "is a model"]);
    }
    setting.refused(1, &["export", "gone", "--onnx", "a.onnx"], &["gone"]);
    setting.ok(&export(&[]));
    // and it is no model
    setting.refused(1, &["inspect", "a.onnx"], &["a.onnx", "an ONNX model"]);
    setting.refused(
        1,
        &["export", "a.onnx", "--onnx", "b.onnx"],
        &["an ONNX model"],
    );
    setting.refused(1, &["export", model, "--out", "b.safetensors"], &[model]);
    for words in [
        &["export", model][..],
        &export(&["--out", "b.safetensors"]),
        &[
            "export",
            "run",
            "--out",
            "b.safetensors",
            "--truncation",
            "1",
        ],
    ] {
        let output = setting.run(words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
    }
    assert!(!setting.path("b.onnx").exists() && !setting.path("b.safetensors").exists());
}

#[test]
fn onnx_runtime_draws_the_same_images() {
    let Some(python) = std::env::var_os(PYTHON) else {
        eprintln!("{PYTHON} names no Python with onnxruntime: skipped");
        return;
    };
    let of = |architecture, resolution, channels, attention: &[usize]| {
        config(architecture, resolution, channels, attention)
    };
    let flat = |embedding| GeneratorConfig {
        hierarchical_z: false,
        class_embedding: embedding,
        ..of(Architecture::Biggan, 32, 4, &[16])
    };
    for config in [
        of(Architecture::Biggan, 32, 16, &[]),
        of(Architecture::Biggan, 64, 8, &[32]),
        of(Architecture::Biggan, 128, 8, &[64]),
        of(Architecture::Biggan, 256, 4, &[128]),
        of(Architecture::BigganDeep, 128, 8, &[64]),
        of(Architecture::BigResnet, 64, 8, &[32]),
        of(Architecture::BigResnetDeepLegacy, 64, 8, &[32]),
        of(Architecture::BigResnetDeepStudiogan, 64, 8, &[32]),
        flat(ClassEmbedding::PerLayer),
        flat(ClassEmbedding::Shared { dim: 8 }),
    ] {
        same_images(&config, python.as_ref());
    }
}

fn same_images(config: &GeneratorConfig, python: &Path) {
    const COUNT: usize = 3;
    let setting = Setting::new();
    let file = model(config, 7).encode(Dtype::F32).unwrap();
    std::fs::write(setting.path("m.safetensors"), file).unwrap();
    let tensor = |values: Vec<f32>, length| HostTensor {
        shape: vec![COUNT, length],
        values,
    };
    let z = normals(1, COUNT * config.z_dim);
    // mixtures
    let mut weights = vec![0.0; COUNT * config.classes];
    for row in 0..COUNT {
        weights[row * config.classes + row] = 0.25 + 0.5 * row as f32 / 2.0;
        weights[row * config.classes + 5] = 0.75 - 0.5 * row as f32 / 2.0;
    }
    let latents = HostTensors(BTreeMap::from([
        ("z".to_owned(), tensor(z, config.z_dim)),
        ("class_vector".to_owned(), tensor(weights, config.classes)),
    ]));
    let latents = encode(&latents, &BTreeMap::new(), Dtype::F32).unwrap();
    std::fs::write(setting.path("latents"), latents).unwrap();
    // between the rows of the table
    let truncation = ["--truncation", "1.2"];
    let sample = [
        "sample",
        "m.safetensors",
        "--latents",
        "latents",
        "--raw",
        "ours",
    ];
    setting.ok(&[&sample[..], &truncation].concat());
    let export = ["export", "m.safetensors", "--onnx", "m.onnx"];
    setting.ok(&[&export[..], &truncation].concat());
    let mut peer = Command::new(python);
    // no compiled files among the sources
    peer.env("PYTHONDONTWRITEBYTECODE", "1");
    peer.arg(SCRIPT).args(["m.onnx", "latents", "theirs"]);
    let ran = peer.current_dir(setting.path("")).output().unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let (ours, theirs) = (image(&setting.path("ours")), image(&setting.path("theirs")));
    assert_eq!(ours.shape, theirs.shape);
    let pairs = ours.values.iter().zip(&theirs.values);
    let most = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    let what = format!("{:?} {}", config.architecture, config.resolution);
    eprintln!("{what}: {most:e}");
    assert!(most < TOLERANCE, "{what}: {most}");
    // neither black nor white: a saturated image hides differences
    let grey = ours
        .values
        .iter()
        .filter(|value| value.abs() < 0.99)
        .count();
    assert!(grey * 2 > ours.values.len(), "{what}: {grey}");
}
