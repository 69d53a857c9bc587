//! Texts in the sources: a line break in one must not show in the message.

use std::fs;
use std::path::Path;

use crate::workspace::Workspace;

/// What is wrong with the text on a line, followed by the next one.
fn fault(line: &str, next: &str) -> Option<&'static str> {
    let (line, next) = (line.trim(), next.trim());
    if line.starts_with("//") || line.starts_with('*') || line.starts_with("/*") {
        return None;
    }
    // tables and help have line breaks of their own, and columns
    let quotes = |text: &str| text.matches(['"', '`']).count();
    let before = line.split(&" ".repeat(4)).next().unwrap_or_default();
    let within = quotes(before) % 2 == 1 && !before.ends_with(['"', '`']);
    if within && before != line && !line.contains("\\n") {
        return Some("a run of blanks in a text");
    }
    let glued = line.strip_suffix('\\').is_some_and(|text| {
        text.ends_with(|end: char| end.is_alphanumeric() || ",;:.)".contains(end))
            && !text.ends_with("\\n")
            && next.starts_with(char::is_alphanumeric)
    });
    glued.then_some("two words without a blank between them")
}

fn check(folder: &Path, faults: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if !["node_modules", "pkg", "dist", "target"].contains(&name) {
                check(&path, faults);
            }
        } else if [".rs", ".ts", ".mjs"].iter().any(|end| name.ends_with(end)) {
            let text = fs::read_to_string(&path).unwrap();
            let lines: Vec<&str> = text.lines().chain([""]).collect();
            for (number, pair) in lines.windows(2).enumerate() {
                let fault = fault(pair[0], pair[1]);
                faults.extend(fault.map(|it| format!("{}:{}: {it}", path.display(), number + 1)));
            }
        }
    }
}

#[test]
fn faults_are_found() {
    let blanks = " ".repeat(9);
    let run = format!("\"give{blanks}every rank the same files\",");
    assert_eq!(fault(&run, ""), Some("a run of blanks in a text"));
    assert_eq!(
        fault(&format!("let a = 1;{blanks}// \"aligned\""), ""),
        None
    );
    assert_eq!(fault(&format!("\"step{blanks}loss\\n\""), ""), None);
    let glued = "\"choose a smaller width,\\";
    assert!(fault(glued, "batch or resolution\"").is_some());
    assert_eq!(fault("\"choose a smaller width, \\", "batch\""), None);
}

#[test]
fn no_text_of_the_sources_has_a_fault() {
    let root = Workspace::find().unwrap().root;
    let mut faults = Vec::new();
    for folder in ["crates", "tests", "www"] {
        check(&root.join(folder), &mut faults);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
