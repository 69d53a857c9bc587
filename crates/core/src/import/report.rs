//! What became of every tensor of a foreign file.

use std::collections::BTreeMap;
use std::fmt;

/// What became of one tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Its values are in the model.
    Stored {
        /// Our name for it.
        name: String,
        /// What was done to it; empty for nothing.
        change: String,
    },
    /// It was needed to compute others.
    Used(&'static str),
    /// It is not needed.
    Left(&'static str),
}

/// One tensor of the foreign file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportLine {
    /// Its name there.
    pub name: String,
    /// Its shape there.
    pub shape: Vec<usize>,
    /// What became of it.
    pub fate: Fate,
}

/// The table of an import: it has every tensor of the file once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// What the file was read as, e.g. "BigGAN-deep 128x128 of hf-deep".
    pub title: String,
    /// Where the names of the classes come from, of a model.
    pub classes: Option<String>,
    /// Remarks on what was assumed or decided.
    pub remarks: Vec<String>,
    /// One line per tensor, in the order of the file.
    pub lines: Vec<ReportLine>,
}

impl Report {
    /// The summary: the title, the remarks, and how many tensors became what.
    pub fn summary(&self) -> String {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for line in &self.lines {
            let key = match &line.fate {
                Fate::Stored { change, .. } if change.is_empty() => "stored as they are".to_owned(),
                Fate::Stored { change, .. } => format!("stored, {change}"),
                Fate::Used(purpose) => format!("used: {purpose}"),
                Fate::Left(reason) => format!("left: {reason}"),
            };
            *counts.entry(key).or_default() += 1;
        }
        let mut text = format!("{}: {} tensors\n", self.title, self.lines.len());
        for (what, count) in counts {
            text += &format!("  {count:5} {what}\n");
        }
        for remark in self.classes.iter().chain(&self.remarks) {
            text += &format!("  note: {remark}\n");
        }
        text
    }
}

/// The whole table.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary())?;
        for line in &self.lines {
            let shape = format!("{:?}", line.shape);
            write!(f, "{:48} {shape:18} ", line.name)?;
            match &line.fate {
                Fate::Stored { name, change } if change.is_empty() => writeln!(f, "-> {name}")?,
                Fate::Stored { name, change } => writeln!(f, "-> {name} ({change})")?,
                Fate::Used(purpose) => writeln!(f, "used: {purpose}")?,
                Fate::Left(reason) => writeln!(f, "left: {reason}")?,
            }
        }
        Ok(())
    }
}
