//! The detector over the logs of real runs (tests/fixtures/collapse).

use biggan::train::Objective;
use native_train::recipe::collapse_section::CollapseSection;
use native_train::records::alarm::Alarm;
use native_train::records::log_record::LogRecord;
use native_train::records::score_record::ScoreRecord;
use native_train::records::vitals::Vitals;
use native_train::training::collapse::Detector;
use serde::de::DeserializeOwned;

fn lines<T: DeserializeOwned>(text: &str) -> Vec<T> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn first_alarm(records: impl Iterator<Item = LogRecord>) -> Option<Alarm> {
    let mut detector = Detector::new(&CollapseSection::default(), Objective::Hinge);
    let mut records = records;
    records.find_map(|record| detector.feed(&record, false))
}

#[test]
fn a_slow_collapse_is_seen_before_the_distance_has_doubled() {
    let log: Vec<LogRecord> = lines(include_str!("../fixtures/collapse/collapsing.jsonl"));
    let scores: Vec<ScoreRecord> =
        lines(include_str!("../fixtures/collapse/collapsing-scores.jsonl"));
    let alarm = first_alarm(log.into_iter()).unwrap();
    let best = scores
        .iter()
        .map(|s| s.frechet)
        .fold(f64::INFINITY, f64::min);
    let (before, after): (Vec<ScoreRecord>, Vec<ScoreRecord>) = scores
        .into_iter()
        .partition(|score| score.images_seen <= alarm.images_seen);
    let at_alarm = before.last().unwrap();
    assert!(at_alarm.frechet < 2.0 * best, "{alarm:?} at {at_alarm:?}");
    assert!(
        after.iter().any(|score| score.frechet > 2.0 * best),
        "it was a collapse"
    );
    // the best one is from before
    assert!(before.iter().any(|score| score.frechet == best));
}

/// All of configs/fashion32.toml, every sign.
#[test]
fn a_whole_healthy_run_is_silent() {
    let log: Vec<LogRecord> = lines(include_str!("../fixtures/collapse/healthy.jsonl"));
    let scores: Vec<ScoreRecord> = lines(include_str!("../fixtures/collapse/healthy-scores.jsonl"));
    assert_eq!(log.last().unwrap().images_seen, 256_000);
    let mut detector = Detector::new(&CollapseSection::default(), Objective::Hinge);
    for record in &log {
        assert!(record.vitals.is_some());
        assert_eq!(detector.feed(record, false), None);
        let scored = scores
            .iter()
            .find(|score| score.images_seen == record.images_seen);
        let alarm = scored
            .and_then(|score| detector.feed_score(score.g_step, score.images_seen, score.frechet));
        assert_eq!(alarm, None);
    }
}

/// Longer runs, from before the vitals were logged: their layers stand in `watch`, at every other
/// line, and the variance between samples was not measured.
#[test]
fn long_healthy_runs_are_silent() {
    for text in [
        include_str!("../fixtures/collapse/healthy-ch16-seed1.jsonl"),
        include_str!("../fixtures/collapse/healthy-ch16-seed2.jsonl"),
    ] {
        let log: Vec<LogRecord> = lines(text);
        assert!(log.iter().any(|record| record.probe.is_some()));
        let with_vitals = log.into_iter().map(|mut record| {
            record.vitals = record.probe.take().map(|probe| Vitals {
                sigma: probe
                    .singular_values
                    .into_iter()
                    .map(|(name, s)| (name, s[0]))
                    .collect(),
                sample_variance: 1.0,
            });
            record
        });
        assert_eq!(first_alarm(with_vitals), None);
    }
}
