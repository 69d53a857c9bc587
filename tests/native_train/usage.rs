//! Help, plans and exit codes.

use native_train::run::checkpoint::Checkpoint;

use crate::support::fixtures::root;
use crate::support::setting::Setting;

#[test]
fn help_teaches() {
    let setting = Setting::new();
    let help = setting.ok(&["--help"]);
    for part in [
        "native-train --config configs/fashion32.toml --resume",
        "export",
        "sample",
        "inspect",
        "native-train watch runs/fashion32",
        "native-train report runs/fashion32",
        "Exit codes: 0 done",
    ] {
        assert!(help.contains(part), "{part:?} is not in\n{help}");
    }
    assert!(setting.ok(&["sample", "--help"]).contains("--truncation"));
}

#[test]
fn nothing_and_nonsense_are_usage_errors() {
    let setting = Setting::new();
    for args in [&[][..], &["--out", "x"], &["trian"], &["sample"]] {
        assert_eq!(setting.run(args).status.code(), Some(2), "{args:?}");
    }
    setting.refused(2, &["--out", "x"], &["--config"]);
    setting.refused(
        2,
        &["--config", "none.toml"],
        &["none.toml", "No such file", "configs/"],
    );
}

#[test]
fn a_dry_run_measures_what_the_plan_takes() {
    let setting = Setting::new();
    let recipe = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs/fashion32.toml");
    let said = setting.ok(&["--config", recipe, "--dry-run"]);
    let line = |name: &str| {
        let found = said.lines().find(|line| line.starts_with(name));
        found.unwrap_or_else(|| panic!("no {name} in\n{said}"))
    };
    assert!(line("measured").contains("rounds of "), "{said}");
    let memory = line("memory");
    assert!(
        memory.contains("iB at most, ") && memory.contains("are free here"),
        "{memory}"
    );
    let speed = line("speed").split_whitespace().nth(1).unwrap();
    assert!(speed.parse::<f64>().unwrap() > 0.0, "{said}");
    assert!(line("time").contains("for 256000 images"), "{said}");
    assert!(!setting.path("runs").exists());

    // networks too large for any test machine: a narrower one stands in
    let recipe = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../configs/table1/row8.toml"
    );
    let said = setting.ok(&["--config", recipe, "--dry-run"]);
    for part in [
        "scaled linearly to the batch of 2048",
        "of width 12 and 12",
        "it will not fit",
    ] {
        assert!(said.contains(part), "{part:?} is not in\n{said}");
    }
}

#[test]
fn a_pairing_recipe_is_told_what_its_authors_have() {
    let setting = Setting::new();
    let pairing = "train.techniques.objective=relativistic_pairing";
    let said = setting.ok(&["--config", "tiny.toml", "--set", pairing, "--dry-run"]);
    for part in [
        "without techniques.r1",
        "without techniques.r2",
        "spectral norm in D",
        "batch norm in G",
    ] {
        assert!(said.contains(part), "{part:?} is not in\n{said}");
    }
}

#[test]
fn a_dry_run_prints_the_plan_and_writes_nothing() {
    let setting = Setting::new();
    let plan = setting.ok(&[
        "train",
        "--config",
        "tiny.toml",
        "--dry-run",
        "--set",
        "train.seed=77",
    ]);
    for part in [
        "\"seed\": 77",
        "\"bn_momentum\": 0.1",
        "discriminator",
        "MiB",
    ] {
        assert!(plan.contains(part), "{part:?} is not in\n{plan}");
    }
    assert!(!setting.path("runs").exists());
}

#[test]
fn a_missing_backend_names_its_feature() {
    let setting = Setting::new();
    let backends = [
        ("wgpu", "--features wgpu", cfg!(feature = "wgpu")),
        ("cuda", "--features nccl", cfg!(feature = "nccl")),
    ];
    for (device, feature, _) in backends
        .into_iter()
        .filter(|(.., is_built_in)| !is_built_in)
    {
        setting.refused(
            2,
            &["--config", "tiny.toml", "--device", device],
            &[feature, "cpu"],
        );
    }
}

#[test]
fn recipes_are_inspected() {
    let setting = Setting::new();
    let text = setting.ok(&["inspect", "--config", "tiny.toml"]);
    assert!(
        text.contains("32x32 pixels, width 2, z 8 hierarchical"),
        "{text}"
    );
    assert!(text.contains("blocks.2"), "{text}");

    // it estimates what a checkpoint holds, and so does a dry run
    setting.train("run", 1, &[]);
    let saved = std::fs::read(setting.newest_checkpoint("run")).unwrap();
    let tensors = Checkpoint::decode(&saved).unwrap().tensors;
    let values: usize = tensors.0.values().map(|t| t.values.len()).sum();
    let mib = (values * size_of::<f32>()) as f64 / 1_048_576.0;
    let state = format!("{mib:.1} MiB of weights, moments and average");
    let dry = setting.ok(&["--config", "tiny.toml", "--dry-run"]);
    assert!(
        text.contains(&state) && dry.contains(&state),
        "{state}: {text}"
    );
}

#[test]
fn what_a_build_lacks_is_named() {
    let setting = Setting::new();
    let train = ["--config", "tiny.toml", "--comm"];
    let with = |more: &[&'static str]| [&train[..], more].concat();
    if cfg!(not(feature = "mpi")) {
        setting.refused(2, &with(&["mpi"]), &["--features mpi", "docs/clusters.md"]);
    }
    setting.refused(2, &with(&["nccl"]), &["--device cuda", "--comm mpi"]);
    let cuda = ["--config", "tiny.toml", "--device", "cuda"];
    setting.refused(2, &cuda, &["--features nccl"]);
}

#[test]
fn the_table_of_scaling_is_that_of_the_program() {
    let config = root().join("configs/biggan128.toml");
    let said = Setting::new().ok(&["bench", "--config", config.to_str().unwrap()]);
    let table: Vec<&str> = said.lines().filter(|line| line.starts_with('|')).collect();
    let shipped = std::fs::read_to_string(root().join("docs/scaling.md")).unwrap();
    assert!(shipped.contains(&table.join("\n")), "{}", table.join("\n"));
}
