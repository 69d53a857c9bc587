//! `log.jsonl`: one JSON object a line, one line an interval.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Deserializer, Serialize};

use crate::atomic_file;
use crate::memory::Memory;
use crate::watch::Watch;

/// One line: means over the steps since the line before, where nothing else is said. JSON has no word
/// for a value that is not finite: it is written as null and read as NaN. docs/watching.md says what
/// each tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogRecord {
    /// Generator steps taken.
    pub g_step: u64,
    /// Real images seen by D.
    pub images_seen: u64,
    /// Loss of D.
    #[serde(deserialize_with = "number_or_nan")]
    pub loss_d: f64,
    /// Loss of G.
    #[serde(deserialize_with = "number_or_nan")]
    pub loss_g: f64,
    /// Logit of real images.
    #[serde(deserialize_with = "number_or_nan")]
    pub d_real: f64,
    /// Logit of fake images.
    #[serde(deserialize_with = "number_or_nan")]
    pub d_fake: f64,
    /// Norm of the gradient of the whole of D at the last of its steps, regularisers included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradient_norm_d: Option<f64>,
    /// Norm of the gradient of the whole of G at the last step, regularisers included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradient_norm_g: Option<f64>,
    /// Speed, real images seen by D.
    #[serde(deserialize_with = "number_or_nan")]
    pub images_per_sec: f64,
    /// Time since the start of the run, without the pauses between its parts.
    #[serde(deserialize_with = "number_or_nan")]
    pub elapsed_secs: f64,
    /// Memory of the process, where the system tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
    /// The networks at this step, where the plan asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<Watch>,
}

/// Reads a number that was written as null since it is not finite.
pub(crate) fn number_or_nan<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or(f64::NAN))
}

/// The log of a run.
#[derive(Debug)]
pub struct RunLog {
    path: PathBuf,
    file: File,
    elapsed_before_secs: f64,
}

impl RunLog {
    /// Opens a log to continue after generator step `g_step`: later lines, and a last line that a
    /// killed process left unfinished, are cut off.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn open(path: &Path, g_step: u64) -> Result<Self> {
        let named = || format!("log {}", path.display());
        let text = match std::fs::read(path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).with_context(named),
        };
        let kept: Vec<(&str, LogRecord)> = text
            .lines()
            .filter_map(|line| Some((line, serde_json::from_str::<LogRecord>(line).ok()?)))
            .filter(|(_, record)| record.g_step <= g_step)
            .collect();
        let mut content = String::new();
        for (line, _) in &kept {
            content += line;
            content.push('\n');
        }
        if content != text {
            atomic_file::write(path, content.as_bytes())?;
        }
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .with_context(named)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            elapsed_before_secs: kept.last().map_or(0.0, |(_, record)| record.elapsed_secs),
        })
    }

    /// Time that the run took before it was opened.
    pub fn elapsed_before_secs(&self) -> f64 {
        self.elapsed_before_secs
    }

    /// Appends a line in one write.
    ///
    /// # Errors
    /// If the write fails.
    pub fn append(&mut self, record: &LogRecord) -> Result<()> {
        let line = serde_json::to_string(record)? + "\n";
        self.file
            .write_all(line.as_bytes())
            .with_context(|| format!("log {}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(g_step: u64) -> LogRecord {
        LogRecord {
            g_step,
            images_seen: g_step * 8,
            loss_d: 1.0,
            loss_g: 0.5,
            d_real: 0.25,
            d_fake: -0.25,
            gradient_norm_d: Some(2.0),
            gradient_norm_g: None,
            images_per_sec: 10.0,
            memory: None,
            elapsed_secs: g_step as f64,
            watch: None,
        }
    }

    #[test]
    fn a_reopened_log_ends_at_its_checkpoint() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log.jsonl");
        let mut log = RunLog::open(&path, 0).unwrap();
        for step in 1..=3 {
            log.append(&record(step)).unwrap();
        }
        log.file.write_all(b"{\"g_step\": 4, \"ima").unwrap();
        let log = RunLog::open(&path, 2).unwrap();
        assert_eq!(log.elapsed_before_secs(), 2.0);
        let lines: Vec<LogRecord> = std::fs::read_to_string(&path)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines, [record(1), record(2)]);
    }

    #[test]
    fn lines_of_older_programs_and_of_broken_runs_read() {
        let old = r#"{"g_step":50,"images_seen":3200,"loss_d":1.5,"loss_g":null,"d_real":0.25,
            "d_fake":-0.25,"images_per_sec":200.0,"elapsed_secs":16.0,
            "watch":{"singular_values":{"generator.linear.weight":[1.5,1.0,null]}}}"#;
        let read: LogRecord = serde_json::from_str(old).unwrap();
        assert!(read.loss_g.is_nan() && read.loss_d == 1.5);
        assert_eq!(read.gradient_norm_d, None);
        assert_eq!(read.memory, None);
        let watch = read.watch.clone().unwrap();
        assert_eq!(watch.singular_values.len(), 1);
        assert_eq!(watch.d_held_out, None);
        let again: LogRecord =
            serde_json::from_str(&serde_json::to_string(&read).unwrap()).unwrap();
        assert!(again.loss_g.is_nan());
    }
}
