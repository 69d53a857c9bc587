//! `--init`: runs that start from trained networks.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use native_train::records::score_record::ScoreRecord;

use crate::support::fixtures::fixture;
use crate::support::pictures::apples_and_pears;
use crate::support::runs::content;
use crate::support::setting::{Setting, stderr};

/// The tiny recipe on the folder `pictures`, of two classes.
const FOLDER: [&str; 8] = [
    "--set",
    "data.dataset=image-folder",
    "--set",
    "data.path=pictures",
    "--set",
    "train.generator.classes=2",
    "--set",
    "train.discriminator.classes=2",
];

/// The state that a run began with.
fn beginning(setting: &Setting, run: &str) -> BTreeMap<String, Vec<f32>> {
    let first = setting
        .path(run)
        .join("checkpoints/000000000000.safetensors");
    let (tensors, counters) = content(&first);
    assert_eq!((counters.g_step, counters.images_seen), (0, 0));
    tensors
        .0
        .into_iter()
        .map(|(name, tensor)| (name, tensor.values))
        .collect()
}

#[test]
fn a_run_starts_from_the_networks_of_another_and_is_resumed_as_itself() {
    let setting = Setting::new();
    setting.train("first", 10, &[]);
    setting.train("second", 1, &["--init", "first", "--set", "train.seed=9"]);
    let begun = beginning(&setting, "second");
    for (name, tensor) in content(&setting.newest_checkpoint("first")).0.0 {
        // optimisers and what they adapt begin anew; the vector over classes is found anew
        let anew = ["adam_", "controls."]
            .iter()
            .any(|part| name.starts_with(part));
        if !anew && name != "discriminator.embed.u" {
            assert_eq!(begun[&name], tensor.values, "{name}");
        }
    }
    let events = std::fs::read_to_string(setting.path("second/events.jsonl")).unwrap();
    assert!(
        events.contains("initialised") && events.contains("first"),
        "{events}"
    );
    // killed before its first checkpoint by images, and started again by the same command
    let newest = setting.newest_checkpoint("second");
    setting.train(
        "second",
        1,
        &["--init", "first", "--resume", "--set", "train.seed=9"],
    );
    assert_ne!(setting.newest_checkpoint("second"), newest);
    let again = std::fs::read_to_string(setting.path("second/events.jsonl")).unwrap();
    assert_eq!(again, events, "it is not started twice");
}

#[test]
fn a_model_gives_g_alone_and_is_said_so() {
    let setting = Setting::new();
    setting.train("first", 10, &[]);
    let export = [
        "export",
        "first",
        "--out",
        "m.safetensors",
        "--passes",
        "2",
        "--dtype",
        "f32",
    ];
    setting.ok(&export);
    let args = [
        "--config",
        "tiny.toml",
        "--out",
        "second",
        "--steps",
        "1",
        "--init",
        "m.safetensors",
    ];
    let output = setting.run(&args);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains("D anew"), "{}", stderr(&output));
    let begun = beginning(&setting, "second");
    let (trained, _) = content(&setting.newest_checkpoint("first"));
    // an embedding has no spectral norm to fold in
    assert_eq!(
        begun["generator.shared.weight"],
        trained.0["ema.shared.weight"].values
    );
    assert_eq!(
        begun["ema.shared.weight"],
        trained.0["ema.shared.weight"].values
    );
    assert_ne!(
        begun["discriminator.linear.weight"],
        trained.0["discriminator.linear.weight"].values
    );
}

#[test]
fn new_classes_start_as_old_ones() {
    let setting = Setting::new();
    setting.train("first", 4, &[]);
    apples_and_pears(&setting);
    let args = [
        "--config",
        "tiny.toml",
        "--out",
        "second",
        "--steps",
        "1",
        "--init",
        "first",
    ];
    let output = setting.run(&[&args[..], &FOLDER].concat());
    let said = stderr(&output);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("apple as ") && said.contains("pear as "),
        "{said}"
    );
    let begun = beginning(&setting, "second");
    let (trained, _) = content(&setting.newest_checkpoint("first"));
    let label = |network: &str, table: &str, class: usize| {
        let old = &trained.0[&format!("{network}.{table}")];
        let width = old.values.len() / 3;
        let row = &begun[&format!("{network}.{table}")][class * width..(class + 1) * width];
        let mut rows = old.values.chunks_exact(width);
        rows.position(|old| old == row)
            .expect("a row of the trained table")
    };
    for class in 0..2 {
        let of_g = label("generator", "shared.weight", class);
        assert_eq!(of_g, label("ema", "shared.weight", class));
        assert_eq!(
            of_g,
            label("discriminator", "embed.weight", class),
            "the same in G and D"
        );
    }
}

