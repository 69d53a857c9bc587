//! `log.jsonl`: one JSON object a line, one line an interval.

use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::collapse::Vitals;
use crate::json_lines::JsonLines;
use crate::watch::Watch;

/// One line: means over the steps since the line before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogRecord {
    /// Generator steps taken.
    pub g_step: u64,
    /// Real images seen by D.
    pub images_seen: u64,
    /// Loss of D.
    pub loss_d: f64,
    /// Loss of G.
    pub loss_g: f64,
    /// Logit of real images.
    pub d_real: f64,
    /// Logit of fake images.
    pub d_fake: f64,
    /// Speed.
    pub images_per_sec: f64,
    /// Time since the start of the run, without the pauses between its parts.
    pub elapsed_secs: f64,
    /// The networks at this step, where the plan asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<Watch>,
    /// What the collapse detector looks at beside the losses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vitals: Option<Vitals>,
}

/// The log of a run.
#[derive(Debug)]
pub struct RunLog {
    lines: JsonLines,
    elapsed_before_secs: f64,
}

impl RunLog {
    /// Opens a log to continue after generator step `g_step`, and what it holds: later lines are cut off.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn open(path: &Path, g_step: u64) -> Result<(Self, Vec<LogRecord>)> {
        let (lines, before) = JsonLines::open(path, |record: &LogRecord| record.g_step <= g_step)?;
        let log = Self {
            lines,
            elapsed_before_secs: before.last().map_or(0.0, |record| record.elapsed_secs),
        };
        Ok((log, before))
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
        self.lines.append(record)
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
            images_per_sec: 10.0,
            elapsed_secs: g_step as f64,
            watch: None,
            vitals: None,
        }
    }

    #[test]
    fn a_reopened_log_ends_at_its_checkpoint() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log.jsonl");
        let (mut log, _) = RunLog::open(&path, 0).unwrap();
        for step in 1..=3 {
            log.append(&record(step)).unwrap();
        }
        let (log, before) = RunLog::open(&path, 2).unwrap();
        assert_eq!(log.elapsed_before_secs(), 2.0);
        assert_eq!(before, [record(1), record(2)]);
        let lines: Vec<LogRecord> = std::fs::read_to_string(&path)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines, [record(1), record(2)]);
    }
}
