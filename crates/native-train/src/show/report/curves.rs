//! The curves that a report draws from a log and from scores.

use serde_json::{Map, Value};

use super::chart::{Chart, IMAGES_SEEN, Line, PALETTE};
use biggan::train::probe::Judgement;

use crate::records::log_record::LogRecord;
use crate::records::probe_record::ProbeRecord;

/// Bytes of a MiB.
const MIB: f64 = 1_048_576.0;

type Of<'a> = &'a dyn Fn(&LogRecord) -> Option<f64>;

/// A chart of values of a log; a line without values is left out.
fn of_log(records: &[LogRecord], title: &str, unit: &str, lines: &[(&str, Of<'_>)]) -> Chart {
    let drawn = lines.iter().zip(PALETTE).filter_map(|((name, of), color)| {
        let points: Vec<(f64, f64)> = records
            .iter()
            .filter_map(|record| Some((record.images_seen as f64, of(record)?)))
            .collect();
        (!points.is_empty()).then(|| Line {
            name: (*name).to_owned(),
            color,
            points,
        })
    });
    Chart {
        across: IMAGES_SEEN,
        title: title.to_owned(),
        unit: unit.to_owned(),
        logarithmic: false,
        at_least: vec![],
        lines: drawn.collect(),
    }
}

/// The curves of a log, those without values left out.
pub fn of_records(records: &[LogRecord]) -> Vec<Chart> {
    let chart = |title, unit, lines: &[(&str, Of<'_>)]| of_log(records, title, unit, lines);
    let memory = |of: fn(&crate::memory::Memory) -> u64| {
        move |r: &LogRecord| r.memory.as_ref().map(|m| of(m) as f64 / MIB)
    };
    let judged = |of: fn(&ProbeRecord) -> Option<Judgement>,
                  value: fn(Judgement) -> Option<f64>| {
        move |r: &LogRecord| value(of(r.probe.as_ref()?)?)
    };
    let share = |j: Judgement| Some(100.0 * j.accuracy?);
    let logit = |j: Judgement| Some(j.mean_logit);
    let (training, held_out, fakes) = (
        (|p: &ProbeRecord| p.d_training) as fn(&ProbeRecord) -> Option<Judgement>,
        (|p: &ProbeRecord| p.d_held_out) as fn(&ProbeRecord) -> Option<Judgement>,
        (|p: &ProbeRecord| p.d_fakes) as fn(&ProbeRecord) -> Option<Judgement>,
    );
    let all = [
        chart(
            "Losses",
            "loss",
            &[("D", &|r| Some(r.loss_d)), ("G", &|r| Some(r.loss_g))],
        ),
        chart(
            "D's logits in training",
            "mean D(x)",
            &[
                ("real images", &|r| Some(r.d_real)),
                ("fakes", &|r| Some(r.d_fake)),
            ],
        ),
        Chart {
            at_least: vec![0.0, 100.0],
            ..chart(
                "D's accuracy",
                "% right",
                &[
                    ("training images", &judged(training, share)),
                    ("held-out images", &judged(held_out, share)),
                    ("fakes", &judged(fakes, share)),
                ],
            )
        },
        chart(
            "D's logits at looks",
            "mean D(x)",
            &[
                ("training images", &judged(training, logit)),
                ("held-out images", &judged(held_out, logit)),
                ("fakes", &judged(fakes, logit)),
            ],
        ),
        Chart {
            logarithmic: true,
            ..chart(
                "Norms of the gradients",
                "norm",
                &[("D", &|r| r.gradient_norm_d), ("G", &|r| r.gradient_norm_g)],
            )
        },
        Chart {
            at_least: vec![0.0],
            ..chart(
                "Speed",
                "images/s",
                &[("images/s", &|r| Some(r.images_per_sec))],
            )
        },
        Chart {
            at_least: vec![0.0],
            ..chart(
                "Memory",
                "MiB",
                &[
                    ("resident", &memory(|m| m.resident_bytes)),
                    ("peak", &memory(|m| m.peak_bytes)),
                ],
            )
        },
    ];
    all.into_iter().filter(|chart| !chart.is_empty()).collect()
}

/// A chart for each numeric field of the scores, in the order of their names.
pub fn of_scores(scores: &[Map<String, Value>]) -> Vec<Chart> {
    let counters = ["images_seen", "g_step", "d_step"];
    let fields: std::collections::BTreeSet<&String> = scores
        .iter()
        .flat_map(|score| score.iter())
        .filter(|(name, value)| value.is_number() && !counters.contains(&name.as_str()))
        .map(|(name, _)| name)
        .collect();
    let charts = fields.into_iter().map(|field| {
        let point = |score: &Map<String, Value>| {
            let images = score.get("images_seen")?.as_f64()?;
            Some((images, score.get(field)?.as_f64()?))
        };
        Chart {
            across: IMAGES_SEEN,
            title: field.clone(),
            unit: field.clone(),
            logarithmic: false,
            at_least: vec![],
            lines: vec![Line {
                name: field.clone(),
                color: PALETTE[0],
                points: scores.iter().filter_map(point).collect(),
            }],
        }
    });
    charts.filter(|chart| !chart.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_numeric_field_of_the_scores_is_a_curve() {
        let lines = [
            r#"{"images_seen": 8, "g_step": 1, "frechet": 20.5, "protocol": "p", "share": 0.5}"#,
            r#"{"images_seen": 16, "g_step": 2, "frechet": 10.5, "protocol": "p"}"#,
            r#"{"frechet": 1.0, "late": null}"#,
        ];
        let scores: Vec<Map<String, Value>> = lines
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let charts = of_scores(&scores);
        let titles: Vec<&str> = charts.iter().map(|chart| chart.title.as_str()).collect();
        assert_eq!(titles, ["frechet", "share"]);
        assert_eq!(charts[0].lines[0].points, [(8.0, 20.5), (16.0, 10.5)]);
    }

    #[test]
    fn an_old_log_has_the_curves_of_its_fields() {
        let line = r#"{"g_step":1,"images_seen":64,"loss_d":1,"loss_g":0,"d_real":0,"d_fake":0,"images_per_sec":9,"elapsed_secs":1}"#;
        let record: LogRecord = serde_json::from_str(line).unwrap();
        let charts = of_records(&[record]);
        let titles: Vec<&str> = charts.iter().map(|chart| chart.title.as_str()).collect();
        assert_eq!(titles, ["Losses", "D's logits in training", "Speed"]);
    }
}
