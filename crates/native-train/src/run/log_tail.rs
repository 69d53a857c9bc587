//! Follows `log.jsonl` of a run of this or another process: each update reads the lines added since the last.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::records::log_record::LogRecord;

/// Most bytes of a log that are read: enough for years.
const MAX_BYTES: u64 = 1 << 30;

/// The lines of a log so far.
#[derive(Debug, Default)]
pub struct LogTail {
    path: PathBuf,
    /// End of the last complete line that was read.
    offset: u64,
    /// Lines that are records, in order.
    pub records: Vec<LogRecord>,
    /// Number of complete lines that are not records.
    pub unreadable: usize,
    /// Whether the file ends within a line: it is being written, or its writer was killed.
    pub unfinished: bool,
}

impl LogTail {
    /// A log that has not been read yet; the file need not exist.
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            ..Self::default()
        }
    }

    /// Reads new lines. A file that became shorter (a resumed run truncates its log) is read from the start.
    ///
    /// # Errors
    /// If there is a file but it cannot be read, or it is larger than a log can be.
    pub fn update(&mut self) -> Result<()> {
        let named = || format!("log {}", self.path.display());
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                *self = Self::new(&self.path);
                return Ok(());
            }
            Err(error) => return Err(error).with_context(named),
        };
        let len = file.metadata().with_context(named)?.len();
        ensure!(
            len <= MAX_BYTES,
            "log {} has {len} bytes, more than {MAX_BYTES}; move old lines to another file",
            self.path.display()
        );
        if len < self.offset {
            *self = Self::new(&self.path);
        }
        file.seek(SeekFrom::Start(self.offset))
            .with_context(|| format!("log {}", self.path.display()))?;
        let mut reader = BufReader::new(file.take(len - self.offset));
        let mut line = Vec::new();
        self.unfinished = false;
        loop {
            line.clear();
            let read = reader
                .read_until(b'\n', &mut line)
                .with_context(|| format!("log {}", self.path.display()))?;
            if line.last() != Some(&b'\n') {
                self.unfinished = read > 0;
                return Ok(());
            }
            self.offset += read as u64;
            match serde_json::from_slice(&line) {
                Ok(record) => self.records.push(record),
                Err(_) if line.trim_ascii().is_empty() => {}
                Err(_) => self.unreadable += 1,
            }
        }
    }

    /// The newest line.
    pub fn last(&self) -> Option<&LogRecord> {
        self.records.last()
    }

    /// The newest line with a probe of the networks.
    pub fn last_probe(&self) -> Option<&LogRecord> {
        self.records.iter().rev().find(|r| r.probe.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn line(g_step: u64) -> String {
        format!(
            r#"{{"g_step":{g_step},"images_seen":{g_step},"loss_d":1,"loss_g":1,"d_real":0,"d_fake":0,"images_per_sec":9,"elapsed_secs":1}}"#
        ) + "\n"
    }

    fn steps(tail: &LogTail) -> Vec<u64> {
        tail.records.iter().map(|r| r.g_step).collect()
    }

    #[test]
    fn lines_come_as_they_are_finished_and_go_when_a_run_is_cut() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log.jsonl");
        let mut tail = LogTail::new(&path);
        tail.update().unwrap();
        assert!(tail.last().is_none() && !tail.unfinished);
        let mut file = File::create(&path).unwrap();
        let (first, rest) = (line(1), line(2));
        let (start, end) = rest.split_at(20);
        write!(file, "{first}\n{{\"other\": 1}}\n{start}").unwrap();
        tail.update().unwrap();
        assert_eq!((steps(&tail), tail.unreadable), (vec![1], 1));
        assert!(tail.unfinished);
        write!(file, "{end}{}", line(3)).unwrap();
        tail.update().unwrap();
        assert_eq!(steps(&tail), [1, 2, 3]);
        assert!(!tail.unfinished);
        std::fs::write(&path, line(1)).unwrap();
        tail.update().unwrap();
        assert_eq!((steps(&tail), tail.unreadable), (vec![1], 0));
        std::fs::remove_file(&path).unwrap();
        tail.update().unwrap();
        assert!(tail.last().is_none());
    }
}
