//! Who imports whom: files as paths of module names, and circles between neighbours.

use std::collections::{BTreeMap, BTreeSet};

/// A module as the names that lead to it: `["training", "collapse", "answer"]`.
pub type Name = Vec<String>;

/// Neighbours that import each other, and an import between them.
type Room<'a> = BTreeMap<(&'a str, &'a str), (&'a Name, &'a Name)>;

/// Imports between the modules of one tree of sources.
#[derive(Debug, Default)]
pub struct Graph {
    /// File of every module, relative to the sources.
    pub files: BTreeMap<Name, String>,
    /// Importing and imported module.
    pub edges: BTreeSet<(Name, Name)>,
}

impl Graph {
    /// How many files there are.
    pub fn files(&self) -> usize {
        self.files.len()
    }

    /// The file of a module.
    pub fn file<'a>(&'a self, name: &'a Name) -> &'a str {
        self.files.get(name).map_or("?", String::as_str)
    }

    /// Circles between neighbours, children of one module, each with the two files of every import in it.
    pub fn circles(&self) -> Vec<String> {
        // by common ancestor
        let mut rooms: BTreeMap<&[String], Room<'_>> = BTreeMap::new();
        for (from, to) in &self.edges {
            let shared = from.iter().zip(to).take_while(|(a, b)| a == b).count();
            // a module and what it holds may know each other
            if let (Some(a), Some(b)) = (from.get(shared), to.get(shared)) {
                let room = rooms.entry(&from[..shared]).or_default();
                room.entry((a, b)).or_insert((from, to));
            }
        }
        let mut found = Vec::new();
        for room in rooms.values() {
            let reaches = |from: &str, to: &str| {
                let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
                while let Some(at) = open.pop() {
                    for (_, next) in room.keys().filter(|(a, _)| *a == at) {
                        if *next == to {
                            return true;
                        }
                        if seen.insert(*next) {
                            open.push(next);
                        }
                    }
                }
                false
            };
            for ((a, b), (from, to)) in room {
                if reaches(b, a) {
                    found.push(format!(
                        "circle: {} imports {}, which leads back",
                        self.file(from),
                        self.file(to)
                    ));
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(&str, &str)]) -> Graph {
        let name = |text: &str| text.split('/').map(str::to_owned).collect::<Name>();
        let mut graph = Graph::default();
        for (from, to) in edges {
            for file in [from, to] {
                graph.files.insert(name(file), format!("{file}.rs"));
            }
            graph.edges.insert((name(from), name(to)));
        }
        graph
    }

    #[test]
    fn circles_are_found_at_every_level() {
        assert!(
            graph(&[("a", "b"), ("b", "c"), ("a", "c")])
                .circles()
                .is_empty()
        );
        let far = graph(&[("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")]).circles();
        assert_eq!(far.len(), 3, "{far:?}");
        assert!(far[0].contains("a.rs imports b.rs"), "{far:?}");
        // neighbours in a room, and two rooms by different files of theirs
        assert_eq!(graph(&[("r/a", "r/b"), ("r/b", "r/a")]).circles().len(), 2);
        assert_eq!(graph(&[("r/a", "s/b"), ("s/c", "r/d")]).circles().len(), 2);
        // a module and its parts
        assert!(graph(&[("r", "r/a"), ("r/a", "r")]).circles().is_empty());
    }
}
