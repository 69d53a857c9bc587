//! Bad input of trainings: one clear line, the right exit code, nothing lost or half-written.

use crate::support::setting::{IMAGES, Setting, checkpoints, refusal};

const TRAIN: [&str; 6] = ["--config", "tiny.toml", "--out", "run", "--steps", "2"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&TRAIN[..], more].concat()
}

#[test]
fn unknown_keys_and_impossible_shapes() {
    let setting = Setting::new();
    for (value, parts) in [
        (
            "train.generator.chanels=4",
            &["`chanels`", "train.generator"][..],
        ),
        ("run.image=4", &["`image`", "run"]),
        ("extra=1", &["`extra`"]),
        (
            "train.generator.z_dim=9",
            &["z_dim is 9", "4 chunks", "use 8 or 12"],
        ),
        (
            "train.generator.resolution=33",
            &["resolution is 33", "[16, 32, 64, 128, 256, 512]"],
        ),
        (
            "train.discriminator.resolution=64",
            &["resolution is 32", "expected 64", "agree"],
        ),
        ("train.batch_size=1", &["batch_size is 1", "2 or more"]),
        ("train.adam_g.lr=-1", &["adam_g.lr is -1", "above 0"]),
        ("run.images=0", &["run.images is 0", "1 or more"]),
        (
            "train.generator.channels=word",
            &["train.generator.channels", "word"],
        ),
        ("train.seed", &["no \"=\"", "key=value"]),
        ("train.d_steps=0", &["d_steps is 0", "1 to batch_size 4"]),
        ("train.d_steps=5", &["d_steps is 5", "1 to batch_size 4"]),
        (
            "train.techniques.r1.gamma=-10.0",
            &["r1.gamma is -10", "0 or more"],
        ),
        (
            "train.techniques.sigma_clamp={ kind = \"fixed\", sigma = -1.0 }",
            &["sigma_clamp.sigma is -1", "above 0"],
        ),
        (
            "train.techniques.sigma_clamp={ kind = \"ratio\", ratio = -0.5 }",
            &["sigma_clamp.ratio is -0.5"],
        ),
        (
            "train.techniques={ objective = \"wasserstein\", augment = { operations = [\"flip\"], ada_target = 0.6 } }",
            &["ada_target is 0.6", "objective wasserstein", "leave it out"],
        ),
        (
            "train.orthogonal_d=-1.0",
            &["orthogonal_d is -1", "0 or more"],
        ),
        (
            "train.orthogonal_term=squared",
            &["`squared`", "`modified`", "`original`"],
        ),
        (
            "train.techniques.spectral_decay=0.1",
            &["`spectral_decay`", "train.techniques"],
        ),
    ] {
        setting.refused(2, &with(&["--set", value]), parts);
    }
    std::fs::write(setting.path("broken.toml"), "name = \"x\"\nrun = [\n").unwrap();
    setting.refused(2, &["--config", "broken.toml"], &["broken.toml", "line "]);
    assert!(!setting.path("run").exists());
}

#[test]
fn data_that_is_missing_truncated_or_of_another_kind() {
    let setting = Setting::new();
    let labels = setting.path("data/train-labels-idx1-ubyte");
    let images = setting.path("data/train-images-idx3-ubyte");
    let good = std::fs::read(&images).unwrap();

    std::fs::write(&images, &good[..good.len() - 100]).unwrap();
    let whole = 16 + IMAGES * 28 * 28;
    let (found, expected) = (
        format!("{} bytes", whole - 100),
        format!("expected {whole}"),
    );
    setting.refused(
        1,
        &TRAIN,
        &["train-images-idx3-ubyte", "truncated", &found, &expected],
    );
    std::fs::write(&images, &good[..10]).unwrap();
    setting.refused(
        1,
        &TRAIN,
        &["train-images-idx3-ubyte", "truncated: 10 bytes"],
    );
    std::fs::write(&images, b"\x89PNG and so on and so on").unwrap();
    setting.refused(1, &TRAIN, &["not an idx file", "starts with [137, 80"]);
    std::fs::write(&images, &good).unwrap();

    setting.write_idx("train-labels-idx1-ubyte", &[IMAGES - 1], &[0; IMAGES - 1]);
    setting.refused(1, &TRAIN, &["24 images but 23 labels"]);
    let mut wrong = vec![0; IMAGES];
    wrong[5] = 3;
    setting.write_idx("train-labels-idx1-ubyte", &[IMAGES], &wrong);
    setting.refused(1, &TRAIN, &["label 3 of image 5", "3 classes, 0 to 2"]);

    std::fs::remove_file(&labels).unwrap();
    setting.refused(
        1,
        &TRAIN,
        &["train-labels-idx1-ubyte is missing", "data.path"],
    );
    assert!(checkpoints(&setting.path("run")).is_empty());
}

