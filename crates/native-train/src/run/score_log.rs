//! `scores.jsonl`: one JSON object per line, one line per score.

use std::path::Path;

use anyhow::Result;

use super::json_lines::JsonLines;
use super::keep::Scores;
use crate::records::score_record::ScoreRecord;

/// The scores of a run.
#[derive(Debug)]
pub struct ScoreLog {
    lines: JsonLines,
    scores: Scores,
}

impl ScoreLog {
    /// Opens a file to continue after generator step `g_step`: later lines are removed.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn open(path: &Path, g_step: u64) -> Result<Self> {
        let (lines, before) =
            JsonLines::open(path, |record: &ScoreRecord| record.g_step <= g_step)?;
        let scores = before.iter().map(|r| (r.images_seen, r.frechet)).collect();
        Ok(Self { lines, scores })
    }

    /// Frechet distances by images seen.
    pub fn scores(&self) -> &Scores {
        &self.scores
    }

    /// Appends a line.
    ///
    /// # Errors
    /// If the write fails.
    pub fn append(&mut self, record: &ScoreRecord) -> Result<()> {
        self.scores.insert(record.images_seen, record.frechet);
        self.lines.append(record)
    }
}
