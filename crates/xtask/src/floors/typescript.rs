//! Imports of TypeScript sources: relative paths after `from`, `import` and `import(`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::graph::{Graph, Name};

/// Reads all TypeScript files below a folder.
///
/// # Errors
/// If one cannot be read.
pub fn read(root: &Path) -> Result<Graph> {
    let mut graph = Graph::default();
    let mut sources = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(root.join(&folder)).with_context(|| root.display().to_string())? {
            let path = folder.join(entry?.file_name());
            if root.join(&path).is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "ts") {
                let file = path.to_string_lossy().into_owned();
                graph.files.insert(name(&path), file.clone());
                let text = fs::read_to_string(root.join(&path)).context(file)?;
                sources.push((path, text));
            }
        }
    }
    for (path, text) in sources {
        for target in targets(&text) {
            let folder = path.parent().unwrap_or(Path::new(""));
            let target = name(&folder.join(target));
            // style sheets and made files are no sources
            if graph.files.contains_key(&target) {
                graph.edges.insert((name(&path), target));
            }
        }
    }
    Ok(graph)
}

/// A path with its `..` taken away; imports name `x.js` where the source is `x.ts`.
fn name(path: &Path) -> Name {
    let mut name = Name::new();
    for part in path.to_string_lossy().split('/') {
        match part {
            ".." => drop(name.pop()),
            "." | "" => {}
            part => name.push(part.to_owned()),
        }
    }
    if let Some(last) = name.last_mut()
        && let Some(stem) = last.strip_suffix(".js")
    {
        *last = format!("{stem}.ts");
    }
    name
}

/// Relative paths that a source imports.
fn targets(text: &str) -> Vec<&str> {
    let imports = |before: &str| {
        let word = before
            .trim_end()
            .rsplit(|c: char| !c.is_alphanumeric() && c != '(');
        matches!(word.into_iter().next(), Some("from" | "import" | "import("))
    };
    let quoted: Vec<&str> = text.split('"').collect();
    let pairs = quoted.windows(2);
    let pairs = pairs.filter(|pair| imports(pair[0]) && pair[1].starts_with('.'));
    pairs.map(|pair| pair[1]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_kinds_of_imports_are_seen() {
        let text = r#"import { a } from "./a.js";
            import type { B } from "../b.js";
            import "./style.css";
            const d = await import("./d.js"), e = "./e.js";
            import { f } from "elsewhere";"#;
        assert_eq!(
            targets(text),
            ["./a.js", "../b.js", "./style.css", "./d.js"]
        );
        assert_eq!(
            name(Path::new("lib/train/../base/./x.d.ts")),
            ["lib", "base", "x.d.ts"]
        );
    }
}