#[test]
fn archives_cut_short_and_wrong_checksums() {
    let setting = Setting::new();
    let images = setting.path("data/train-images-idx3-ubyte");
    let plain = std::fs::read(&images).unwrap();
    std::fs::remove_file(&images).unwrap();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gz, &plain).unwrap();
    let gz = gz.finish().unwrap();
    let archive = setting.path("data/train-images-idx3-ubyte.gz");
    std::fs::write(&archive, &gz[..gz.len() / 2]).unwrap();
    setting.refused(1, &TRAIN, &["train-images-idx3-ubyte.gz", "cut short"]);
    std::fs::write(&archive, &gz).unwrap();
    setting.ok(&TRAIN); // whole archives are read

    // the path wins over fetching, and what stands there must be the data set that is named
    let named = with(&[
        "--resume",
        "--set",
        "data.dataset=fashion-mnist",
        "--set",
        "train.generator.classes=10",
        "--set",
        "train.discriminator.classes=10",
    ]);
    std::fs::remove_dir_all(setting.path("run")).unwrap();
    setting.refused(
        1,
        &named,
        &[
            "SHA-256",
            "expected c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        ],
    );
}

#[test]
fn data_sets_that_do_not_exist_or_do_not_fit() {
    let setting = Setting::new();
    setting.refused(
        2,
        &with(&["--set", "data.dataset=fashion"]),
        &["\"fashion\"", "fashion-mnist, idx"],
    );
    setting.refused(
        2,
        &with(&["--set", "data.class_names=[\"a\", \"b\"]"]),
        &["data.class_names", "2 names", "expected 3 names"],
    );
    setting.refused(2, &["data", "fetch", "idx"], &["idx cannot be fetched"]);
    setting.write_idx("train-images-idx3-ubyte", &[24, 33, 33], &[0; 24 * 33 * 33]);
    setting.refused(2, &TRAIN, &["33x33", "resolution is 32", "data pack"]);
}

#[test]
fn run_directories_that_cannot_be_written() {
    let setting = Setting::new();
    // below a regular file: refused to root too
    setting.refused(
        1,
        &["--config", "tiny.toml", "--out", "tiny.toml/run"],
        &["tiny.toml/run cannot be written", "--out"],
    );
}

/// A limit on the size of files is a full disk that needs no disk.
#[cfg(unix)]
#[test]
fn a_full_disk_leaves_the_old_checkpoint() {
    let setting = Setting::new();
    setting.train("run", 2, &[]);
    let before = std::fs::read(setting.newest_checkpoint("run")).unwrap();
    let program = env!("CARGO_BIN_EXE_native-train");
    let script = "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\"";
    let output = std::process::Command::new("sh")
        .args(["-c", script, program])
        .args(with(&["--resume"]))
        .current_dir(setting.path("."))
        .output()
        .unwrap();
    refusal(
        &output,
        1,
        &["could not be written", "000000000032", "too large"],
    );
    let left = checkpoints(&setting.path("run"));
    assert_eq!(left.len(), 1);
    assert_eq!(std::fs::read(&left[0]).unwrap(), before);
    let files = std::fs::read_dir(setting.path("run/checkpoints")).unwrap();
    assert_eq!(files.count(), 1, "no unfinished file stays");
    setting.ok(&with(&["--resume"]));
}

/// The kernel's always-full device: writing a result fails cleanly.
#[cfg(target_os = "linux")]
#[test]
fn a_full_device_is_an_error() {
    let setting = Setting::new();
    setting.train("run", 8, &[]);
    let export = ["export", "run", "--passes", "1", "--out", "/dev/full"];
    setting.refused(1, &export, &["/dev/full", "No space left"]);
}

/// A strength of regularisation whose gradient overflows f32 at once.
const OVERFLOW: [&str; 2] = ["--set", "train.orthogonal=1e38"];

/// Without the collapse detector.
const UNWATCHED: [&str; 2] = ["--set", "run.collapse.enabled=false"];

#[test]
fn a_loss_that_is_not_finite_stops_and_saves_nothing() {
    let setting = Setting::new();
    let args = ["--config", "tiny.toml", "--out", "run", "--steps", "9"];
    setting.refused(
        1,
        &[&args[..], &OVERFLOW, &UNWATCHED].concat(),
        &[
            "is NaN at generator step 1",
            "last good checkpoint is none",
            "adam_g.lr 0.001",
            "--out",
        ],
    );
    assert!(checkpoints(&setting.path("run")).is_empty());
}

#[test]
fn a_broken_state_is_no_checkpoint() {
    let setting = Setting::new();
    // stops after the step that broke the weights, before any loss shows it
    let args = ["--config", "tiny.toml", "--out", "run", "--steps", "1"];
    let args = [&args[..], &OVERFLOW, &UNWATCHED].concat();
    let error = setting.refused(
        1,
        &args,
        &["after generator step 1", "nothing of it was saved"],
    );
    assert!(error.contains("NaN") || error.contains("inf"), "{error}");
    assert!(checkpoints(&setting.path("run")).is_empty());
}
