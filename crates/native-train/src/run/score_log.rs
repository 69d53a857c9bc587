//! `scores.jsonl`: one JSON object per line, one line per score.

use std::path::Path;

use anyhow::Result;

use super::json_lines::{JsonLines, is_after};
use super::keep::Scores;
use crate::records::score_record::ScoreRecord;

/// The scores of a run.
#[derive(Debug)]
pub struct ScoreLog {
    lines: JsonLines,
    scores: Scores,
    others: usize,
}

impl ScoreLog {
    /// Opens a file to continue after generator step `g_step`: later lines are removed. Scores of another protocol
    /// than the run's, or than the last one's if it is no longer scored, stay in the file but are not compared.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn open(path: &Path, g_step: u64, protocol: Option<&str>) -> Result<Self> {
        let (lines, before): (_, Vec<ScoreRecord>) =
            JsonLines::open(path, |line| is_after(line, g_step))?;
        let last = before.last().map(|record| record.protocol.clone());
        let protocol = protocol.map(str::to_owned).or(last);
        let same = |record: &&ScoreRecord| Some(&record.protocol) == protocol.as_ref();
        let scores = before
            .iter()
            .filter(same)
            .map(|r| (r.images_seen, r.frechet));
        let scores: Scores = scores.collect();
        Ok(Self {
            lines,
            others: before.iter().filter(|record| !same(record)).count(),
            scores,
        })
    }

    /// How many lines are of another protocol.
    pub fn others(&self) -> usize {
        self.others
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
