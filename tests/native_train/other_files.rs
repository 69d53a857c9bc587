//! Files that are not what they should be are called by name, in every command that reads one.

use crate::support::models::with_model;
use crate::support::setting::{RESUME_ONE_STEP, Setting, checkpoints, stderr};

const LFS: &[u8] = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
const PAGE: &[u8] = b"\n<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>\n";
const OTHERS: [(&[u8], &str, &str); 6] = [
    (LFS, "Git LFS", "git lfs pull"),
    (PAGE, "HTML page", "fetch the file itself"),
    (b"\x1f\x8b\x08\0\0\0\0\0\0\x03", "gzip", "unpack"),
    (b"\x08\x07\x12\x07pytorch\x1a\x0511.0\0", "ONNX", "weights"),
    (
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        "PNG picture",
        "not a picture",
    ),
    (b"", "empty", "again"),
];

#[test]
fn a_file_of_another_kind_is_called_by_name() {
    let setting = with_model();
    setting.ok(&["data", "pack", "--config", "tiny.toml", "--out", "packed"]);
    let model = "model.safetensors";
    let commands: [&[&str]; 12] = [
        &["sample", "other", "--class", "0", "--out", "x.png"],
        &["inspect", "other"],
        &["export", "other", "--out", "x.safetensors"],
        &["standing-stats", "other", "--out", "x.safetensors"],
        &["--config", "other"],
        &["--config", "other.safetensors"],
        &[
            "sample",
            "other.index.json",
            "--class",
            "0",
            "--out",
            "x.png",
        ],
        &["sample", model, "--latents", "other", "--out", "x.png"],
        &["sample", model, "--pictures", "other", "--out", "x.png"],
        &["evaluate", model, "--classifier", "other"],
        &[
            "import",
            "--from",
            "studiogan",
            "other",
            "--out",
            "x.safetensors",
        ],
        &[
            "--config",
            "tiny.toml",
            "--out",
            "other-run",
            "--set",
            "data.dataset=packed",
            "--set",
            "data.path=packed",
        ],
    ];
    for (bytes, name, remedy) in OTHERS {
        for file in [
            "other",
            "other.safetensors",
            "other.index.json",
            "packed/train.pack",
        ] {
            std::fs::write(setting.path(file), bytes).unwrap();
        }
        for args in commands {
            // an empty recipe or list is refused for what it lacks
            let reads_text = args.contains(&"--pictures") || args == ["--config", "other"];
            if bytes.is_empty() && reads_text {
                continue;
            }
            let output = setting.run(args);
            let text = stderr(&output);
            let error = text.lines().last().unwrap_or_default();
            assert!(!output.status.success(), "{args:?}");
            assert!(error.starts_with("error: "), "{args:?}: {text}");
            for part in [name, remedy] {
                assert!(error.contains(part), "{args:?}: {error:?} lacks {part:?}");
            }
        }
    }
    assert!(!setting.path("x.png").exists() && !setting.path("x.safetensors").exists());
}

#[test]
fn a_missing_file_is_refused_with_the_one_that_was_meant() {
    let setting = with_model();
    std::fs::create_dir(setting.path("models")).unwrap();
    std::fs::rename(
        setting.path("model.safetensors"),
        setting.path("models/fashion32.safetensors"),
    )
    .unwrap();
    let meant = "did you mean models/fashion32.safetensors?";
    for name in [
        "models/fashion23.safetensors",
        "fashion32.safetensors",
        "model/fashion32.safetensors",
        "models/fashion32.pth",
    ] {
        setting.refused(1, &["inspect", name], &[name, "No such file", meant]);
    }
    setting.refused(
        2,
        &["--config", "tiny.tml"],
        &["tiny.tml", "did you mean tiny.toml?"],
    );
    setting.refused(
        2,
        &["watch", "rum"],
        &["rum is not a directory", "did you mean run?"],
    );
    let sample = ["sample", "models", "--class", "0", "--out", "x.png"];
    let parts = [
        "models",
        "is a directory",
        "such as models/fashion32.safetensors",
    ];
    setting.refused(1, &sample, &parts);
}

#[test]
fn directories_and_names_that_look_like_numbers_are_taken() {
    let setting = Setting::new();
    for directory in ["2019", "true", "1e5"] {
        std::fs::rename(setting.path("data"), setting.path(directory)).unwrap();
        let set = format!("data.path={directory}");
        setting.train(&format!("run-{directory}"), 1, &["--set", &set]);
        std::fs::rename(setting.path(directory), setting.path("data")).unwrap();
    }
    // the directory in which the program runs has a name too
    for file in ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"] {
        std::fs::copy(setting.path("data").join(file), setting.path(file)).unwrap();
    }
    setting.train("here", 1, &["--set", "data.path=.", "--set", "name=2024"]);
    assert_eq!(checkpoints(&setting.path("here")).len(), 1);
    let empty = ["--config", "tiny.toml", "--set", "data.path="];
    setting.refused(2, &empty, &["data.path is empty", "write \".\""]);
}

#[test]
fn a_recipe_with_a_mark_of_its_encoding_is_read() {
    let setting = Setting::new();
    let recipe = std::fs::read_to_string(setting.path("tiny.toml")).unwrap();
    std::fs::write(setting.path("tiny.toml"), format!("\u{feff}{recipe}")).unwrap();
    setting.train("run", 1, &[]);
    let wide: Vec<u8> = std::iter::once(0xfeff)
        .chain(recipe.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    std::fs::write(setting.path("tiny.toml"), wide).unwrap();
    setting.ok(&RESUME_ONE_STEP);
    std::fs::write(setting.path("tiny.toml"), b"name = \"\xe9\"\n").unwrap();
    setting.refused(
        2,
        &RESUME_ONE_STEP,
        &["line 1, byte 8 is not UTF-8", "save it as UTF-8"],
    );
}

#[test]
fn a_seed_above_two_to_the_63_survives_set_on_its_checkpoint() {
    let setting = Setting::new();
    let seed = "train.seed=18446744073709551614";
    setting.train("run", 1, &["--set", seed]);
    std::fs::copy(
        setting.newest_checkpoint("run"),
        setting.path("c.safetensors"),
    )
    .unwrap();
    let plan = [
        "--config",
        "c.safetensors",
        "--dry-run",
        "--set",
        "run.images=64",
    ];
    let said = setting.ok(&plan);
    assert!(said.contains("\"seed\": 18446744073709551614"), "{said}");
    assert!(said.contains("\"images\": 64"), "{said}");
    let sample = [
        "sample", "m", "--class", "0", "--out", "x.png", "--seed", "-1",
    ];
    setting.refused(2, &sample, &["-1", "--seed", "0 to 18446744073709551615"]);
}
