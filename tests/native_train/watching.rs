//! The report and the live view of a run.

use crate::support::setting::Setting;

/// Trains 50 steps with a sheet, checkpoints and a look at the networks.
fn trained() -> Setting {
    let setting = Setting::new();
    setting.train("run", 50, &["--set", "run.watch_every_steps=25"]);
    setting
}

fn page(setting: &Setting, args: &[&str]) -> String {
    let printed = setting.ok(&[&["report", "run"], args].concat());
    std::fs::read_to_string(setting.path(printed.trim())).unwrap()
}

#[test]
fn a_report_is_one_page_that_needs_nothing_else() {
    let setting = trained();
    let scores = "{\"images_seen\":80,\"frechet\":9.5}\n\
                  {\"images_seen\":160,\"frechet\":4.5,\"protocol\":\"of 20 samples\"}\n";
    std::fs::write(setting.path("run/scores.jsonl"), scores).unwrap();
    let evidence = setting.path("run/collapse/000000000320");
    std::fs::create_dir_all(&evidence).unwrap();
    std::fs::write(
        evidence.join("collapse.json"),
        "{\"alarm\": {\"value\": 7}}",
    )
    .unwrap();
    let sheet = setting.path("run/samples/000000000400.png");
    std::fs::copy(sheet, evidence.join("live.png")).unwrap();
    let page = page(&setting, &[]);
    for part in [
        "interrupted: 400 of 1,000,000 images seen, 50 generator steps",
        "Losses",
        "D&#39;s accuracy",
        "Norms of the gradients",
        "Memory",
        "σ₂ of every layer of the discriminator",
        "blocks.2.conv1.weight",
        "of 20 samples",
        "Collapse at 320 images",
        "<td>alarm.value</td><td>7</td>",
        "alt=\"samples, live\"",
        "alt=\"samples, 400 images\"",
        "src=\"data:image/png;base64,iVBOR",
        "000000000400.safetensors",
        "<td>train.generator.channels</td><td>2</td>",
    ] {
        assert!(page.contains(part), "{part:?} is not in the page");
    }
    // nothing is fetched and nothing runs
    let svg = "xmlns=\"http://www.w3.org/2000/svg\"";
    for foreign in [
        "http:", "https:", "<script", "<link", "@import", "url(", ">NaN<",
    ] {
        let found = page.replace(svg, "").contains(foreign);
        assert!(!found, "{foreign:?} is in the page");
    }
    // what opens is closed
    for tag in ["section", "figure", "table", "ul", "svg", "div"] {
        let opened =
            page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

#[test]
fn a_report_says_what_it_cannot_read() {
    let setting = trained();
    let log = setting.path("run/log.jsonl");
    let mut text = std::fs::read_to_string(&log).unwrap();
    text = text.replacen("\"loss_d\":", "\"loss_d\":null,\"loss_of_before\":", 1);
    text += "no record\n{\"g_step\": 9, \"ima";
    std::fs::write(&log, text).unwrap();
    std::fs::write(setting.path("run/samples/000000000080.png"), "none").unwrap();
    let plan = setting.path("run/plan.json");
    let named = std::fs::read_to_string(&plan).unwrap();
    let named = named.replacen("\"tiny\"", "\"<script>alert(1)</script>\"", 1);
    std::fs::write(&plan, named).unwrap();
    let page = page(&setting, &["--out", "page.html"]);
    for part in [
        "log.jsonl: 1 lines are not records",
        "neither PNG, JPEG nor WebP",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
    ] {
        assert!(page.contains(part), "{part:?} is not in the page");
    }
    assert!(!page.contains("<script"));
}

#[test]
fn a_run_without_a_log_is_reported_and_watched() {
    let setting = Setting::new();
    std::fs::create_dir_all(setting.path("run/checkpoints")).unwrap();
    let page = page(&setting, &[]);
    assert!(
        page.contains("not started") && page.contains("no line yet"),
        "{page}"
    );
    let frame = setting.ok(&["watch", "run", "--once"]);
    assert!(frame.contains("no line in log.jsonl yet"), "{frame}");
}

#[test]
fn one_frame_goes_where_there_is_no_terminal() {
    let setting = trained();
    let frame = setting.ok(&["watch", "run"]);
    assert_eq!(frame, setting.ok(&["watch", "run", "--once"]));
    for part in [
        "tiny  interrupted",
        "400 of 1,000,000 images",
        "images/s",
        "memory",
        "D right, training",
        "D blocks.0.conv1",
        "newest checkpoint run/checkpoints/000000000400.safetensors",
    ] {
        assert!(frame.contains(part), "{part:?} is not in\n{frame}");
    }
    assert!(!frame.contains('\u{1b}'), "no colours in a pipe");
}

#[test]
fn what_is_no_run_is_refused() {
    let setting = Setting::new();
    for command in ["report", "watch"] {
        setting.refused(2, &[command, "none"], &["none is not a directory"]);
        setting.refused(2, &[command, "data"], &["data is not a run", "--out"]);
    }
    std::fs::create_dir_all(setting.path("run/checkpoints")).unwrap();
    setting.refused(
        1,
        &["report", "run", "--out", "no/where.html"],
        &["no/where.html"],
    );
}
