//! Folders of pictures that do not fit the memory they are granted: decoded on demand.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use crate::support::pictures::seeded_picture;
use crate::support::processes::wait_until;
use crate::support::runs::assert_same_bits;
use crate::support::setting::{Setting, checkpoints, refusal, stderr};

/// A recipe on the folder `pictures`: what memory holds, or what does not fit one byte.
fn recipe<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec!["--config", "tiny.toml", "--out", out];
    for set in [
        "data.dataset=image-folder",
        "data.path='pictures'",
        "data.flip=true",
        "train.generator.classes=2",
        "train.discriminator.classes=2",
    ] {
        args.extend(["--set", set]);
    }
    args.extend(more);
    args
}

const STREAMED: [&str; 2] = ["--set", "data.memory=1"];

/// Two classes with 11 training and 4 test pictures.
fn setting() -> Setting {
    let setting = Setting::new();
    for number in 0..15 {
        let part = if number < 11 { "train" } else { "test" };
        let class = if number % 2 == 0 { "apple" } else { "pear" };
        let path = setting.path(&format!("pictures/{part}/{class}/{number:02}.png"));
        seeded_picture(&path, 30 + number, 33 + number, 3 + number);
    }
    setting
}

fn start(setting: &Setting, args: &[&str]) -> Child {
    let mut command = setting.command(args);
    command.stderr(Stdio::piped()).spawn().unwrap()
}

fn wait_for_checkpoint(setting: &Setting, out: &str, child: &mut Child) {
    wait_until("a checkpoint", || {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        !checkpoints(&setting.path(out)).is_empty()
    });
}

#[test]
fn a_streamed_run_that_is_killed_and_resumed_is_the_run_from_memory() {
    let setting = setting();
    let common = [
        "--set",
        "run.images=160",
        "--set",
        "run.checkpoint_every_images=40",
        "--set",
        "run.watch_every_steps=5",
    ];
    let output = setting.run(&recipe("memory", &common));
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(!stderr(&output).contains("decoded on demand"));
    let streamed = [&common[..], &STREAMED].concat();
    let mut child = start(&setting, &recipe("streamed", &streamed));
    wait_for_checkpoint(&setting, "streamed", &mut child);
    child.kill().unwrap();
    child.wait().unwrap();
    let resume = [&streamed[..], &["--resume"]].concat();
    let output = setting.run(&recipe("streamed", &resume));
    let text = stderr(&output);
    assert!(output.status.success(), "{text}");
    assert!(
        text.contains("train: 11 pictures of 32x32 are 33.0 KiB, more than the 1 bytes of")
            && text.contains("data.memory"),
        "{text}"
    );
    let [memory, streamed] = ["memory", "streamed"].map(|out| setting.newest_checkpoint(out));
    assert_same_bits(&memory, &streamed);
    // what was trained from memory goes on without it, and the other way
    for (out, memory) in [
        ("memory", "data.memory=1"),
        ("streamed", "data.memory=1GiB"),
    ] {
        let longer = ["--resume", "--set", "run.images=240", "--set", memory];
        setting.ok(&recipe(out, &longer));
    }
    let [memory, streamed] = ["memory", "streamed"].map(|out| setting.newest_checkpoint(out));
    assert_same_bits(&memory, &streamed);
    // other pictures are refused without reading them
    seeded_picture(&setting.path("pictures/train/pear/01.png"), 77, 80, 1);
    let longer = ["--resume", "--set", "run.images=320"];
    let longer = [&longer[..], &STREAMED].concat();
    let args = recipe("streamed", &longer);
    setting.refused(1, &args, &["the data differ", "names-and-sizes:"]);
}

/// Starts a run without end, changes a picture, and waits for the error.
fn broken_while_running(setting: &Setting, change: impl Fn(&Path), parts: &[&str]) -> PathBuf {
    let mut child = start(setting, &recipe("run", &STREAMED));
    wait_for_checkpoint(setting, "run", &mut child);
    let path = setting.path("pictures/train/pear/05.png");
    change(&path);
    let output = child.wait_with_output().unwrap();
    refusal(&output, 1, &[&["pear/05.png: "], parts].concat());
    for checkpoint in checkpoints(&setting.path("run")) {
        let bytes = std::fs::read(checkpoint).unwrap();
        native_train::run::checkpoint::Checkpoint::decode(&bytes).unwrap();
    }
    path
}

#[test]
fn a_picture_damaged_while_it_runs_is_named_and_can_be_replaced() {
    let setting = setting();
    let damage = |path: &Path| {
        let mut bytes = std::fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0xff;
        // of the same size at every moment
        use std::io::Write;
        let mut file = std::fs::File::options().write(true).open(path).unwrap();
        file.write_all(&bytes).unwrap();
    };
    let parts = ["restore it", "data.skip_broken = true", "--resume"];
    broken_while_running(&setting, damage, &parts);
    std::fs::create_dir_all(setting.path("again/checkpoints")).unwrap();
    for path in checkpoints(&setting.path("run")) {
        let to = setting.path("again/checkpoints");
        std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
    let skip = ["--resume", "--set", "data.skip_broken=true", "--steps", "9"];
    let skip = [&skip[..], &STREAMED].concat();
    for out in ["run", "again"] {
        let output = setting.run(&recipe(out, &skip));
        let text = stderr(&output);
        assert!(output.status.success(), "{text}");
        // 72 images are more than six epochs
        assert_eq!(text.matches("pear/05.png").count(), 1, "{text}");
        assert!(text.contains("the next picture of its class replaces it"));
    }
    let [run, again] = ["run", "again"].map(|out| setting.newest_checkpoint(out));
    assert_same_bits(&run, &again);
}

#[test]
fn a_picture_removed_while_it_runs_is_named_and_the_run_goes_on_when_it_is_back() {
    let setting = setting();
    let kept = std::fs::read(setting.path("pictures/train/pear/05.png")).unwrap();
    let remove = |path: &Path| std::fs::remove_file(path).unwrap();
    let path = broken_while_running(&setting, remove, &["No such file", "restore it"]);
    let resume = ["--resume", "--steps", "3"];
    let resume = [&resume[..], &STREAMED].concat();
    setting.refused(1, &recipe("run", &resume), &["the data differ"]);
    std::fs::write(path, kept).unwrap();
    setting.ok(&recipe("run", &resume));
}

#[test]
fn everything_that_reads_images_reads_streamed_ones() {
    let setting = setting();
    let recipe = std::fs::read_to_string(setting.path("tiny.toml")).unwrap();
    let data = "dataset = \"image-folder\"\nmemory = \"1KiB\"\npath = \"pictures\"";
    let recipe = recipe
        .replace("dataset = \"idx\"\npath = \"data\"", data)
        .replace("classes = 3", "classes = 2");
    std::fs::write(setting.path("folder.toml"), recipe).unwrap();
    let bench = ["data", "bench", "--config", "folder.toml", "--images", "40"];
    let text = setting.ok(&bench);
    assert!(text.contains("batches of 4: 40 images"), "{text}");
    setting.ok(&["data", "check", "--config", "folder.toml"]);
}
