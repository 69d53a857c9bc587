//! A read-only view of a run directory: any file may be missing, and problems with reading are
//! reported as text.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::{Map, Value};

use crate::error::bad_usage;
use crate::input_file;
use crate::recipe::plan::flat;
use crate::run::lock;
use crate::run::log_tail::LogTail;
use crate::run::view_files;

pub use super::view_files::RunFile;

/// Most bytes of one of the small files that are read.
const MAX_SMALL_FILE: u64 = 64 << 20;

/// The state of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// A process writes to it.
    Running,
    /// All images of its plan were seen.
    Finished,
    /// It was ended by a collapse.
    Collapsed,
    /// No process writes to it, and images are left.
    Interrupted,
    /// It has no log line and no checkpoint.
    NotStarted,
}

impl RunState {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Collapsed => "collapsed",
            Self::Interrupted => "interrupted",
            Self::NotStarted => "not started",
        }
    }
}

/// Evidence left by the detector: `collapse/<images>/collapse.json`.
#[derive(Debug, Clone, PartialEq)]
pub struct Collapse {
    /// Real images seen by D when it fired.
    pub images_seen: u64,
    /// What it wrote, by dotted key.
    pub findings: Vec<(String, String)>,
    /// Its pictures, by name.
    pub pictures: Vec<RunFile>,
}

impl Collapse {
    /// Whether a run at `images_seen` was ended by it, that is, did not continue with another action.
    fn ended(&self, images_seen: u64) -> bool {
        let mut actions = self.findings.iter().filter(|(key, _)| key == "action.kind");
        self.images_seen >= images_seen && actions.all(|(_, action)| action == "stop")
    }
}

/// The view.
#[derive(Debug)]
pub struct RunView {
    /// Its directory.
    pub root: PathBuf,
    /// The plan, as saved.
    pub plan: Option<Value>,
    /// The log.
    pub log: LogTail,
    /// Lines of `scores.jsonl`.
    pub scores: Vec<Map<String, Value>>,
    /// Lines of `events.jsonl`.
    pub events: Vec<Map<String, Value>>,
    /// Collapses, oldest first.
    pub collapses: Vec<Collapse>,
    /// Sample sheets, oldest first.
    pub sheets: Vec<RunFile>,
    /// Checkpoints, oldest first.
    pub checkpoints: Vec<RunFile>,
    /// The state.
    pub state: RunState,
    /// What could not be read, in words.
    pub problems: Vec<String>,
}

impl RunView {
    /// Reads a run directory.
    ///
    /// # Errors
    /// If there is no directory, it is not a run's, or its log cannot be read.
    pub fn read(root: &Path) -> Result<Self> {
        if !root.is_dir() {
            return Err(bad_usage(format!(
                "{} is not a directory; give the directory of a run, such as runs/fashion32{}",
                root.display(),
                input_file::suggestion(root)
            )));
        }
        let marks = ["plan.json", "log.jsonl", "checkpoints"];
        if !marks.iter().any(|name| root.join(name).exists()) {
            return Err(bad_usage(format!(
                "{} is not a run: it has none of {}; give the directory that training wrote (--out)",
                root.display(),
                marks.join(", ")
            )));
        }
        let mut view = Self {
            root: root.to_owned(),
            plan: None,
            log: LogTail::new(&root.join("log.jsonl")),
            scores: Vec::new(),
            events: Vec::new(),
            collapses: Vec::new(),
            sheets: Vec::new(),
            checkpoints: Vec::new(),
            state: RunState::NotStarted,
            problems: Vec::new(),
        };
        view.refresh()?;
        Ok(view)
    }

