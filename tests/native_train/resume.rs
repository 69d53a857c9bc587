//! A resumed run is the run.

use crate::support::runs::{assert_same_bits, content};
use crate::support::setting::{RESUME_ONE_STEP, Setting, checkpoints, png_size, stderr};

fn log(setting: &Setting, run: &str) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(setting.path(run).join("log.jsonl")).unwrap();
    text.lines()
        .map(|line| {
            let mut record: serde_json::Value = serde_json::from_str(line).unwrap();
            for clock in ["images_per_sec", "elapsed_secs"] {
                assert!(record[clock].as_f64().unwrap() > 0.0);
                record.as_object_mut().unwrap().remove(clock);
            }
            record.as_object_mut().unwrap().remove("memory");
            record
        })
        .collect()
}

#[test]
fn twenty_steps_are_ten_and_resume_and_ten() {
    let setting = Setting::new();
    setting.train("whole", 20, &[]);
    setting.train("parts", 10, &[]);
    setting.train("parts", 10, &["--resume"]);
    let (whole, parts) = (
        setting.newest_checkpoint("whole"),
        setting.newest_checkpoint("parts"),
    );
    assert_eq!(whole.file_name(), parts.file_name());
    assert_same_bits(&whole, &parts);
    let (whole, counters) = content(&whole);
    assert_eq!((counters.g_step, counters.images_seen), (20, 160));
    for prefix in [
        "generator.",
        "discriminator.",
        "ema.",
        "adam_g.first.",
        "adam_d.second.",
    ] {
        assert!(
            whole.0.keys().any(|name| name.starts_with(prefix)),
            "{prefix}"
        );
    }
    assert_eq!(log(&setting, "whole"), log(&setting, "parts"));
    assert_eq!(log(&setting, "whole").len(), 4);
}

#[test]
fn old_checkpoints_go_and_sheets_come() {
    let setting = Setting::new();
    setting.train("run", 50, &[]); // 400 images: a checkpoint every 80, a sheet at 400
    let names: Vec<String> = checkpoints(&setting.path("run"))
        .iter()
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(names, ["000000000240", "000000000320", "000000000400"]);
    let sheet = png_size(&setting.path("run/samples/000000000400.png"));
    // 8 columns and 3 classes of 32 pixels, margins of 2
    assert_eq!(sheet, (8 * 34 + 2, 3 * 34 + 2));
    assert!(setting.path("run/plan.json").exists());
}

#[test]
fn a_damaged_newest_checkpoint_is_named_and_the_one_before_is_used() {
    let setting = Setting::new();
    setting.train("run", 20, &[]);
    let newest = setting.newest_checkpoint("run");
    let bytes = std::fs::read(&newest).unwrap();
    std::fs::write(&newest, &bytes[..bytes.len() / 2]).unwrap();
    let output = setting.run(&RESUME_ONE_STEP);
    let text = crate::support::setting::stderr(&output);
    assert!(output.status.success(), "{text}");
    assert!(
        text.contains("warning: ") && text.contains("000000000160"),
        "{text}"
    );
    assert!(
        text.contains("resuming from run/checkpoints/000000000080"),
        "{text}"
    );
}

#[test]
fn a_changed_recipe_is_another_run_but_its_length_may_change() {
    let setting = Setting::new();
    setting.train("run", 2, &[]);
    let changed = [&RESUME_ONE_STEP[..], &["--set", "train.adam_g.lr=0.5"]].concat();
    setting.refused(
        2,
        &changed,
        &["train.adam_g.lr 0.001 -> 0.5", "--amend", "--out"],
    );
    let longer = [&RESUME_ONE_STEP[..], &["--set", "run.images=2000000"]].concat();
    setting.ok(&longer);
    let plan = std::fs::read_to_string(setting.path("run/plan.json")).unwrap();
    assert!(plan.contains("2000000"), "{plan}");
}

#[test]
fn a_recipe_may_be_amended_where_the_networks_stay() {
    let setting = Setting::new();
    setting.train("run", 2, &[]);
    let amended = [
        &RESUME_ONE_STEP[..],
        &["--amend", "--set", "train.adam_g.lr=0.5"],
    ]
    .concat();
    setting.ok(&amended);
    let events = std::fs::read_to_string(setting.path("run/events.jsonl")).unwrap();
    assert_eq!(
        events,
        "{\"amended\":{\"images_seen\":16,\"changes\":[\"train.adam_g.lr 0.001 -> 0.5\"]}}\n"
    );
    // and that is the recipe now
    let still = [&RESUME_ONE_STEP[..], &["--set", "train.adam_g.lr=0.5"]].concat();
    setting.ok(&still);
    let wider = [&amended[..], &["--set", "train.seed=9"]].concat();
    let error = setting.refused(2, &wider, &["train.seed 3 -> 9"]);
    assert!(!error.contains("--amend"), "{error}");
    let alone = ["--config", "tiny.toml", "--out", "new", "--amend"];
    assert_eq!(setting.run(&alone).status.code(), Some(2));
}

