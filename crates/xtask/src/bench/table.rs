//! Results as a table for people and as JSON for programs.

use std::fmt::Write;

use super::timing::Timing;

/// A row: ours first, then the peers.
pub struct Row {
    /// What was computed, with how many threads.
    pub cell: String,
    /// How many there were of ours and of theirs, on the same inputs; `None` where they cannot be compared.
    pub difference: Option<f32>,
    pub timings: Vec<Timing>,
}

impl Row {
    fn ours(&self) -> &Timing {
        &self.timings[0]
    }

    /// The peer with the least time.
    fn best_peer(&self) -> Option<&Timing> {
        let peers = self.timings[1..].iter();
        peers.min_by(|a, b| a.median().total_cmp(&b.median()))
    }

    /// Their time by ours, of the best peer.
    pub fn ratio(&self) -> Option<f64> {
        Some(self.best_peer()?.median() / self.ours().median())
    }

    /// A line of the table.
    pub fn line(&self) -> String {
        let timing = |timing: &Timing| {
            let (time, spread) = (timing.median(), timing.spread() * 100.0);
            format!(
                "{} {} ±{spread:.0} %, {:.0} MB",
                timing.name,
                three_digits(time),
                timing.memory
            )
        };
        let timings: Vec<String> = self.timings.iter().map(timing).collect();
        let ratio = self
            .ratio()
            .map_or("-".into(), |ratio| format!("{ratio:.2}"));
        format!("| {} | {} | {ratio} |", self.cell, timings.join(" | "))
    }

    fn json(&self) -> String {
        let timing = |timing: &Timing| {
            let times: Vec<String> = timing
                .times
                .iter()
                .map(|time| format!("{time:.4}"))
                .collect();
            format!(
                r#"{{"program": {:?}, "milliseconds": [{}], "megabytes": {:.1}}}"#,
                timing.name,
                times.join(", "),
                timing.memory
            )
        };
        let timings: Vec<String> = self.timings.iter().map(timing).collect();
        let optional = |value: Option<String>| value.unwrap_or_else(|| "null".to_owned());
        format!(
            r#"{{"cell": {:?}, "difference": {}, "ratio": {}, "timings": [{}]}}"#,
            self.cell,
            optional(self.difference.map(|value| format!("{value:e}"))),
            optional(self.ratio().map(|ratio| format!("{ratio:.4}"))),
            timings.join(", ")
        )
    }
}

fn three_digits(milliseconds: f64) -> String {
    match milliseconds {
        t if t < 10.0 => format!("{t:.2} ms"),
        t if t < 100.0 => format!("{t:.1} ms"),
        t => format!("{t:.0} ms"),
    }
}

/// The head of the table.
pub const HEAD: &str = "| cell | ours: median, spread, most memory | peers | ratio, best peer / ours |\n|---|---|---|---|";

/// All rows.
pub fn json(machine: &str, rows: &[Row]) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{{\"machine\": {machine:?}, \"rows\": [");
    let lines: Vec<String> = rows.iter().map(Row::json).collect();
    text + &lines.join(",\n") + "\n]}\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timing(name: &'static str, time: f64) -> Timing {
        Timing {
            name,
            times: vec![time],
            memory: 1.0,
        }
    }

    #[test]
    fn the_ratio_is_to_the_fastest_peer() {
        let row = Row {
            cell: "32".to_owned(),
            difference: Some(1e-6),
            timings: vec![
                timing("ours", 2.0),
                timing("slow", 9.0),
                timing("fast", 3.0),
            ],
        };
        assert_eq!(row.ratio(), Some(1.5));
        let text = json("cpu", &[row]);
        assert!(text.contains(r#""ratio": 1.5000"#), "{text}");
    }

    #[test]
    fn alone_there_is_no_ratio() {
        let row = Row {
            cell: "32".to_owned(),
            difference: None,
            timings: vec![timing("ours", 2.0)],
        };
        assert_eq!(row.ratio(), None);
        assert!(row.line().ends_with("| - |"));
    }
}
