//! Files of the user survive every command that fails, and every command that succeeds leaves them readable.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use biggan::file::ModelFile;

use crate::support::models::{CLASSIFIER, image, with_model, with_test_images};
use crate::support::pictures::{apples_and_pears, seeded_picture};
use crate::support::setting::{RESUME_ONE_STEP, Setting, stderr};

/// Contents by path, of all files below.
fn contents(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(contents(&path)),
            false => drop(found.insert(path.clone(), std::fs::read(&path).unwrap())),
        }
    }
    found
}

fn events(setting: &Setting) -> String {
    std::fs::read_to_string(setting.path("run/events.jsonl")).unwrap_or_default()
}

#[test]
fn a_score_that_is_not_finite_does_not_destroy_the_model() {
    let setting = with_test_images();
    setting.ok(&CLASSIFIER);
    let evaluate = [
        "evaluate",
        "model.safetensors",
        "--classifier",
        "tiny.safetensors",
        "--dataset",
        "idx",
        "--data",
        "data",
        "--count",
        "2",
        "--neighbours",
        "2",
        "--recognised",
        "2",
        "--update",
        "--json",
        "scores.json",
        "--seed",
        "3",
    ];
    // two samples of different classes have no spread
    setting.ok(&evaluate);
    let model = std::fs::read(setting.path("model.safetensors")).unwrap();
    let scores = ModelFile::decode(&model).unwrap().info.scores;
    assert!(scores.keys().any(|name| name.starts_with("FD-tiny")));
    assert!(scores.values().all(|score| score.is_finite()));
    assert!(!scores.keys().any(|name| name.starts_with("spread")));
    setting.ok(&["inspect", "model.safetensors"]);
    let json = std::fs::read_to_string(setting.path("scores.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let written = json["scores"].as_array().unwrap();
    let name = |score: &serde_json::Value| score["name"].as_str().unwrap().to_owned();
    assert!(
        !written
            .iter()
            .any(|score| name(score).starts_with("spread"))
    );
    assert!(written.iter().all(|score| score["value"].is_number()));
}

#[test]
fn an_output_that_is_an_input_is_refused() {
    let setting = with_model();
    let model = "model.safetensors";
    let parts = "parts.safetensors.index.json";
    let export = [
        "export",
        "run",
        "--passes",
        "2",
        "--shard-size",
        "8KiB",
        "--out",
        parts,
    ];
    setting.ok(&export);
    let part = contents(&setting.path("."))
        .into_keys()
        .find(|path| path.to_string_lossy().contains("parts-00002"))
        .unwrap();
    let part = part.file_name().unwrap().to_str().unwrap().to_owned();
    std::fs::create_dir(setting.path("other")).unwrap();
    let checkpoint = setting.newest_checkpoint("run");
    let checkpoint = checkpoint.strip_prefix(setting.path("")).unwrap();
    let checkpoint = checkpoint.to_str().unwrap();
    for name in ["G.pth", "config.json", "latents", "labels", "stats"] {
        std::fs::write(setting.path(name), name).unwrap();
    }
    std::fs::hard_link(setting.path(model), setting.path("hard")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(format!("../{model}"), setting.path("other/soft")).unwrap();
    #[cfg(not(unix))]
    std::fs::hard_link(setting.path(model), setting.path("other/soft")).unwrap();
    apples_and_pears(&setting);
    let picture = "pictures/apple/0.png";
    let before = contents(&setting.path("."));

    let import = ["import", "--from", "hf-deep", "G.pth", "--out"];
    let import = |more: &[&'static str]| [&import[..], more].concat();
    let evaluate = ["evaluate", model, "--classifier", "tiny.safetensors"];
    let train = [
        "--dataset",
        "image-folder",
        "--data",
        "pictures",
        "--out",
        picture,
    ];
    let cases: [(Vec<&str>, [&str; 2]); 24] = [
        (
            vec!["sample", model, "--class", "0", "--out", model],
            ["--out", model],
        ),
        (
            vec![
                "sample",
                model,
                "--class",
                "0",
                "--out",
                "other/../model.safetensors",
            ],
            ["other/..", model],
        ),
        (
            vec!["sample", model, "--class", "0", "--raw", "hard"],
            ["--raw hard", model],
        ),
        (
            vec!["sample", model, "--class", "0", "--out", "other/soft"],
            ["other/soft", model],
        ),
        (
            vec!["sample", "other/soft", "--class", "0", "--out", model],
            ["other/soft", model],
        ),
        (
            vec![
                "sample",
                model,
                "--latents",
                "latents",
                "--out",
                "./latents",
            ],
            ["./latents", "--latents latents"],
        ),
        (
            vec!["sample", model, "--pictures", "latents", "--raw", "latents"],
            ["--raw", "--pictures latents"],
        ),
        (
            vec!["sample", parts, "--class", "0", "--out", &part],
            [&part, parts],
        ),
        (
            vec!["sample", model, "--class", "0", "--out", "x", "--raw", "x"],
            ["--out x", "--raw x"],
        ),
        (
            vec![
                "sample",
                model,
                "--class",
                "0",
                "--out",
                "x",
                "--raw",
                "other/../x",
            ],
            ["x", "same file"],
        ),
        (
            vec!["sheet", model, "--kind", "by-class", "--out", model],
            ["--out", model],
        ),
        (import(&["G.pth"]), ["--out G.pth", "weights G.pth"]),
        (import(&["config.json"]), ["config.json", "the config"]),
        (
            import(&["m.safetensors", "--report", "G.pth"]),
            ["--report G.pth", "weights"],
        ),
        (
            import(&["m.safetensors", "--report", "m.safetensors"]),
            ["--report", "--out m.safetensors"],
        ),
        (
            vec!["standing-stats", model, "--out", model],
            ["--out", model],
        ),
        (
            [&evaluate[..], &["--update", "--json", model]].concat(),
            ["--json", model],
        ),
        (
            [&evaluate[..], &["--picture", "s", "--json", "s"]].concat(),
            ["--picture s", "--json s"],
        ),
        (
            vec!["export", checkpoint, "--out", checkpoint],
            ["--out", checkpoint],
        ),
        (
            vec!["export", "run", "--out", "run/plan.json"],
            ["run/plan.json", "plan.json"],
        ),
        (
            vec!["export", model, "--onnx", "hard"],
            ["--onnx hard", model],
        ),
        (
            vec!["export", "run", "--onnx", "run/plan.json"],
            ["--onnx run/plan.json", "plan.json"],
        ),
        (
            vec!["report", "run", "--out", "run/log.jsonl"],
            ["run/log.jsonl", "run run"],
        ),
        (
            [&["classifier"][..], &train].concat(),
            [picture, "--data pictures"],
        ),
    ];
    for (args, names) in cases {
        setting.refused(2, &args, &names);
        assert!(before == contents(&setting.path(".")), "{args:?}");
    }
    // files of the user next to a run's, the page, and devices are no inputs
    setting.ok(&["report", "run"]);
    setting.ok(&["report", "run"]);
    let run_model = [
        "export",
        "run",
        "--passes",
        "2",
        "--out",
        "run/model.safetensors",
    ];
    setting.ok(&run_model);
    setting.ok(&run_model);
    #[cfg(unix)]
    setting.ok(&[
        "sample",
        model,
        "--class",
        "0",
        "--out",
        "/dev/null",
        "--raw",
        "/dev/null",
    ]);
}

#[cfg(unix)]
#[test]
fn an_output_through_a_link_replaces_the_target_and_keeps_its_mode() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let setting = with_model();
    std::fs::create_dir(setting.path("store")).unwrap();
    let target = setting.path("store/old.safetensors");
    std::fs::rename(setting.path("model.safetensors"), &target).unwrap();
    std::fs::set_permissions(&target, std::fs::Permissions::from_mode(0o640)).unwrap();
    symlink("store/old.safetensors", setting.path("link.safetensors")).unwrap();
    symlink("store/new.png", setting.path("new.png")).unwrap();
    let old = std::fs::read(&target).unwrap();
    let export = [
        "export",
        "run",
        "--passes",
        "3",
        "--out",
        "link.safetensors",
    ];
    setting.ok(&export);
    setting.ok(&[
        "sample",
        "link.safetensors",
        "--class",
        "0",
        "--out",
        "new.png",
    ]);
    assert_ne!(std::fs::read(&target).unwrap(), old);
    let mode = std::fs::metadata(&target).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o640);
    assert!(setting.path("store/new.png").is_file());
    for link in ["link.safetensors", "new.png"] {
        assert!(setting.path(link).is_symlink(), "{link}");
    }
}

#[cfg(unix)]
#[test]
fn numbers_go_to_standard_output() {
    let setting = with_model();
    let args = [
        "sample",
        "model.safetensors",
        "--class",
        "0",
        "--count",
        "1",
        "--raw",
    ];
    setting.ok(&[&args[..], &["file"]].concat());
    let expected = std::fs::read(setting.path("file")).unwrap();
    let to_stdout = [&args[..], &["/dev/stdout"]].concat();
    let piped = setting.run(&to_stdout);
    assert!(piped.status.success() && piped.stdout == expected);
    // a file behind it is appended to, not renamed over
    let file = std::fs::File::create(setting.path("redirected")).unwrap();
    assert!(
        setting
            .command(&to_stdout)
            .stdout(file)
            .status()
            .unwrap()
            .success()
    );
    assert!(std::fs::read(setting.path("redirected")).unwrap() == expected);
    assert!(Path::new("/dev/stdout").is_symlink());
    assert_eq!(image(&setting.path("redirected")).shape[0], 1);
}

#[test]
fn resume_keeps_lines_that_it_does_not_know() {
    let setting = Setting::new();
    setting.train("run", 10, &[]);
    let score = r#"{"g_step":3,"images_seen":24,"frechet":1.5,"recognised":0.5,"spread":null,"protocol":"c2"}"#;
    let odd: [(&str, Vec<u8>); 3] = [
        (
            "log.jsonl",
            b"# lr lowered by hand\n\xff\xfe\n{\"note\":1}\n{\"g_st".to_vec(),
        ),
        ("scores.jsonl", format!("{score}\nnot json\n").into_bytes()),
        (
            "events.jsonl",
            br#"{"moved":{"images_seen":9,"to":"x"}}"#.to_vec(),
        ),
    ];
    let mut before = Vec::new();
    for (name, lines) in &odd {
        let path = setting.path("run").join(name);
        let old = std::fs::read(&path).unwrap_or_default();
        before.push([&old[..], lines].concat());
        std::fs::write(&path, &before[before.len() - 1]).unwrap();
    }
    let amended = [
        &RESUME_ONE_STEP[..],
        &["--amend", "--set", "train.adam_g.lr=0.5"],
    ]
    .concat();
    setting.ok(&amended);
    // the half of a line is kept in a file of its own
    let torn = std::fs::read_to_string(setting.path("run/log.jsonl.torn")).unwrap();
    assert_eq!(torn, "{\"g_st\n");
    let whole = before[0].len() - "{\"g_st".len();
    before[0].truncate(whole);
    for ((name, _), before) in odd.iter().zip(&before) {
        let now = std::fs::read(setting.path("run").join(name)).unwrap();
        assert!(now.starts_with(before), "{name}");
        let rest = &now[before.len()..];
        assert!(
            rest.is_empty() || before.ends_with(b"\n") || rest[0] == b'\n',
            "{name}"
        );
    }
    assert!(events(&setting).ends_with(
        "\n{\"amended\":{\"images_seen\":80,\"changes\":[\"train.adam_g.lr 0.001 -> 0.5\"]}}\n"
    ));
}

#[test]
fn a_refused_amendment_leaves_no_event_and_the_old_plan() {
    let setting = Setting::new();
    setting.train("run", 2, &[]);
    let plan = || std::fs::read(setting.path("run/plan.json")).unwrap();
    let old = plan();
    let amend = |more: &[&str]| {
        let set = ["--amend", "--set", "train.adam_g.lr=0.5"];
        setting.run(&[&RESUME_ONE_STEP[..], &set, more].concat())
    };
    for _ in 0..3 {
        // found only after the recipes were compared
        let refused = amend(&["--set", "run.keep.max_bytes=1000"]);
        assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
        let refused = amend(&["--set", "data.path=gone"]);
        assert!(!refused.status.success());
        assert_eq!((events(&setting), plan()), (String::new(), old.clone()));
    }
    assert!(amend(&[]).status.success());
    assert_eq!(events(&setting).lines().count(), 1);
    assert_ne!(plan(), old);
}

#[test]
fn an_amended_run_takes_more_or_fewer_images_of_the_same_classes() {
    let setting = Setting::new();
    apples_and_pears(&setting);
    let more = [
        "--set",
        "data.dataset=image-folder",
        "--set",
        "data.path=pictures",
        "--set",
        "train.generator.classes=2",
        "--set",
        "train.discriminator.classes=2",
    ];
    let run = ["--config", "tiny.toml", "--out", "run", "--steps", "1"];
    let run = [&run[..], &more].concat();
    setting.ok(&run);
    let resume = [&run[..], &["--resume"]].concat();
    let amend = [&resume[..], &["--amend"]].concat();

    seeded_picture(&setting.path("pictures/pear/new.png"), 40, 40, 9);
    setting.refused(1, &resume, &["6 images there, 7 here", "--amend"]);
    setting.ok(&amend);
    assert!(
        events(&setting).contains("data 6 -> 7 images"),
        "{}",
        events(&setting)
    );
    // the next checkpoint is of these data
    setting.ok(&resume);
    std::fs::remove_file(setting.path("pictures/pear/new.png")).unwrap();
    std::fs::remove_file(setting.path("pictures/pear/0.png")).unwrap();
    setting.ok(&amend);
    assert!(
        events(&setting).contains("data 7 -> 5 images"),
        "{}",
        events(&setting)
    );

    let known = events(&setting);
    std::fs::rename(setting.path("pictures/pear"), setting.path("pictures/plum")).unwrap();
    setting.refused(1, &amend, &["apple, pear", "apple, plum", "--init"]);
    assert_eq!(events(&setting), known);
}

#[test]
fn an_export_in_parts_that_fails_leaves_the_old_model_whole() {
    let setting = with_model();
    let export = |name: &str, size: &str| {
        let args = [
            "export",
            "run",
            "--passes",
            "2",
            "--out",
            name,
            "--shard-size",
            size,
        ];
        setting.run(&args)
    };
    let parts = |stem: &str| -> Vec<PathBuf> {
        let all = contents(&setting.path(".")).into_keys();
        let is_part = |path: &PathBuf| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            name.starts_with(&format!("{stem}-"))
        };
        all.filter(is_part).collect()
    };
    assert!(export("m.safetensors", "4KiB").status.success());
    let (old, old_parts) = (contents(&setting.path(".")), parts("m"));
    assert!(export("probe.safetensors", "8KiB").status.success());
    let probe = parts("probe");
    assert!(2 < probe.len() && probe.len() < old_parts.len());
    // a directory lies where the second part goes
    let name = probe[1].file_name().unwrap().to_str().unwrap();
    let obstacle = setting.path(&name.replacen("probe", "m", 1));
    std::fs::create_dir(&obstacle).unwrap();
    let failed = export("m.safetensors", "8KiB");
    assert!(
        stderr(&failed).contains("-00002-of-"),
        "{}",
        stderr(&failed)
    );
    assert_eq!(failed.status.code(), Some(1));
    std::fs::remove_dir(&obstacle).unwrap();
    let now = contents(&setting.path("."));
    assert!(old.iter().all(|(path, bytes)| now[path] == *bytes));
    assert_eq!(now.len(), old.len() + probe.len() + 1, "nothing else stays");
    setting.ok(&["inspect", "m.safetensors.index.json"]);
    // older parts go when the new model is whole
    assert!(export("m.safetensors", "8KiB").status.success());
    assert_eq!(parts("m").len(), probe.len());
    setting.ok(&["inspect", "m.safetensors.index.json"]);
}

#[test]
fn a_flipped_bit_of_a_checkpoint_is_named() {
    let setting = Setting::new();
    setting.train("run", 20, &[]);
    let newest = setting.newest_checkpoint("run");
    let whole = std::fs::read(&newest).unwrap();
    let name = newest.file_name().unwrap().to_str().unwrap();
    let flip = |byte: usize, bit: u8| {
        let mut damaged = whole.clone();
        damaged[byte] ^= bit;
        std::fs::write(&newest, damaged).unwrap();
    };
    // the lowest bit of a weight's value
    flip(whole.len() - 4, 1);
    let path = format!("run/checkpoints/{name}");
    setting.refused(1, &["inspect", &path], &[name, "tensor", "damaged: CRC-32"]);
    let output = setting.run(&RESUME_ONE_STEP);
    let said = stderr(&output);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("warning: ") && said.contains("damaged: CRC-32"),
        "{said}"
    );
    // a digit of a counter
    let counter = b"\\\"images_seen\\\":160";
    let mut places = whole.windows(counter.len());
    let digit = places.position(|place| place == counter).unwrap() + counter.len() - 1;
    assert_eq!(whole[digit], b'0');
    flip(digit, 1);
    setting.refused(
        1,
        &["inspect", &path],
        &[name, "metadata", "damaged: CRC-32"],
    );
}
