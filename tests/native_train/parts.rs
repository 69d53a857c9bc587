//! A model in parts: export -> sample -> inspect.

use crate::support::models::{image, with_model};

#[test]
fn a_model_in_parts_is_the_same_model() {
    let setting = with_model();
    let export = |more: &[&str]| {
        let args = ["export", "run", "--passes", "2", "--out"];
        setting.ok(&[&args[..], more].concat());
    };
    let index = "parts.safetensors.index.json";
    export(&["parts.safetensors", "--shard-size", "4KiB"]);
    let parts = || -> Vec<_> {
        let names = std::fs::read_dir(setting.path(".")).unwrap();
        let mut names: Vec<String> = names
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with("parts-"))
            .collect();
        names.sort();
        names
    };
    let names = parts();
    assert!(names.len() > 1, "{names:?}");
    assert_eq!(
        names[0],
        format!("parts-00001-of-{:05}.safetensors", names.len())
    );
    let contents = || -> Vec<Vec<u8>> {
        let names = parts().into_iter().chain([index.to_owned()]);
        names
            .map(|name| std::fs::read(setting.path(&name)).unwrap())
            .collect()
    };
    let first = contents();
    export(&[index, "--shard-size", "4KiB"]);
    assert_eq!(first, contents(), "the same bytes again");
    // and so is one file
    let bytes = std::fs::read(setting.path("model.safetensors")).unwrap();
    export(&["model.safetensors"]);
    assert_eq!(
        bytes,
        std::fs::read(setting.path("model.safetensors")).unwrap()
    );

    let sample = |model: &str| {
        setting.ok(&[
            "sample", model, "--class", "0", "--count", "2", "--raw", "raw",
        ]);
        image(&setting.path("raw")).values
    };
    assert_eq!(sample(index), sample("model.safetensors"));
    assert!(
        setting
            .ok(&["inspect", index])
            .contains("64 images, 8 generator steps")
    );

    let sample = ["sample", index, "--class", "0", "--raw", "raw"];
    let part = ["sample", names[0].as_str(), "--class", "0", "--raw", "raw"];
    setting.refused(1, &part, &["one shard", "index.json"]);
    let path = setting.path(&names[1]);
    let mut spoiled = std::fs::read(&path).unwrap();
    *spoiled.last_mut().unwrap() ^= 1;
    std::fs::write(&path, spoiled).unwrap();
    setting.refused(1, &sample, &[index, &names[1], "SHA-256"]);
    std::fs::remove_file(&path).unwrap();
    setting.refused(1, &sample, &[index, &names[1], "No such file"]);

    let unnamed = [
        "export",
        "run",
        "--passes",
        "2",
        "--out",
        "x",
        "--shard-size",
        "1MB",
    ];
    setting.refused(2, &unnamed, &["--shard-size", ".safetensors"]);
    setting.refused(
        2,
        &["export", "run", "--passes", "2", "--out", index],
        &["names an index"],
    );
}
