//! Names from outside cannot act on a terminal or a page: control characters are shown escaped.

#![cfg(unix)]

use crate::support::pictures::picture;
use crate::support::setting::{Setting, stderr};

/// A class that would colour a terminal, begin a line of its own, and turn the direction of what follows.
const EVIL: &str = "a\u{1b}[31mred\nerror: \u{202e}gpj";
const SHOWN: &str = "a\\u001b[31mred\\nerror: \\u202egpj";

fn assert_plain(what: &str, text: &str) {
    let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!text.contains(acts), "{what}: {text:?}");
}

#[test]
fn class_names_and_file_names_are_escaped_everywhere() {
    let setting = Setting::new();
    for class in [EVIL, "b"] {
        for number in 0..3 {
            let path = setting.path("pictures").join(class);
            picture(&path.join(format!("{number}.png")), 40, 40 + number);
        }
    }
    std::fs::write(
        setting.path("pictures/b").join(format!("{EVIL}.png")),
        "none",
    )
    .unwrap();
    let folder = [
        "--config",
        "tiny.toml",
        "--set",
        "data.dataset=image-folder",
        "--set",
        "data.path=pictures",
        "--set",
        "train.generator.classes=2",
        "--set",
        "train.discriminator.classes=2",
    ];
    let run = |args: &[&str]| {
        let output = setting.run(args);
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_plain("stdout", &out);
        assert_plain("stderr", &stderr(&output));
        (output.status.code(), out + &stderr(&output))
    };
    let (_, checked) = run(&["data", "check", "pictures"]);
    assert!(checked.contains(SHOWN), "{checked}");
    let output = setting.run(&["data", "check", "pictures", "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        report["classes"]["train"][EVIL], 3,
        "JSON keeps its meaning"
    );

    let train = [&folder[..], &["--out", "run", "--steps", "8"]].concat();
    let (code, said) = run(&train);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(&format!("{SHOWN}.png")), "{said}");
    let (code, said) = run(&[&train[..], &["--set", "data.skip_broken=true"]].concat());
    assert_eq!(code, Some(0), "{said}");
    let export = [
        "export",
        "run",
        "--out",
        "model.safetensors",
        "--passes",
        "1",
    ];
    assert_eq!(run(&export).0, Some(0));
    let (_, inside) = run(&["inspect", "model.safetensors"]);
    let quoted = format!("{EVIL:?}");
    assert!(inside.contains(&quoted), "{inside}");
    let (_, refused) = run(&[
        "sample",
        "model.safetensors",
        "--class",
        "c",
        "--out",
        "c.png",
    ]);
    assert!(refused.contains(&quoted), "{refused}");
    let (_, refused) = run(&["sample", EVIL, "--class", "c", "--out", "c.png"]);
    assert!(refused.contains(SHOWN), "{refused}");
    let (_, refused) = run(&["--config", "tiny.toml", "--set", &format!("name={EVIL}")]);
    assert!(
        refused.contains("\\u001b") || refused.contains("\\u{1b}"),
        "{refused}"
    );

    let event = format!("{{\"kind\": \"{SHOWN}\"}}\n");
    std::fs::write(setting.path("run/events.jsonl"), event).unwrap();
    run(&["watch", "run", "--once"]);
    run(&["report", "run"]);
    let page = std::fs::read_to_string(setting.path("run/report.html")).unwrap();
    assert_plain("page", &page);
    assert!(page.contains(SHOWN), "the event is shown");
}
