//! Results as a table for people and as JSON for programs.

use serde_json::{Value, json};

use super::timing::Timing;

/// A row: ours first, then the peers.
pub struct Row {
    /// What was computed, with how many threads.
    pub cell: String,
    /// Largest difference of a value from a peer's on the same inputs; `None` where they cannot be compared.
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
        let peers: Vec<String> = self.timings[1..].iter().map(timing).collect();
        let ratio = self
            .ratio()
            .map_or("-".into(), |ratio| format!("{ratio:.2}"));
        let (cell, ours, peers) = (&self.cell, timing(self.ours()), peers.join("; "));
        format!("| {cell} | {ours} | {peers} | {ratio} |")
    }

    fn json(&self) -> Value {
        let timing = |timing: &Timing| {
            json!({
                "program": timing.name,
                "milliseconds": timing.times,
                "megabytes": timing.memory,
            })
        };
        json!({
            "cell": self.cell,
            "difference": self.difference,
            "ratio": self.ratio(),
            "timings": self.timings.iter().map(timing).collect::<Vec<_>>(),
        })
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
    let rows: Vec<Value> = rows.iter().map(Row::json).collect();
    let all = json!({ "machine": machine, "rows": rows });
    format!("{all:#}\n")
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
        let read: Value = serde_json::from_str(&json("cpu", &[row])).unwrap();
        assert_eq!(read["rows"][0]["ratio"], 1.5);
        assert_eq!(read["rows"][0]["timings"][2]["milliseconds"], json!([3.0]));
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
