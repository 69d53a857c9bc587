//! The floors as ARCHITECTURE.md shows them.
//!
//! A block of text names the sources in its first line and a floor in every other, the highest first:
//!
//! ```text
//! floors of crates/native-train/src
//!     commands          | parse, call, print
//!     [lib/index.ts]    | brackets: what is above names nothing below
//!     training show     | ..
//! ```

use std::cmp::Ordering;

use anyhow::{Result, bail};

use super::graph::{Graph, Name};

/// How the first line of a block begins.
const HEAD: &str = "floors of ";

/// One tree of sources and its floors.
#[derive(Debug, PartialEq)]
pub struct Picture {
    /// Where the sources are, below the repository.
    pub root: String,
    /// Modules of every floor, the highest first; a path such as `lib/base` is one module.
    pub floors: Vec<Vec<Name>>,
    /// Floors that hide what is below from what is above.
    pub walls: Vec<usize>,
}

impl Picture {
    /// All pictures of a text.
    ///
    /// # Errors
    /// If a floor has no module or a module stands twice.
    pub fn all(text: &str) -> Result<Vec<Self>> {
        let mut pictures = Vec::new();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let Some(root) = line.strip_prefix(HEAD) else {
                continue;
            };
            let mut picture = Self {
                root: root.trim().to_owned(),
                floors: Vec::new(),
                walls: Vec::new(),
            };
            for line in lines.by_ref().take_while(|line| line.starts_with(' ')) {
                let modules = line.split('|').next().unwrap_or_default();
                if modules.contains('[') {
                    picture.walls.push(picture.floors.len());
                }
                let floor = modules.split([' ', '[', ']']).filter(|m| !m.is_empty());
                let floor = floor.map(|m| m.split('/').map(str::to_owned).collect::<Name>());
                let floor: Vec<Name> = floor.collect();
                if floor.is_empty() {
                    // a line that goes on with the words of the one above
                    continue;
                }
                for module in &floor {
                    if picture.modules().any(|known| known == module) {
                        bail!("{}: {} stands twice", picture.root, module.join("/"));
                    }
                }
                picture.floors.push(floor);
            }
            if picture.floors.is_empty() {
                bail!("{}: no floors", picture.root);
            }
            pictures.push(picture);
        }
        Ok(pictures)
    }

    /// All modules.
    pub fn modules(&self) -> impl Iterator<Item = &Name> {
        self.floors.iter().flatten()
    }

    /// The longest module of the picture that holds a file, and its floor counted from the highest.
    fn place(&self, file: &Name) -> Option<(usize, &Name)> {
        let floors = self.floors.iter().enumerate();
        let all = floors.flat_map(|(at, floor)| floor.iter().map(move |module| (at, module)));
        all.filter(|(_, module)| file.starts_with(module))
            .max_by_key(|(_, module)| module.len())
    }

    /// Upward and sideways imports, circles, and modules that only one of picture and sources has.
    pub fn faults(&self, graph: &Graph) -> Vec<String> {
        let mut faults = Vec::new();
        for (name, file) in graph.files.iter().filter(|(name, _)| !name.is_empty()) {
            if self.place(name).is_none() {
                faults.push(format!("{}/{file} is on no floor", self.root));
            }
        }
        for module in self.modules() {
            if !graph.files.keys().any(|name| name.starts_with(module)) {
                let module = module.join("/");
                faults.push(format!("{}: there is no module {module}", self.root));
            }
        }
        for (from, to) in &graph.edges {
            let (Some((above, a)), Some((below, b))) = (self.place(from), self.place(to)) else {
                continue;
            };
            let way = match above.cmp(&below) {
                _ if a == b => None,
                Ordering::Equal => Some("sideways"),
                Ordering::Greater => Some("upward"),
                Ordering::Less => {
                    let between = |wall: &&usize| (above + 1..below).contains(*wall);
                    self.walls.iter().find(between).map(|_| "through a wall")
                }
            };
            if let Some(way) = way {
                faults.push(format!(
                    "{way}: {root}/{} imports {root}/{}",
                    graph.file(from),
                    graph.file(to),
                    root = self.root
                ));
            }
        }
        faults.extend(graph.circles());
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "words\n\n```text\nfloors of x/src\n    top\n    left right   | side by side\n                 | and more words\n    low\n```\n";

    fn name(text: &str) -> Name {
        text.split('/').map(str::to_owned).collect()
    }

    fn faults(edges: &[(&str, &str)]) -> Vec<String> {
        let [picture] = &Picture::all(TEXT).unwrap()[..] else {
            panic!("one picture");
        };
        let mut graph = Graph::default();
        for module in ["top", "left", "left/a", "right", "low"] {
            graph.files.insert(name(module), format!("{module}.rs"));
        }
        for (from, to) in edges {
            graph.edges.insert((name(from), name(to)));
        }
        picture.faults(&graph)
    }

    #[test]
    fn only_downward_imports_pass() {
        assert!(faults(&[("top", "low"), ("left/a", "low"), ("left", "left/a")]).is_empty());
        let upward = faults(&[("low", "left/a")]);
        assert_eq!(upward, ["upward: x/src/low.rs imports x/src/left/a.rs"]);
        let sideways = faults(&[("left/a", "right")]);
        assert_eq!(
            sideways,
            ["sideways: x/src/left/a.rs imports x/src/right.rs"]
        );
    }

    #[test]
    fn a_wall_hides_what_is_below() {
        let [mut picture] = <[Picture; 1]>::try_from(Picture::all(TEXT).unwrap()).unwrap();
        let walled = TEXT.replace("left right ", "[left right]");
        let [read] = <[Picture; 1]>::try_from(Picture::all(&walled).unwrap()).unwrap();
        picture.walls = vec![1];
        assert_eq!(picture, read);
        let mut graph = Graph::default();
        for module in ["top", "left", "right", "low"] {
            graph.files.insert(name(module), format!("{module}.rs"));
        }
        for edge in [("top", "left"), ("left", "low")] {
            graph.edges.insert((name(edge.0), name(edge.1)));
        }
        assert!(picture.faults(&graph).is_empty());
        graph.edges.insert((name("top"), name("low")));
        assert_eq!(
            picture.faults(&graph),
            ["through a wall: x/src/top.rs imports x/src/low.rs"]
        );
    }

    #[test]
    fn picture_and_sources_have_the_same_modules() {
        let [mut picture] = <[Picture; 1]>::try_from(Picture::all(TEXT).unwrap()).unwrap();
        picture.floors.push(vec![name("gone")]);
        let mut graph = Graph::default();
        for module in ["top", "left", "right", "low", "new"] {
            graph.files.insert(name(module), format!("{module}.rs"));
        }
        assert_eq!(
            picture.faults(&graph),
            [
                "x/src/new.rs is on no floor",
                "x/src: there is no module gone"
            ]
        );
        assert!(Picture::all("floors of x\n    a\n    b a\n").is_err());
    }
}
