//! The files of a run: plan, log, checkpoints, sample sheets. Only one process writes them at a time.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::error::bad_usage;
use crate::input_file;
use crate::recipe::plan::Plan;
use crate::records::event::Event;
use crate::records::intervention::Intervention;
use crate::records::log_record::LogRecord;
use crate::run::atomic_file;
use crate::run::checkpoint::Checkpoint;
use crate::run::json_lines::JsonLines;
use crate::run::keep::{KeepPolicy, Stored};
use crate::run::lock::Lock;
use crate::run::run_log::RunLog;
use crate::run::score_log::ScoreLog;

const CHECKPOINTS: &str = "checkpoints";
const SAMPLES: &str = "samples";
const PLAN: &str = "plan.json";
const LOG: &str = "log.jsonl";
const SCORES: &str = "scores.jsonl";
const EVENTS: &str = "events.jsonl";
const COLLAPSE: &str = "collapse";
const LOCK: &str = "lock";

/// A run directory that this process alone writes to.
#[derive(Debug)]
pub struct RunDir {
    root: PathBuf,
    /// Held during the run.
    _lock: Lock,
}

impl RunDir {
    /// Creates the directory if necessary, takes its lock and removes unfinished files.
    ///
    /// # Errors
    /// If it cannot be written, or another process has the lock.
    pub fn open(root: &Path) -> Result<Self> {
        let named = || {
            format!(
                "run directory {} cannot be written; choose another with --out",
                root.display()
            )
        };
        for directory in [root.to_owned(), root.join(CHECKPOINTS), root.join(SAMPLES)] {
            std::fs::create_dir_all(directory).with_context(named)?;
        }
        let lock = Lock::take(root, &root.join(LOCK))?;
        for directory in [root.to_owned(), root.join(CHECKPOINTS), root.join(SAMPLES)] {
            atomic_file::remove_partial(&directory)?;
        }
        Ok(Self {
            root: root.to_owned(),
            _lock: lock,
        })
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Saves the plan.
    ///
    /// # Errors
    /// If the write fails.
    pub fn write_plan(&self, plan: &Plan) -> Result<()> {
        atomic_file::write(&self.root.join(PLAN), plan.to_json()?.as_bytes())
    }

    /// The log, truncated to end at generator step `g_step`, and its lines.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn open_log(&self, g_step: u64) -> Result<(RunLog, Vec<LogRecord>)> {
        RunLog::open(&self.log_path(), g_step)
    }

    /// Where the log is.
    pub fn log_path(&self) -> PathBuf {
        self.root.join(LOG)
    }

    /// The scores, truncated to end at generator step `g_step`.
    ///
    /// # Errors
    /// If they cannot be opened.
    pub fn open_scores(&self, g_step: u64, protocol: Option<&str>) -> Result<ScoreLog> {
        ScoreLog::open(&self.root.join(SCORES), g_step, protocol)
    }

    /// Where the evidence of a collapse goes.
    pub fn collapse_directory(&self, images_seen: u64) -> PathBuf {
        self.root.join(COLLAPSE).join(format!("{images_seen:012}"))
    }

    /// Appends to `events.jsonl`, unless it is the last event there: a run that is killed before its next checkpoint
    /// is amended again.
    ///
    /// # Errors
    /// If it cannot be read or written.
    pub fn append_event(&self, event: &Event) -> Result<()> {
        let (mut lines, before): (_, Vec<Event>) =
            JsonLines::open(&self.root.join(EVENTS), |_| false)?;
        match before.last() == Some(event) {
            true => Ok(()),
            false => lines.append(event),
        }
    }

    /// Appends to `events.jsonl` the interventions that are not there yet.
    ///
    /// # Errors
    /// If it cannot be read or written.
    pub fn record(&self, interventions: &[Intervention]) -> Result<()> {
        let path = self.root.join(EVENTS);
        if interventions.is_empty() {
            return Ok(());
        }
        let (mut lines, mut before): (_, Vec<Event>) = JsonLines::open(&path, |_| false)?;
        for event in interventions.iter().cloned().map(Event::Collapse) {
            // the same collapse may occur twice
            match before.iter().position(|known| *known == event) {
                Some(index) => drop(before.remove(index)),
                None => lines.append(&event)?,
            }
        }
        Ok(())
    }

