//! Models by name, from a server that behaves as the hub does.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::fixtures::fixture;
use crate::support::hub::{COMMIT, Hub, HubFile};
use crate::support::models::{image, with_model};
use crate::support::setting::{Setting, png_size, refusal, stderr};

const NAME: &str = "hf:owner/model";
const REPOSITORY: &str = "owner/model";

/// The program with a home of its own and this hub.
fn command(setting: &Setting, hub: &Hub, args: &[&str]) -> Command {
    let mut command = setting.command(args);
    command
        .env("HF_ENDPOINT", &hub.endpoint)
        .env("XDG_CACHE_HOME", setting.path("caches"));
    for variable in ["HF_HOME", "HF_HUB_CACHE", "HF_TOKEN", "HF_HUB_OFFLINE"] {
        command.env_remove(variable);
    }
    command
}

fn ok(setting: &Setting, hub: &Hub, args: &[&str]) -> String {
    let output = command(setting, hub, args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", stderr(&output));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn refused(setting: &Setting, hub: &Hub, args: &[&str], code: i32, parts: &[&str]) {
    refusal(&command(setting, hub, args).output().unwrap(), code, parts);
}

fn blobs(setting: &Setting) -> Vec<PathBuf> {
    let folder = setting.path("caches/huggingface/hub/models--owner--model/blobs");
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

fn model(setting: &Setting) -> Vec<u8> {
    std::fs::read(setting.path("model.safetensors")).unwrap()
}

#[test]
fn a_model_is_fetched_once_and_sampled_by_its_name() {
    let (setting, hub) = (with_model(), Hub::start());
    hub.put(REPOSITORY, "model.safetensors", &model(&setting));
    hub.put(REPOSITORY, "README.md", b"---\nlicense: mit\n---\n");
    let path = ok(&setting, &hub, &["fetch", NAME]);
    assert_eq!(std::fs::read(&path).unwrap(), model(&setting));
    assert!(
        path.ends_with(&format!(
            "huggingface/hub/models--owner--model/snapshots/{COMMIT}/model.safetensors"
        )),
        "{path}"
    );
    let asked = hub.asked();
    assert_eq!(
        asked.len(),
        3,
        "a listing, a redirect, a content: {asked:?}"
    );
    // whole: neither what is unfinished nor another file is there
    assert_eq!(blobs(&setting).len(), 1);

    ok(&setting, &hub, &["fetch", NAME]);
    assert_eq!(hub.asked().len(), 1, "what is kept is not fetched again");
    let sample = |model: &str, raw: &str| {
        ok(
            &setting,
            &hub,
            &[
                "sample", model, "--raw", raw, "--count", "2", "--class", "0",
            ],
        )
    };
    sample(NAME, "named.safetensors");
    sample("model.safetensors", "file.safetensors");
    assert_eq!(
        image(&setting.path("named.safetensors")).values,
        image(&setting.path("file.safetensors")).values
    );
    ok(&setting, &hub, &["inspect", NAME]);
    ok(&setting, &hub, &["classes", NAME]);
    ok(&setting, &hub, &["export", NAME, "--onnx", "model.onnx"]);
    assert!(hub.asked().is_empty(), "what is kept needs no network");
    ok(
        &setting,
        &hub,
        &[
            "--config",
            "tiny.toml",
            "--out",
            "tuned",
            "--steps",
            "1",
            "--init",
            NAME,
        ],
    );
    // another revision is the same commit here
    ok(&setting, &hub, &["inspect", "hf:owner/model@v2"]);
    assert_eq!(hub.asked().len(), 1);
    ok(
        &setting,
        &hub,
        &["inspect", &format!("hf:owner/model@{COMMIT}")],
    );
    ok(
        &setting,
        &hub,
        &["inspect", "hf:owner/model/model.safetensors@refs/pr/1"],
    );

    let mut offline = command(&setting, &hub, &["fetch", NAME]);
    assert!(
        offline
            .env("HF_HUB_OFFLINE", "1")
            .output()
            .unwrap()
            .status
            .success()
    );
    let mut offline = command(&setting, &hub, &["fetch", "hf:owner/other"]);
    refusal(
        &offline.env("HF_HUB_OFFLINE", "1").output().unwrap(),
        1,
        &["HF_HUB_OFFLINE", "hf:owner/other"],
    );

    // what is kept is everyone's
    refused(
        &setting,
        &hub,
        &["classes", NAME, "--class-names", "cifar10"],
        2,
        &["stays as it was fetched"],
    );
}

#[test]
fn a_model_in_parts_and_weights_of_another_program() {
    let (setting, hub) = (with_model(), Hub::start());
    std::fs::create_dir(setting.path("parts")).unwrap();
    ok(
        &setting,
        &hub,
        &[
            "export",
            "run",
            "--out",
            "parts/m.safetensors",
            "--passes",
            "2",
            "--shard-size",
            "4KiB",
        ],
    );
    for entry in std::fs::read_dir(setting.path("parts")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        hub.put("owner/parts", name, &std::fs::read(&path).unwrap());
    }
    ok(&setting, &hub, &["inspect", "hf:owner/parts"]);

    let folder = fixture("hf-deep-128");
    for name in ["pytorch_model.bin", "config.json"] {
        hub.put(
            "owner/deep",
            name,
            &std::fs::read(folder.join(name)).unwrap(),
        );
    }
    let path = ok(&setting, &hub, &["fetch", "hf:owner/deep"]);
    assert!(
        Path::new(&path).starts_with(setting.path("caches/biggan/models")),
        "{path}"
    );
    hub.asked();
    ok(
        &setting,
        &hub,
        &[
            "sample",
            "hf:owner/deep",
            "--class",
            "1",
            "--count",
            "1",
            "--raw",
            "named.safetensors",
        ],
    );
    assert!(hub.asked().is_empty());
    ok(
        &setting,
        &hub,
        &[
            "import",
            "--from",
            "hf-deep",
            "hf:owner/deep",
            "--dtype",
            "f32",
            "--out",
            "i.safetensors",
        ],
    );
    ok(
        &setting,
        &hub,
        &[
            "sample",
            "i.safetensors",
            "--class",
            "1",
            "--count",
            "1",
            "--raw",
            "file.safetensors",
        ],
    );
    assert_eq!(
        image(&setting.path("named.safetensors")).values,
        image(&setting.path("file.safetensors")).values
    );
}

#[test]
fn a_run_becomes_a_repository_that_is_fetched_and_trained_on() {
    let (setting, hub) = (with_model(), Hub::start());
    let folder = setting.path("my-model");
    let export = [
        "export",
        "run",
        "--hub",
        "my-model",
        "--passes",
        "2",
        "--license",
        "mit",
        "--discriminator",
    ];
    ok(&setting, &hub, &export);
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    assert_eq!(
        read("model.safetensors"),
        model(&setting),
        "as `export --out` writes it"
    );
    let config: serde_json::Value = serde_json::from_slice(&read("config.json")).unwrap();
    assert_eq!(
        (&config["model_type"], &config["generator"]["classes"]),
        (&"biggan".into(), &3.into())
    );
    let card = String::from_utf8(read("README.md")).unwrap();
    for part in [
        "---\nlicense: \"mit\"\n",
        "library_name: biggan",
        "pipeline_tag: unconditional-image-generation",
        "datasets:",
        "hf:OWNER/my-model",
        "samples.png",
    ] {
        assert!(card.contains(part), "{part}: {card}");
    }
    assert!(png_size(&folder.join("samples.png")).0 > 0);
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        hub.put(
            "me/my-model",
            path.file_name().unwrap().to_str().unwrap(),
            &std::fs::read(&path).unwrap(),
        );
    }
    let tuned = [
        "--config",
        "tiny.toml",
        "--out",
        "tuned",
        "--steps",
        "1",
        "--init",
        "hf:me/my-model",
    ];
    let output = command(&setting, &hub, &tuned).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        !stderr(&output).contains("D starts anew"),
        "{}",
        stderr(&output)
    );

    // what somebody wrote stays
    std::fs::write(folder.join("README.md"), "mine").unwrap();
    ok(&setting, &hub, &export);
    assert_eq!(read("README.md"), b"mine");
    // of a model, with the values that it has
    ok(
        &setting,
        &hub,
        &["export", "model.safetensors", "--hub", "copy"],
    );
    assert_eq!(
        std::fs::read(setting.path("copy/model.safetensors")).unwrap(),
        model(&setting)
    );
    refused(
        &setting,
        &hub,
        &[
            "export",
            "model.safetensors",
            "--hub",
            "copy",
            "--discriminator",
        ],
        2,
        &["--discriminator", "give the run"],
    );
    refused(
        &setting,
        &hub,
        &["export", "run", "--hub", "tiny.toml"],
        2,
        &["is a file"],
    );
    refused(
        &setting,
        &hub,
        &["export", "missing", "--hub", "never"],
        1,
        &["missing"],
    );
    assert!(!setting.path("never").exists());
    // of other classes than its generator
    std::fs::write(setting.path("names.txt"), "one\ntwo\nthree\n").unwrap();
    ok(
        &setting,
        &hub,
        &[
            "classes",
            "my-model/model.safetensors",
            "--class-names",
            "names.txt",
        ],
    );
    let init = [
        "--config",
        "tiny.toml",
        "--out",
        "other",
        "--steps",
        "1",
        "--init",
        "my-model/model.safetensors",
    ];
    refused(
        &setting,
        &hub,
        &init,
        1,
        &["the classes of the discriminator"],
    );
}

