//! table1: rows run, resume and are tabulated.

use crate::support::fixtures::root;
use crate::support::models::{CLASSIFIER, with_test_images};
use crate::support::setting::{Setting, checkpoints};

const TABLE1: [&str; 11] = [
    "table1",
    "--out",
    "t",
    "--config",
    "tiny.toml",
    "--classifier",
    "tiny.safetensors",
    "--images",
    "160",
    "--samples",
    "20",
];

fn table1(setting: &Setting, more: &[&str]) -> std::process::Output {
    setting.run(&[&TABLE1[..], more].concat())
}

#[test]
fn rows_run_side_by_side_and_once() {
    let setting = with_test_images();
    setting.ok(&CLASSIFIER);
    let rows = ["--rows", "batch32,hierarchical", "--jobs", "2"];
    let first = table1(&setting, &rows);
    let said = crate::support::setting::stderr(&first);
    assert!(first.status.success(), "{said}");
    for part in ["batch32: started", "hierarchical: Frechet distance"] {
        assert!(said.contains(part), "{said}");
    }
    let table = std::fs::read_to_string(setting.path("t/table1.md")).unwrap();
    for part in [
        "| batch32 |",
        "| hierarchical |",
        "needs row shared",
        "| 0.04 |",
    ] {
        assert!(table.contains(part), "{part:?} is not in\n{table}");
    }
    let result = std::fs::read(setting.path("t/batch32.json")).unwrap();
    let result: serde_json::Value = serde_json::from_slice(&result).unwrap();
    assert_eq!(result["points"].as_array().unwrap().len(), 8);
    assert_eq!(result["last"]["images_seen"], 160);
    assert_eq!(
        result["spectra"]["generator_first"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let frechet = result["best"]["frechet"].as_f64().unwrap();
    assert!(frechet > 0.0, "{frechet}");

    // what is there is not run again, and the table comes from it alone
    let before = std::fs::metadata(setting.path("t/batch32.json")).unwrap();
    std::fs::remove_dir_all(setting.path("t/runs")).unwrap();
    std::fs::remove_file(setting.path("t/table1.md")).unwrap();
    assert!(table1(&setting, &rows).status.success());
    let after = std::fs::metadata(setting.path("t/batch32.json")).unwrap();
    assert_eq!(before.modified().unwrap(), after.modified().unwrap());
    assert_eq!(
        std::fs::read_to_string(setting.path("t/table1.md")).unwrap(),
        table
    );

    // other images are another table
    let mut other = [&TABLE1[..], &rows].concat();
    other[8] = "320";
    setting.refused(2, &other, &["row batch32", "images 160 -> 320", "--out"]);
}

#[test]
fn a_row_that_was_ended_goes_on_from_its_checkpoint() {
    let setting = with_test_images();
    setting.ok(&CLASSIFIER);
    let first = ["--rows", "batch32"];
    assert!(table1(&setting, &first).status.success());
    let result = std::fs::read(setting.path("t/batch32.json")).unwrap();
    // as if it had been killed after its fourth checkpoint
    std::fs::remove_file(setting.path("t/batch32.json")).unwrap();
    for late in &checkpoints(&setting.path("t/runs/batch32"))[4..] {
        std::fs::remove_file(late).unwrap();
    }
    let again = table1(&setting, &first);
    let said = crate::support::setting::stderr(&again);
    assert!(said.contains("resuming from"), "{said}");
    let without_time = |bytes: &[u8]| {
        let mut value: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        value["train_secs"] = 0.into();
        value
    };
    let resumed = std::fs::read(setting.path("t/batch32.json")).unwrap();
    assert_eq!(without_time(&resumed), without_time(&result));
}

#[test]
fn nonsense_is_refused() {
    let setting = with_test_images();
    for (more, parts) in [
        (&["--rows", "batch31"][..], &["batch31", "batch32"][..]),
        (&["--jobs", "0"], &["--jobs is 0"]),
    ] {
        setting.refused(2, &[&TABLE1[..], more].concat(), parts);
    }
    for file in ["none.safetensors", "tiny.toml"] {
        let mut args = TABLE1;
        args[6] = file;
        setting.refused(1, &args, &["classifier", file]);
    }
    let nowhere = [&TABLE1[..], &["--table", "none/t.md"]].concat();
    setting.refused(1, &nowhere, &["none/t.md"]);
    assert!(!setting.path("t/runs").exists(), "nothing ran");
    let mut few = TABLE1;
    few[8] = "7";
    setting.refused(2, &few, &["--images is 7"]);
    std::fs::create_dir(setting.path("t")).unwrap_or_default();
    std::fs::write(setting.path("t/batch32.json"), "{").unwrap();
    let broken = [&TABLE1[..], &["--table-only"]].concat();
    setting.refused(1, &broken, &["batch32.json", "remove it"]);
}

#[test]
fn the_table_of_the_documentation_is_that_of_its_results_and_of_the_recipe() {
    let docs = root().join("docs");
    let setting = Setting::new();
    let results = docs.join("table1-small");
    let results = results.to_str().unwrap();
    // a result of another recipe than the built-in one would be refused
    setting.ok(&[
        "table1",
        "--out",
        results,
        "--table-only",
        "--table",
        "table.md",
    ]);
    let made = std::fs::read_to_string(setting.path("table.md")).unwrap();
    let shipped = std::fs::read_to_string(docs.join("table1-small.md")).unwrap();
    assert!(made == shipped, "made from docs/table1-small:\n{made}");
    assert!(!made.contains("needs"), "{made}");
}