    /// Reads new content.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn refresh(&mut self) -> Result<()> {
        self.problems.clear();
        self.log.update()?;
        if self.log.unreadable > 0 {
            let count = self.log.unreadable;
            self.problems
                .push(format!("log.jsonl: {count} lines are not records"));
        }
        let plan = self.small_file("plan.json");
        self.plan = plan.and_then(|text| match serde_json::from_str(&text) {
            Ok(plan) => Some(plan),
            Err(error) => {
                self.problems.push(format!("plan.json: {error}"));
                None
            }
        });
        self.scores = self.lines("scores.jsonl");
        self.events = self.lines("events.jsonl");
        self.sheets = view_files::by_images(&self.root.join("samples"), "png");
        self.checkpoints = view_files::by_images(&self.root.join("checkpoints"), "safetensors");
        self.collapses = self.read_collapses();
        self.state = self.judge();
        Ok(())
    }

    /// Name of the recipe, or of the directory.
    pub fn name(&self) -> String {
        let planned = self.plan.as_ref().and_then(|plan| plan["name"].as_str());
        let directory = || {
            let path = self.root.canonicalize().ok()?;
            Some(path.file_name()?.to_string_lossy().into_owned())
        };
        planned
            .map(str::to_owned)
            .or_else(directory)
            .unwrap_or_else(|| self.root.display().to_string())
    }

    /// Images of the whole run.
    pub fn planned_images(&self) -> Option<u64> {
        self.plan.as_ref()?["run"]["images"].as_u64()
    }

    /// Real images seen by D, according to log and checkpoints.
    pub fn images_seen(&self) -> u64 {
        let logged = self.log.last().map_or(0, |record| record.images_seen);
        let saved = self.checkpoints.last().map_or(0, |file| file.images_seen);
        logged.max(saved)
    }

    fn judge(&self) -> RunState {
        let locked = lock::is_held(&self.root.join("lock"));
        let seen = self.images_seen();
        if locked {
            RunState::Running
        } else if self.planned_images().is_some_and(|all| seen >= all) {
            RunState::Finished
        } else if self.collapses.last().is_some_and(|c| c.ended(seen)) {
            RunState::Collapsed
        } else if seen > 0 {
            RunState::Interrupted
        } else {
            RunState::NotStarted
        }
    }

    fn small_file(&mut self, name: &str) -> Option<String> {
        let path = self.root.join(name);
        let len = std::fs::metadata(&path).ok()?.len();
        if len > MAX_SMALL_FILE {
            let words = format!("{name}: {len} bytes, more than {MAX_SMALL_FILE}");
            self.problems.push(words);
            return None;
        }
        match std::fs::read(&path) {
            Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) => {
                self.problems.push(format!("{name}: {error}"));
                None
            }
        }
    }

    /// Objects of a file of JSON lines, without an unfinished last line.
    fn lines(&mut self, name: &str) -> Vec<Map<String, Value>> {
        let Some(text) = self.small_file(name) else {
            return Vec::new();
        };
        let whole: Vec<&str> = text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n') && !line.trim().is_empty())
            .collect();
        let read: Vec<Map<String, Value>> = whole
            .iter()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        if read.len() < whole.len() {
            let count = whole.len() - read.len();
            self.problems
                .push(format!("{name}: {count} lines are not JSON objects"));
        }
        read
    }

    fn read_collapses(&mut self) -> Vec<Collapse> {
        let Ok(entries) = std::fs::read_dir(self.root.join("collapse")) else {
            return Vec::new();
        };
        let mut images: Vec<(u64, String)> = entries
            .filter_map(|entry| {
                let name = entry.ok()?.file_name().into_string().ok()?;
                Some((name.parse().ok()?, name))
            })
            .collect();
        images.sort();
        images
            .into_iter()
            .filter_map(|(images_seen, folder)| {
                let name = format!("collapse/{folder}/collapse.json");
                let text = self.small_file(&name)?;
                let findings = match serde_json::from_str::<Value>(&text) {
                    Ok(value) => flat(value)
                        .into_iter()
                        .map(|(key, value)| (key, shown(&value)))
                        .collect(),
                    Err(error) => {
                        self.problems.push(format!("{name}: {error}"));
                        Vec::new()
                    }
                };
                let folder = self.root.join("collapse").join(folder);
                Some(Collapse {
                    images_seen,
                    findings,
                    pictures: view_files::pictures(&folder, images_seen),
                })
            })
            .collect()
    }
}

/// A JSON value for display: text without quotes.
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// An event on one line: values by dotted key.
pub fn one_line(entry: &Map<String, Value>) -> String {
    flat(Value::Object(entry.clone()))
        .iter()
        .map(|(key, value)| format!("{key} {}", shown(value)))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_broken_is_said_and_what_is_missing_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let error = RunView::read(root).unwrap_err().to_string();
        assert!(error.contains("is not a run"), "{error}");
        assert!(RunView::read(&root.join("none")).is_err());
        let write = |name: &str, text: &str| {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("plan.json", "{\"name\": ");
        let view = RunView::read(root).unwrap();
        assert_eq!(view.state, RunState::NotStarted);
        assert!(view.problems[0].starts_with("plan.json"));
        write("plan.json", r#"{"name": "x", "run": {"images": 100}}"#);
        write(
            "scores.jsonl",
            "{\"images_seen\": 8, \"frechet\": 2.5}\n7\n{\"ima",
        );
        write("checkpoints/000000000064.safetensors", "");
        write("checkpoints/notes.txt", "");
        write(
            "collapse/000000000064/collapse.json",
            r#"{"signal": {"name": "loss"}}"#,
        );
        let view = RunView::read(root).unwrap();
        assert_eq!((view.scores.len(), view.checkpoints.len()), (1, 1));
        assert_eq!(
            view.problems,
            ["scores.jsonl: 1 lines are not JSON objects"]
        );
        assert_eq!(one_line(&view.scores[0]), "frechet 2.5, images_seen 8");
        assert_eq!(
            view.collapses[0].findings,
            [("signal.name".into(), "loss".into())]
        );
        assert_eq!(view.state, RunState::Collapsed);
        write("checkpoints/000000000100.safetensors", "");
        assert_eq!(RunView::read(root).unwrap().state, RunState::Finished);
        let lock = std::fs::File::create(root.join("lock")).unwrap();
        lock.lock().unwrap();
        assert_eq!(RunView::read(root).unwrap().state, RunState::Running);
    }
}