#[test]
fn a_download_that_breaks_off_goes_on() {
    let (setting, hub) = (with_model(), Hub::start());
    let bytes = model(&setting);
    let file = |cut| HubFile {
        bytes: bytes.clone(),
        cut,
        ..HubFile::default()
    };
    hub.put_file(REPOSITORY, "model.safetensors", file(2));
    ok(&setting, &hub, &["fetch", NAME]);
    let froms: Vec<String> = hub
        .asked()
        .into_iter()
        .filter(|line| line.contains("/content/"))
        .collect();
    assert_eq!(froms.len(), 3, "{froms:?}");
    assert!(
        froms[1].ends_with(&format!("from {}", bytes.len() / 2)),
        "{froms:?}"
    );

    // more often than it is tried: the next command goes on
    std::fs::remove_dir_all(setting.path("caches")).unwrap();
    hub.put_file(REPOSITORY, "model.safetensors", file(4));
    refused(
        &setting,
        &hub,
        &["fetch", NAME],
        1,
        &["broke off 4 times", "bytes are kept", NAME],
    );
    assert!(
        !setting
            .path(&format!(
                "caches/huggingface/hub/models--owner--model/snapshots/{COMMIT}"
            ))
            .exists()
    );
    hub.asked();
    let path = ok(&setting, &hub, &["fetch", NAME]);
    assert!(hub.asked().last().unwrap().contains(" from "));
    assert_eq!(std::fs::read(path).unwrap(), bytes);

    // what is left of another file is no beginning of this one
    std::fs::remove_dir_all(setting.path("caches")).unwrap();
    hub.put_file(REPOSITORY, "model.safetensors", file(4));
    refused(&setting, &hub, &["fetch", NAME], 1, &["broke off"]);
    let partial = blobs(&setting).pop().unwrap();
    std::fs::write(partial, vec![0; bytes.len() + 1]).unwrap();
    let path = ok(&setting, &hub, &["fetch", NAME]);
    assert_eq!(std::fs::read(path).unwrap(), bytes);

    // a host that passes ranges by sends all of it again
    std::fs::remove_dir_all(setting.path("caches")).unwrap();
    hub.put_file(
        REPOSITORY,
        "model.safetensors",
        HubFile {
            no_ranges: true,
            ..file(1)
        },
    );
    let path = ok(&setting, &hub, &["fetch", NAME]);
    assert_eq!(std::fs::read(path).unwrap(), bytes);
}

