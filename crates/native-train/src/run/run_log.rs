//! `log.jsonl`: one JSON object per line, one line per interval.

use std::path::Path;

use anyhow::Result;

use crate::records::log_record::LogRecord;
use crate::run::json_lines::{JsonLines, is_after};

/// The log of a run.
#[derive(Debug)]
pub struct RunLog {
    lines: JsonLines,
    elapsed_before_secs: f64,
}

impl RunLog {
    /// Opens a log to continue after generator step `g_step`, and returns its lines: later lines are removed.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn open(path: &Path, g_step: u64) -> Result<(Self, Vec<LogRecord>)> {
        let (lines, before): (_, Vec<LogRecord>) =
            JsonLines::open(path, |line| is_after(line, g_step))?;
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
            gradient_norm_d: Some(2.0),
            gradient_norm_g: None,
            images_per_sec: 10.0,
            images_per_sec_of_ranks: None,
            memory: None,
            elapsed_secs: g_step as f64,
            probe: None,
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

    #[test]
    fn lines_of_older_programs_and_of_broken_runs_read() {
        let old = r#"{"g_step":50,"images_seen":3200,"loss_d":1.5,"loss_g":null,"d_real":0.25,
            "d_fake":-0.25,"images_per_sec":200.0,"elapsed_secs":16.0,
            "watch":{"singular_values":{"generator.linear.weight":[1.5,1.0,null]}}}"#;
        let read: LogRecord = serde_json::from_str(old).unwrap();
        assert!(read.loss_g.is_nan() && read.loss_d == 1.5);
        assert_eq!(read.gradient_norm_d, None);
        assert_eq!(read.memory, None);
        let probe = read.probe.clone().unwrap();
        assert_eq!(probe.singular_values.len(), 1);
        assert_eq!(probe.d_held_out, None);
        let again: LogRecord =
            serde_json::from_str(&serde_json::to_string(&read).unwrap()).unwrap();
        assert!(again.loss_g.is_nan());
    }
}
