//! Imports of a crate: every path that begins with `crate`, `self` or `super`, outside of tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, UseTree};

use super::graph::{Graph, Name};

/// Reads a crate from its `lib.rs` and `main.rs`, following `mod` declarations.
///
/// # Errors
/// If a file is missing or is not Rust.
pub fn read(root: &Path) -> Result<Graph> {
    let mut modules = Modules::default();
    for entry in ["lib.rs", "main.rs"] {
        if root.join(entry).is_file() {
            modules.add(root, Path::new(entry), Name::new())?;
        }
    }
    let mut graph = Graph::default();
    for (from, module) in &modules.modules {
        for path in &module.paths {
            let to = modules.resolve(from, path, 0);
            if to != *from {
                graph.edges.insert((from.clone(), to));
            }
        }
    }
    graph.files = modules
        .modules
        .into_iter()
        .map(|(name, module)| (name, module.file))
        .collect();
    Ok(graph)
}

#[derive(Debug, Default)]
struct Modules {
    modules: BTreeMap<Name, Module>,
}

/// What one file says.
#[derive(Debug, Default)]
struct Module {
    file: String,
    /// Paths that begin with `crate`, `self` or `super`.
    paths: BTreeSet<Name>,
    /// Names that `pub use` hands on, with the paths behind them.
    handed_on: BTreeMap<String, Name>,
}

impl Modules {
    /// Reads a file and those of its modules.
    fn add(&mut self, root: &Path, path: &Path, name: Name) -> Result<()> {
        let file = root.join(path);
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let parsed = syn::parse_file(&text).with_context(|| file.display().to_string())?;
        let mut found = Found::default();
        found.visit_file(&parsed);
        let module = self.modules.entry(name.clone()).or_default();
        if module.file.is_empty() {
            module.file = path.to_string_lossy().into_owned();
        }
        module.paths.extend(found.paths);
        module.handed_on.extend(found.handed_on);
        for child in found.modules {
            let beside = match path.file_name().and_then(|name| name.to_str()) {
                Some("lib.rs" | "main.rs" | "mod.rs") => path.with_file_name(""),
                _ => path.with_extension(""),
            };
            let candidates: [PathBuf; 2] = [
                beside.join(format!("{child}.rs")),
                beside.join(&child).join("mod.rs"),
            ];
            let Some(path) = candidates.iter().find(|path| root.join(path).is_file()) else {
                bail!(
                    "{}: the file of its module {child} is missing",
                    file.display()
                );
            };
            let mut name = name.clone();
            name.push(child);
            self.add(root, path, name)?;
        }
        Ok(())
    }

    /// The module that a path of `from` leads to, through what is handed on.
    fn resolve(&self, from: &Name, path: &Name, depth: usize) -> Name {
        let mut at = from.clone();
        let mut words = path.iter().peekable();
        while let Some(word) = words.next_if(|w| matches!(w.as_str(), "crate" | "self" | "super")) {
            match word.as_str() {
                "crate" => at.clear(),
                "super" => drop(at.pop()),
                _ => {}
            }
        }
        for word in words {
            at.push(word.clone());
            if self.modules.contains_key(&at) {
                continue;
            }
            at.pop();
            let behind = self
                .modules
                .get(&at)
                .and_then(|module| module.handed_on.get(word));
            // a bound: a name may be handed on in a circle
            return match behind.filter(|_| depth < 8) {
                Some(behind) => self.resolve(&at, behind, depth + 1),
                None => at,
            };
        }
        at
    }
}

/// Gathers paths and modules of a file; what is only built for tests is passed over.
#[derive(Debug, Default)]
struct Found {
    modules: Vec<String>,
    paths: BTreeSet<Name>,
    handed_on: BTreeMap<String, Name>,
}