#[test]
fn other_content_than_was_listed_is_not_kept() {
    let (setting, hub) = (with_model(), Hub::start());
    let damaged = |bytes: Vec<u8>| HubFile {
        bytes,
        is_damaged: true,
        ..HubFile::default()
    };
    hub.put_file(REPOSITORY, "model.safetensors", damaged(model(&setting)));
    refused(
        &setting,
        &hub,
        &["fetch", NAME],
        1,
        &["SHA-256", "expected", "try again"],
    );
    assert!(blobs(&setting).is_empty(), "{:?}", blobs(&setting));
    hub.put(REPOSITORY, "model.safetensors", &model(&setting));
    ok(&setting, &hub, &["fetch", NAME]);
    // small files are checked as Git checks them
    hub.put_file("owner/small", "config.json", damaged(b"{}".to_vec()));
    hub.put("owner/small", "G.pth", b"no weights");
    refused(
        &setting,
        &hub,
        &["fetch", "hf:owner/small"],
        1,
        &["Git's SHA-1"],
    );
    hub.put("owner/small", "config.json", b"{}");
    refused(
        &setting,
        &hub,
        &["fetch", "hf:owner/small"],
        1,
        &["hf:owner/small"],
    );
}

#[test]
fn what_the_hub_does_not_show_is_said_in_a_line() {
    let (setting, hub) = (with_model(), Hub::start());
    hub.put(REPOSITORY, "model.safetensors", &model(&setting));
    hub.state
        .lock()
        .unwrap()
        .private
        .insert(REPOSITORY.to_owned(), "key".to_owned());
    refused(
        &setting,
        &hub,
        &["fetch", "hf:nobody/nothing"],
        1,
        &["there is no", "/nobody/nothing", "HF_TOKEN"],
    );
    refused(
        &setting,
        &hub,
        &["sample", NAME, "--out", "a.png"],
        1,
        &["there is no", "private", "HF_TOKEN"],
    );
    let with_token = |token: &str| {
        command(&setting, &hub, &["fetch", NAME])
            .env("HF_TOKEN", token)
            .output()
            .unwrap()
    };
    refusal(&with_token("wrong"), 1, &["your HF_TOKEN may not see it"]);
    // the token goes to the hub, and not to where it leads
    let output = with_token("key");
    assert!(output.status.success(), "{}", stderr(&output));
    hub.state.lock().unwrap().private.clear();
    refused(
        &setting,
        &hub,
        &["fetch", "hf:owner/model@v9"],
        1,
        &["no revision v9"],
    );
    hub.state.lock().unwrap().gated.push(REPOSITORY.to_owned());
    refused(&setting, &hub, &["fetch", NAME], 1, &["terms", "HF_TOKEN"]);
    hub.put("owner/empty", "README.md", b"nothing");
    refused(
        &setting,
        &hub,
        &["fetch", "hf:owner/empty"],
        1,
        &["no weights", "README.md"],
    );
    hub.put("owner/two", "a.safetensors", b"");
    hub.put("owner/two", "b.safetensors", b"");
    refused(
        &setting,
        &hub,
        &["fetch", "hf:owner/two"],
        1,
        &["several weights", "hf:OWNER/REPOSITORY/FILE"],
    );
    hub.put("owner/text", "model.safetensors", &[b'x'; 5000]);
    refused(
        &setting,
        &hub,
        &["fetch", "hf:owner/text"],
        1,
        &["hf:owner/text"],
    );
    refused(
        &setting,
        &hub,
        &["fetch", "hf:owner"],
        2,
        &["names no model", "hf:OWNER/REPOSITORY"],
    );
    refused(
        &setting,
        &hub,
        &["fetch", "goldfish"],
        2,
        &["names no model", "biggan-deep-256"],
    );
    refused(
        &setting,
        &hub,
        &["sample", "hf:a/../b", "--out", "a.png"],
        2,
        &["names no model"],
    );
    let mut astray = command(&setting, &hub, &["fetch", NAME]);
    let output = astray.env("HF_ENDPOINT", "nowhere").output().unwrap();
    refusal(
        &output,
        2,
        &["HF_ENDPOINT is \"nowhere\"", "https://huggingface.co"],
    );
    // nobody listens there
    let mut away = command(&setting, &hub, &["fetch", NAME]);
    refusal(
        &away
            .env("HF_ENDPOINT", "http://127.0.0.1:1")
            .output()
            .unwrap(),
        1,
        &["cannot be reached", "HF_ENDPOINT"],
    );
}
