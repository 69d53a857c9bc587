//! Which checkpoints a run keeps.

use crate::support::runs::kept;
use crate::support::setting::Setting;

#[test]
fn milestones_stay_for_ever() {
    let setting = Setting::new();
    let more = [
        "--set",
        "run.keep_checkpoints=1",
        "--set",
        "run.keep.every_images=150",
    ];
    setting.train("run", 50, &more); // a checkpoint every 80 images
    assert_eq!(kept(&setting, "run"), [160, 320, 400]);
}

#[test]
fn a_cap_bounds_all_and_is_refused_where_two_do_not_fit() {
    let setting = Setting::new();
    setting.train("run", 20, &[]);
    let bytes = std::fs::metadata(setting.newest_checkpoint("run"))
        .unwrap()
        .len();
    let cap = |count: f64| format!("run.keep.max_bytes={}", (count * bytes as f64) as u64);
    setting.train("capped", 50, &["--set", &cap(2.5)]);
    assert_eq!(kept(&setting, "capped"), [320, 400]);

    let too_small = cap(1.5);
    let args = ["--config", "tiny.toml", "--out", "none", "--set"];
    let parts = [
        "run.keep.max_bytes is",
        "and the newest and the best always stay",
        "or more",
    ];
    let error = setting.refused(2, &[&args[..], &[&too_small]].concat(), &parts);
    assert!(
        error.contains(too_small.split('=').nth(1).unwrap()),
        "{error}"
    );
    assert!(kept(&setting, "none").is_empty());
    for (value, part) in [
        ("run.keep.max_bytes=lots", "\"lots\" is not a size"),
        ("run.keep.every_images=0", "run.keep.every_images is 0"),
        ("run.keep.best=0", "run.keep.best is 0"),
        ("run.keep.last=2", "`last`"),
    ] {
        setting.refused(2, &[&args[..], &[value]].concat(), &[part]);
    }
}