impl<'ast> Visit<'ast> for Found {
    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Mod(module) if module.content.is_none() => {
                if !is_test(&module.attrs) {
                    self.modules.push(module.ident.to_string());
                }
            }
            Item::Mod(module) if is_test(&module.attrs) => {}
            Item::Fn(function) if is_test(&function.attrs) => {}
            Item::Use(import) if is_test(&import.attrs) => {}
            Item::Use(import) => {
                let hands_on = !matches!(import.vis, syn::Visibility::Inherited);
                self.import(&import.tree, &mut Name::new(), hands_on);
            }
            _ => visit::visit_item(self, item),
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let words: Name = path.segments.iter().map(|s| s.ident.to_string()).collect();
        self.add(words);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        // arguments of a macro are only words: "crate", ":", ":", "name", ..
        let tokens = call.tokens.to_string();
        let words: Vec<&str> = tokens.split_whitespace().collect();
        for at in (0..words.len()).filter(|&at| words[at] == "crate") {
            let path = words[at..]
                .chunks(2)
                .take_while(|pair| pair.get(1) == Some(&"::"));
            self.add(path.map(|pair| pair[0].to_owned()).collect());
        }
    }
}

impl Found {
    fn add(&mut self, path: Name) {
        if matches!(
            path.first().map(String::as_str),
            Some("crate" | "self" | "super")
        ) {
            self.paths.insert(path);
        }
    }

    fn import(&mut self, tree: &UseTree, prefix: &mut Name, hands_on: bool) {
        let mut leaf = |name: String, shown: String| {
            let mut path = prefix.clone();
            if name != "self" {
                path.push(name);
            }
            if hands_on {
                self.handed_on.insert(shown, path);
            } else {
                self.add(path);
            }
        };
        match tree {
            UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.import(&path.tree, prefix, hands_on);
                prefix.pop();
            }
            UseTree::Name(name) => leaf(name.ident.to_string(), name.ident.to_string()),
            UseTree::Rename(name) => leaf(name.ident.to_string(), name.rename.to_string()),
            UseTree::Glob(_) => leaf("self".to_owned(), "*".to_owned()),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, prefix, hands_on);
                }
            }
        }
    }
}

/// Whether an item is only built for tests.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let cfg = attribute.path().is_ident("cfg");
        cfg && attribute
            .parse_args::<syn::Path>()
            .is_ok_and(|path| path.is_ident("test"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Found {
        let mut found = Found::default();
        found.visit_file(&syn::parse_file(text).unwrap());
        found
    }

    #[test]
    fn paths_are_seen_wherever_they_stand() {
        let found = found(
            "use crate::a::{self, b::C, d}; pub use e::F as G; mod h; #[cfg(test)] mod i;
             fn j(k: super::l::M) { crate::n::o(); println!(\"{}\", crate::p::q()); }
             #[cfg(test)] mod tests { use crate::r; }",
        );
        let paths: Vec<String> = found.paths.iter().map(|path| path.join("::")).collect();
        let expected = [
            "crate::a",
            "crate::a::b::C",
            "crate::a::d",
            "crate::n::o",
            "crate::p",
        ];
        assert_eq!(paths[..5], expected);
        assert_eq!(paths[5..], ["super::l::M"]);
        assert_eq!(found.modules, ["h"]);
        assert_eq!(found.handed_on["G"], ["e", "F"]);
    }

    #[test]
    fn names_that_are_handed_on_lead_to_their_file() {
        let mut modules = Modules::default();
        for name in ["", "a", "a/b", "c"] {
            let name: Name = name
                .split('/')
                .filter(|w| !w.is_empty())
                .map(str::to_owned)
                .collect();
            modules.modules.insert(name, Module::default());
        }
        let a = modules.modules.get_mut(&vec!["a".to_owned()]).unwrap();
        a.handed_on.insert("T".into(), vec!["b".into(), "T".into()]);
        let resolve = |from: &[&str], path: &str| {
            let from: Name = from.iter().map(|&w| w.to_owned()).collect();
            let path: Name = path.split("::").map(str::to_owned).collect();
            modules.resolve(&from, &path, 0).join("/")
        };
        assert_eq!(resolve(&["c"], "crate::a::T"), "a/b");
        assert_eq!(resolve(&["a", "b"], "super::T::new"), "a/b");
        assert_eq!(resolve(&["a", "b"], "super::other"), "a");
        assert_eq!(resolve(&["c"], "crate::a::b::X"), "a/b");
        assert_eq!(resolve(&["a"], "self::b"), "a/b");
    }
}
