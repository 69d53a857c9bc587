//! The files of a run: plan, log, checkpoints, sample sheets. One process at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use biggan::image::Sheet;

use crate::atomic_file;
use crate::checkpoint::Checkpoint;
use crate::plan::Plan;
use crate::{run_log::RunLog, sheet};

const CHECKPOINTS: &str = "checkpoints";
const SAMPLES: &str = "samples";
const PLAN: &str = "plan.json";
const LOG: &str = "log.jsonl";
const LOCK: &str = "lock";

/// A run directory that this process alone writes to.
#[derive(Debug)]
pub struct RunDir {
    root: PathBuf,
    /// Held as long as the run; the system lets go of it when the process ends, however it ends.
    _lock: File,
}

impl RunDir {
    /// Makes the directory if need be, takes its lock and clears unfinished files.
    ///
    /// # Errors
    /// If it cannot be written, or another process has it.
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
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(root.join(LOCK))
            .with_context(named)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "run directory {} is in use by another process; wait for it, or choose another with \
                 --out",
                root.display()
            ),
            Err(TryLockError::Error(error)) => return Err(error).with_context(named),
        }
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

    /// Saves what runs.
    ///
    /// # Errors
    /// If the write fails.
    pub fn write_plan(&self, plan: &Plan) -> Result<()> {
        atomic_file::write(&self.root.join(PLAN), plan.to_json()?.as_bytes())
    }

    /// The log, cut to end at generator step `g_step`.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn open_log(&self, g_step: u64) -> Result<RunLog> {
        RunLog::open(&self.root.join(LOG), g_step)
    }

    /// Writes a checkpoint and removes old ones until `keep` are left.
    ///
    /// # Errors
    /// If the write fails; the old ones are untouched then.
    pub fn write_checkpoint(&self, checkpoint: &Checkpoint, keep: usize) -> Result<PathBuf> {
        let images = checkpoint.counters.images_seen;
        let path = self
            .root
            .join(CHECKPOINTS)
            .join(format!("{images:012}.safetensors"));
        atomic_file::write(&path, &checkpoint.encode()?)?;
        let all = checkpoints(&self.root)?;
        for old in all.iter().rev().skip(keep.max(1)) {
            std::fs::remove_file(old).with_context(|| format!("removing {}", old.display()))?;
        }
        Ok(path)
    }

    /// Writes a sample sheet.
    ///
    /// # Errors
    /// If the write fails.
    pub fn write_sample_sheet(&self, images_seen: u64, sheet: &Sheet) -> Result<()> {
        let path = self
            .root
            .join(SAMPLES)
            .join(format!("{images_seen:012}.png"));
        atomic_file::write(&path, &sheet::to_png(sheet)?)
    }
}

/// Checkpoints of a run directory, oldest first; none if it does not exist.
///
/// # Errors
/// If the directory exists but cannot be read.
pub fn checkpoints(root: &Path) -> Result<Vec<PathBuf>> {
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
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// Images seen, by which a file of a run is named `<images>.<extension>`; none of other files.
pub fn images_of(path: &Path, extension: &str) -> Option<u64> {
    let stem = path.file_stem()?.to_str()?;
    let fits = path.extension().is_some_and(|e| e == extension);
    fits.then(|| stem.parse().ok()).flatten()
}

/// The newest checkpoint that can be read, with its path; none if there is no file at all.
///
/// A file that cannot be read (disks fail) is named to `warn`, and the one before it is used.
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
        let read = std::fs::read(&path)
            .map_err(anyhow::Error::from)
            .and_then(|bytes| Checkpoint::decode(&bytes))
            .with_context(|| format!("checkpoint {}", path.display()));
        match read {
            Ok(checkpoint) => return Ok(Some((path, checkpoint))),
            Err(error) if all.is_empty() => {
                return Err(error.context(format!(
                    "none of the {count} checkpoints in {} can be read; start anew with another --out",
                    root.display()
                )));
            }
            Err(error) => warn(format!("warning: {error:#}; using the one before it")),
        }
    }
    Ok(None)
}