#[test]
fn changed_data_are_another_run() {
    let setting = Setting::new();
    setting.train("run", 2, &[]);
    let labels: Vec<u8> = (0..24).map(|image| (image + 1) % 3).collect();
    setting.write_idx("train-labels-idx1-ubyte", &[24], &labels);
    setting.refused(
        1,
        &["--config", "tiny.toml", "--out", "run", "--resume"],
        &["data differ", "SHA-256"],
    );
}

#[test]
fn looking_at_a_run_changes_nothing() {
    let setting = Setting::new();
    setting.train("seen", 10, &["--set", "run.watch_every_steps=5"]);
    setting.train("unseen", 10, &[]);
    let of = |run| content(&setting.newest_checkpoint(run));
    assert_eq!(of("seen"), of("unseen"));
}

#[test]
fn the_log_holds_what_the_plan_asks_for() {
    let setting = Setting::new();
    let watched = ["--set", "run.watch_every_steps=10"];
    let watched = [&watched[..], &["--set", "run.watch_images=6"]].concat();
    setting.train("trained", 10, &watched);
    let pixels: Vec<u8> = (0..5 * 28 * 28).map(|i| (i * i / 3 % 250) as u8).collect();
    setting.write_idx("t10k-images-idx3-ubyte", &[5, 28, 28], &pixels);
    setting.write_idx("t10k-labels-idx1-ubyte", &[5], &[0, 1, 2, 0, 1]);
    setting.train("held-out", 10, &watched);
    let lines = log(&setting, "held-out");
    // log_every_steps is 5
    assert_eq!(lines.len(), 2);
    for line in &lines {
        for norm in ["gradient_norm_d", "gradient_norm_g"] {
            assert!(line[norm].as_f64().unwrap() > 0.0, "{norm} in {line}");
        }
    }
    assert!(lines[0]["watch"].is_null());
    let watch = &lines[1]["watch"];
    for name in [
        "generator.blocks.0.conv1.weight",
        "discriminator.blocks.0.conv1.weight",
    ] {
        let sigma = watch["singular_values"][name].clone();
        let sigma: Vec<f64> = serde_json::from_value(sigma).unwrap();
        assert_eq!(sigma.len(), 3, "{name}");
        assert!(sigma[0] >= sigma[1] && sigma[1] > 0.0, "{name}: {sigma:?}");
    }
    // six asked for: five test images there are, fakes come in whole batches of four
    for (part, images) in [("d_training", 6), ("d_held_out", 5), ("d_fakes", 8)] {
        assert_eq!(watch[part]["images"], images, "{part}");
        let accuracy = watch[part]["accuracy"].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&accuracy), "{part}: {accuracy}");
        assert!(watch[part]["mean_logit"].is_f64(), "{part}");
    }
    // without a test part the run says so, once, and lacks the field alone
    let watch = &log(&setting, "trained")[1]["watch"];
    assert!(watch["d_held_out"].is_null() && watch["d_training"]["images"] == 6);
}

#[test]
fn a_run_without_held_out_images_says_so_once() {
    let setting = Setting::new();
    let args = ["--config", "tiny.toml", "--out", "run", "--steps", "20"];
    let output = setting.run(&[&args[..], &["--set", "run.watch_every_steps=5"]].concat());
    let text = crate::support::setting::stderr(&output);
    let said: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("images it never saw"))
        .collect();
    assert!(output.status.success() && said.len() == 1, "{text}");
    assert!(said[0].contains("t10k-images-idx3-ubyte"), "{text}");
}

#[test]
fn a_checkpoint_of_elsewhere_is_a_recipe_to_resume() {
    let setting = Setting::new();
    setting.train("whole", 20, &[]);
    setting.train("there", 10, &[]);
    let saved = setting.path("saved.safetensors");
    std::fs::rename(setting.newest_checkpoint("there"), &saved).unwrap();
    let args = ["--config", "saved.safetensors", "--out", "here"];
    let resumed = |steps| {
        let output = setting.run(&[&args[..], &["--resume", "--steps", steps]].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        stderr(&output)
    };
    let said = resumed("4");
    assert!(said.contains("resuming from saved.safetensors"), "{said}");
    // the directory's own checkpoint is newer now
    let said = resumed("6");
    assert!(said.contains("resuming from here/checkpoints"), "{said}");
    let (whole, here) = (
        setting.newest_checkpoint("whole"),
        setting.newest_checkpoint("here"),
    );
    assert_same_bits(&whole, &here);
    // values of its recipe can be set, and what is trained may not change
    let refused = [&args[..], &["--resume", "--set", "train.seed=4"]].concat();
    setting.refused(2, &refused, &["train.seed 3 -> 4"]);
    std::fs::write(setting.path("saved.safetensors"), b"no").unwrap();
    setting.refused(
        1,
        &args,
        &["saved.safetensors", "is text, expected a safetensors file"],
    );
}
