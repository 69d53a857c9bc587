//! Which way imports run: the floors of ARCHITECTURE.md held against the sources.
//!
//! A module may import from the floors below its own. Modules on one floor do not import each other, and
//! inside of a module no two neighbours import each other in a circle.

mod graph;
mod picture;
mod rust;
mod typescript;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;
use graph::Graph;
use picture::Picture;

/// Prints how many modules, circles and upward imports each tree of sources has.
///
/// # Errors
/// If a source cannot be read or the floors are not kept; the message names both files of every fault.
pub fn floors(workspace: &Workspace) -> Result<()> {
    let mut faults = Vec::new();
    for (picture, graph) in trees(&workspace.root)? {
        let found = picture.faults(&graph);
        println!(
            "{}: {} files, {} modules on {} floors, {} faults",
            picture.root,
            graph.files(),
            picture.modules().count(),
            picture.floors.len(),
            found.len()
        );
        faults.extend(found);
    }
    if !faults.is_empty() {
        bail!("ARCHITECTURE.md has other floors:\n{}", faults.join("\n"));
    }
    Ok(())
}

/// Each picture of ARCHITECTURE.md with the imports of its sources.
fn trees(root: &Path) -> Result<Vec<(Picture, Graph)>> {
    let path = root.join("ARCHITECTURE.md");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let pictures = Picture::all(&text)?.into_iter();
    let tree = |picture: Picture| read(root, &picture).map(|graph| (picture, graph));
    pictures.map(tree).collect()
}

fn read(root: &Path, picture: &Picture) -> Result<Graph> {
    let sources = root.join(&picture.root);
    if sources.join("lib.rs").is_file() || sources.join("main.rs").is_file() {
        rust::read(&sources)
    } else {
        typescript::read(&sources)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_run_downward_without_circles() {
        let trees = trees(&Workspace::find().unwrap().root).unwrap();
        assert!(trees.len() >= 4, "{} pictures", trees.len());
        let mut faults = Vec::new();
        for (picture, graph) in &trees {
            assert!(graph.files() > 1, "{}: no sources", picture.root);
            faults.extend(picture.faults(graph));
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    #[test]
    fn every_tree_of_sources_has_floors() {
        let root = Workspace::find().unwrap().root;
        let trees = trees(&root).unwrap();
        let roots: Vec<String> = trees.into_iter().map(|(picture, _)| picture.root).collect();
        for entry in fs::read_dir(root.join("crates")).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let sources = format!("crates/{name}/src");
            let files = fs::read_dir(root.join(&sources)).unwrap().count();
            assert!(
                files == 1 || roots.contains(&sources),
                "{sources} has no floors"
            );
        }
        assert!(roots.contains(&"www/src".to_owned()));
    }
}