    /// Writes a checkpoint and removes those that the policy does not keep.
    ///
    /// # Errors
    /// If two of its size do not fit, or the write fails; older checkpoints are then untouched.
    pub fn write_checkpoint(
        &self,
        checkpoint: &Checkpoint,
        policy: &KeepPolicy<'_>,
    ) -> Result<PathBuf> {
        let images = checkpoint.counters.images_seen;
        let path = self
            .root
            .join(CHECKPOINTS)
            .join(format!("{images:012}.safetensors"));
        let bytes = checkpoint.encode()?;
        if let Some(misfit) = policy.misfit(bytes.len() as u64) {
            return Err(bad_usage(misfit));
        }
        atomic_file::write(&path, &bytes)?;
        let all = checkpoint_files(&self.root)?;
        let stored = all.iter().map(|(images, path)| {
            let named = || path.display().to_string();
            Ok(Stored {
                images: *images,
                bytes: std::fs::metadata(path).with_context(named)?.len(),
            })
        });
        let kept = policy.kept(&stored.collect::<Result<Vec<_>>>()?);
        self.remove_checkpoints(|images| !kept.contains(&images))?;
        Ok(path)
    }

    /// Removes the checkpoints at these images.
    ///
    /// # Errors
    /// If one cannot be removed.
    pub fn remove_checkpoints(&self, goes: impl Fn(u64) -> bool) -> Result<()> {
        for (_, path) in checkpoint_files(&self.root)?
            .into_iter()
            .filter(|(images, _)| goes(*images))
        {
            std::fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
        }
        Ok(())
    }

    /// Writes a sample sheet, a PNG file.
    ///
    /// # Errors
    /// If the write fails.
    pub fn write_sample_sheet(&self, images_seen: u64, png: &[u8]) -> Result<()> {
        let path = self
            .root
            .join(SAMPLES)
            .join(format!("{images_seen:012}.png"));
        atomic_file::write(&path, png)
    }
}

/// Checkpoints of a run directory, oldest first; none if it does not exist.
///
/// # Errors
/// If the directory exists but cannot be read.
pub fn checkpoints(root: &Path) -> Result<Vec<PathBuf>> {
    let files = checkpoint_files(root)?;
    Ok(files.into_iter().map(|(_, path)| path).collect())
}

/// As [`checkpoints`], with the images that D had seen.
///
/// # Errors
/// As [`checkpoints`].
pub fn checkpoint_files(root: &Path) -> Result<Vec<(u64, PathBuf)>> {
    let directory = root.join(CHECKPOINTS);
    let entries = match std::fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| directory.display().to_string()),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if let Some(images) = images_of(&path, "safetensors") {
            found.push((images, path));
        }
    }
    found.sort();
    Ok(found)
}

/// Reads a checkpoint.
///
/// # Errors
/// If the file cannot be read or is not a checkpoint; the message names it.
pub fn read_checkpoint(path: &Path) -> Result<Checkpoint> {
    let bytes = input_file::read("checkpoint", path)?;
    Checkpoint::decode(&bytes).with_context(|| format!("checkpoint {}", path.display()))
}

/// The images seen in the name `<images>.<extension>` of a run's file; `None` for other files.
pub fn images_of(path: &Path, extension: &str) -> Option<u64> {
    let stem = path.file_stem()?.to_str()?;
    let fits = path.extension().is_some_and(|e| e == extension);
    fits.then(|| stem.parse().ok()).flatten()
}

/// The newest readable checkpoint, with its path; `None` if there is no file at all.
///
/// A file that cannot be read (disks fail) is reported to `warn`, and the previous one is used.
///
/// # Errors
/// If there are files but none can be read.
pub fn newest_checkpoint(
    root: &Path,
    mut warn: impl FnMut(String),
) -> Result<Option<(PathBuf, Checkpoint)>> {
    let mut all = checkpoints(root)?;
    let count = all.len();
    while let Some(path) = all.pop() {
        match read_checkpoint(&path) {
            Ok(checkpoint) => return Ok(Some((path, checkpoint))),
            Err(error) if all.is_empty() => {
                return Err(error.context(format!(
                    "none of the {count} checkpoints in {} can be read; start a new run with another --out",
                    root.display()
                )));
            }
            Err(error) => warn(format!("warning: {error:#}; using the one before it")),
        }
    }
    Ok(None)
}