#[test]
fn what_is_no_start_is_refused_in_a_line() {
    let setting = Setting::new();
    setting.train("first", 1, &[]);
    let base = [
        "--config",
        "tiny.toml",
        "--out",
        "second",
        "--steps",
        "1",
        "--init",
    ];
    let refused = |code, more: &[&str], parts: &[&str]| {
        setting.refused(code, &[&base[..], more].concat(), parts);
        assert!(
            !setting
                .path("second/checkpoints/000000000000.safetensors")
                .exists()
        );
    };
    let wider = ["first", "--set", "train.generator.channels=4"];
    refused(2, &wider, &["generator.channels", "4", "2", "first"]);
    refused(1, &["missing.safetensors"], &["--init missing.safetensors"]);
    refused(1, &["data"], &["--init data", "no checkpoint in it"]);
    let mut broken = std::fs::read(setting.newest_checkpoint("first")).unwrap();
    broken.truncate(broken.len() / 2);
    std::fs::write(setting.path("half.safetensors"), broken).unwrap();
    refused(1, &["half.safetensors"], &["--init half.safetensors"]);
}

/// Pictures of Fashion-MNIST's classes `labels`, in folders.
fn write_folders(setting: &Setting, root: &str, labels: std::ops::Range<u8>) {
    let unpacked = |name: &str| {
        let path = fixture("fashion-mnist-300").join(name);
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(File::open(path).unwrap())
            .read_to_end(&mut bytes)
            .unwrap();
        bytes
    };
    let images = unpacked("t10k-images-idx3-ubyte.gz");
    let of = unpacked("t10k-labels-idx1-ubyte.gz");
    for (number, (pixels, label)) in images[16..].chunks_exact(28 * 28).zip(&of[8..]).enumerate() {
        if labels.contains(label) {
            let path = setting.path(&format!("{root}/class {label}/{number:03}.png"));
            write_gray(&path, pixels);
        }
    }
}

fn write_gray(path: &Path, pixels: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut encoder = png::Encoder::new(File::create(path).unwrap(), 28, 28);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(pixels).unwrap();
}

/// On 150 pictures of five classes, a run that starts from a run on the five others has within 6,000 images a smaller
/// Frechet distance than a run from scratch within 8,000.
#[test]
fn a_small_set_is_learnt_in_fewer_images_than_from_scratch() {
    let setting = Setting::new();
    write_folders(&setting, "old", 0..5);
    write_folders(&setting, "new", 5..10);
    let classifier = [
        "classifier",
        "--dataset",
        "image-folder",
        "--data",
        "new",
        "--classes",
        "5",
    ];
    setting.ok(&[
        &classifier[..],
        &["--epochs", "20", "--out", "judge.safetensors"],
    ]
    .concat());
    let train = |out: &str, data: &str, images: &str, more: &[&str]| {
        let data = format!("data.path={data}");
        let images = format!("run.images={images}");
        let mut args = vec!["--config", "tiny.toml", "--out", out];
        for setting in [
            &data,
            &images,
            "data.dataset=image-folder",
            "run.checkpoint_every_images=100_000",
            "run.collapse.enabled=false",
            "train.batch_size=16",
            "train.generator.classes=5",
            "train.discriminator.classes=5",
            "train.generator.channels=6",
            "train.discriminator.channels=6",
            "train.ema.decay=0.98",
        ] {
            args.extend(["--set", setting]);
        }
        args.extend(more);
        setting.ok(&args);
    };
    train("old-run", "old", "32_000", &[]);
    let scored = [
        "--set",
        "run.score.every_images=2_000",
        "--set",
        "run.score.classifier=judge.safetensors",
        "--set",
        "run.score.samples=150",
    ];
    train("scratch", "new", "8_000", &scored);
    train(
        "tuned",
        "new",
        "8_000",
        &[&scored[..], &["--init", "old-run"]].concat(),
    );
    let distances = |run: &str| -> Vec<f64> {
        let text = std::fs::read_to_string(setting.path(run).join("scores.jsonl")).unwrap();
        let records = text.lines().map(serde_json::from_str::<ScoreRecord>);
        records.map(|record| record.unwrap().frechet).collect()
    };
    let (scratch, tuned) = (distances("scratch"), distances("tuned"));
    println!("scratch {scratch:?}\ntuned {tuned:?}");
    let best = |distances: &[f64]| distances.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(
        best(&tuned[..3]) < best(&scratch),
        "scratch {scratch:?}, tuned {tuned:?}"
    );
}
