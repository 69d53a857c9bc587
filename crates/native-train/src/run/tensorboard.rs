//! A run for TensorBoard, where the recipe asks for it: `tensorboard/events.out.tfevents.*` beside the run's own files,
//! which stay the ones that everything else reads.
//!
//! A file is records of TensorFlow (`tensorflow/core/lib/io/record_writer.h`): length, masked CRC-32C of it, an `Event`
//! (`tensorboard/compat/proto/event.proto`), masked CRC-32C of that. Each start of a run has a file of its own, which begins
//! with a `SessionLog`: readers then pass by what an earlier file says of later steps.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use biggan::train::probe::Judgement;
use prost::Message;

use crate::records::log_record::LogRecord;
use crate::records::score_record::ScoreRecord;

/// Directory in that of the run.
pub const DIRECTORY: &str = "tensorboard";
/// What every file begins with.
const VERSION: &str = "brain.Event:2";
/// Buckets of a histogram.
const BUCKETS: usize = 30;
/// Red, green, blue and opacity, as TensorFlow numbers colour spaces.
const RGBA: i32 = 4;
/// A session begins.
const START: i32 = 1;

#[derive(Clone, PartialEq, Message)]
struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(string, optional, tag = "3")]
    file_version: Option<String>,
    #[prost(message, optional, tag = "5")]
    summary: Option<Summary>,
    #[prost(message, optional, tag = "7")]
    session_log: Option<SessionLog>,
}

#[derive(Clone, PartialEq, Message)]
struct SessionLog {
    #[prost(int32, tag = "1")]
    status: i32,
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Value>,
}

#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(float, optional, tag = "2")]
    simple_value: Option<f32>,
    #[prost(message, optional, tag = "4")]
    image: Option<Image>,
    #[prost(message, optional, tag = "5")]
    histo: Option<Histogram>,
}

#[derive(Clone, PartialEq, Message)]
struct Image {
    #[prost(int32, tag = "1")]
    height: i32,
    #[prost(int32, tag = "2")]
    width: i32,
    #[prost(int32, tag = "3")]
    colorspace: i32,
    /// A PNG file.
    #[prost(bytes = "vec", tag = "4")]
    encoded_image_string: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct Histogram {
    #[prost(double, tag = "1")]
    min: f64,
    #[prost(double, tag = "2")]
    max: f64,
    #[prost(double, tag = "3")]
    num: f64,
    #[prost(double, tag = "4")]
    sum: f64,
    #[prost(double, tag = "5")]
    sum_squares: f64,
    /// Upper ends.
    #[prost(double, repeated, tag = "6")]
    bucket_limit: Vec<f64>,
    #[prost(double, repeated, tag = "7")]
    bucket: Vec<f64>,
}

/// An open file of events. What cannot be written is said once, and training goes on without it.
#[derive(Debug)]
pub struct Board {
    path: PathBuf,
    file: File,
    failed: bool,
}

impl Board {
    /// Begins a file in the directory of a run, at a generator step.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn open(run: &Path, g_step: u64) -> Result<Self> {
        let directory = run.join(DIRECTORY);
        let named = || format!("directory {}", directory.display());
        std::fs::create_dir_all(&directory).with_context(named)?;
        let seconds = now() as u64;
        // readers take the files in the order of their names; two starts may fall into one second
        let (path, file) = (0..)
            .find_map(|number: u32| {
                let path = directory.join(format!(
                    "events.out.tfevents.{seconds:010}.{number:04}.native-train"
                ));
                match OpenOptions::new().append(true).create_new(true).open(&path) {
                    Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => None,
                    opened => Some(opened.map(|file| (path, file))),
                }
            })
            .context("a free name")?
            .with_context(named)?;
        let mut board = Self {
            path,
            file,
            failed: false,
        };
        board.event(
            0,
            Event {
                file_version: Some(VERSION.to_owned()),
                ..Event::default()
            },
        );
        let begun = Event {
            session_log: Some(SessionLog { status: START }),
            ..Event::default()
        };
        // what earlier files say of this step and later ones is of a future that did not come
        board.event(g_step + 1, begun);
        Ok(board)
    }

    /// A line of the log: losses, logits, speed, memory, spectra.
    pub fn record(&mut self, record: &LogRecord) {
        let mut values = vec![
            scalar("loss/D", record.loss_d),
            scalar("loss/G", record.loss_g),
            scalar("logit/real", record.d_real),
            scalar("logit/fake", record.d_fake),
            scalar("run/images_seen", record.images_seen as f64),
            scalar("run/images_per_second", record.images_per_sec),
        ];
        let norms = [("D", record.gradient_norm_d), ("G", record.gradient_norm_g)];
        values.extend(norms.into_iter().filter_map(|(network, norm)| {
            Some(scalar(&format!("gradient_norm/{network}"), norm?))
        }));
        if let Some(vitals) = &record.vitals {
            values.push(scalar("vitals/sample_variance", vitals.sample_variance));
            values.extend(
                vitals.sigma.iter().map(|(name, sigma)| {
                    scalar(&format!("vitals/sigma/{name}"), f64::from(*sigma))
                }),
            );
        }
        if let Some(probe) = &record.probe {
            let judged = [
                ("training", &probe.d_training),
                ("held_out", &probe.d_held_out),
                ("fakes", &probe.d_fakes),
            ];
            values.extend(
                judged
                    .into_iter()
                    .flat_map(|(of, judgement)| judgements(of, judgement.as_ref())),
            );
            for (name, spectrum) in &probe.singular_values {
                let largest = spectrum
                    .first()
                    .map(|sigma| scalar(&format!("sigma_0/{name}"), f64::from(*sigma)));
                values.extend(largest);
            }
            for network in ["generator", "discriminator"] {
                let of = |name: &str| {
                    name.strip_prefix(network)
                        .is_some_and(|rest| rest.starts_with('.'))
                };
                let spectra = probe.singular_values.iter().filter(|(name, _)| of(name));
                let all: Vec<f64> = spectra
                    .flat_map(|(_, spectrum)| spectrum)
                    .map(|sigma| f64::from(*sigma))
                    .collect();
                values.extend(histogram(&format!("singular_values/{network}"), &all));
            }
        }
        self.summary(record.g_step, values);
    }

    /// A score.
    pub fn score(&mut self, score: &ScoreRecord) {
        let mut values = vec![
            scalar("score/frechet", score.frechet),
            scalar("score/recognised", score.recognised),
        ];
        values.extend(score.spread.map(|spread| scalar("score/spread", spread)));
        self.summary(score.g_step, values);
    }

    /// A sheet of samples, a PNG file.
    pub fn sheet(&mut self, g_step: u64, [width, height]: [usize; 2], png: &[u8]) {
        let image = Image {
            height: height as i32,
            width: width as i32,
            colorspace: RGBA,
            encoded_image_string: png.to_vec(),
        };
        let value = Value {
            tag: "samples".to_owned(),
            image: Some(image),
            ..Value::default()
        };
        self.summary(g_step, vec![value]);
    }

    fn summary(&mut self, g_step: u64, value: Vec<Value>) {
        self.event(
            g_step,
            Event {
                summary: Some(Summary { value }),
                ..Event::default()
            },
        );
    }

    fn event(&mut self, g_step: u64, event: Event) {
        let event = Event {
            wall_time: now(),
            step: g_step as i64,
            ..event
        };
        let written = self.file.write_all(&framed(&event.encode_to_vec()));
        if let (Err(error), false) = (written, self.failed) {
            self.failed = true;
            note!(
                "warning: {}: {error}; TensorBoard will lack this, training goes on",
                self.path.display()
            );
        }
    }
}

/// A record of TensorFlow.
fn framed(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    [
        &length[..],
        &masked(&length).to_le_bytes(),
        data,
        &masked(data).to_le_bytes(),
    ]
    .concat()
}

/// CRC-32C, rotated and displaced, since that of bytes with their own CRC says little (`tensorflow/core/lib/hash/crc32c.h`).
fn masked(data: &[u8]) -> u32 {
    crc32c::crc32c(data)
        .rotate_right(15)
        .wrapping_add(0xa282_ead8)
}

fn scalar(tag: &str, value: f64) -> Value {
    Value {
        tag: tag.to_owned(),
        simple_value: Some(value as f32),
        ..Value::default()
    }
}

fn judgements(of: &str, judgement: Option<&Judgement>) -> Vec<Value> {
    let Some(judgement) = judgement else {
        return Vec::new();
    };
    let accuracy = judgement
        .accuracy
        .map(|accuracy| scalar(&format!("D_accuracy/{of}"), accuracy));
    let logit = scalar(&format!("D_logit/{of}"), judgement.mean_logit);
    accuracy.into_iter().chain([logit]).collect()
}

/// Buckets of one width from the smallest to the largest value; `None` without a finite one.
fn histogram(tag: &str, values: &[f64]) -> Option<Value> {
    let finite: Vec<f64> = values
        .iter()
        .copied()
        .filter(|value| value.is_finite())
        .collect();
    let min = finite.iter().copied().reduce(f64::min)?;
    let max = finite.iter().copied().reduce(f64::max)?;
    let width = ((max - min) / BUCKETS as f64).max(f64::MIN_POSITIVE);
    let mut bucket = vec![0.0; BUCKETS];
    for value in &finite {
        bucket[(((value - min) / width) as usize).min(BUCKETS - 1)] += 1.0;
    }
    let bucket_limit = (1..=BUCKETS).map(|end| min + width * end as f64).collect();
    let histo = Histogram {
        min,
        max,
        num: finite.len() as f64,
        sum: finite.iter().sum(),
        sum_squares: finite.iter().map(|value| value * value).sum(),
        bucket_limit,
        bucket,
    };
    Some(Value {
        tag: tag.to_owned(),
        histo: Some(histo),
        ..Value::default()
    })
}

fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_tensorflows() {
        // rfc3720, B.4: 32 bytes of zeros have the CRC-32C aa 36 91 8a
        assert_eq!(crc32c::crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(
            masked(&[0; 32]),
            0x8a91_36aa_u32.rotate_right(15).wrapping_add(0xa282_ead8)
        );
        let record = framed(b"event");
        assert_eq!(
            (record.len(), &record[..8]),
            (8 + 4 + 5 + 4, &5u64.to_le_bytes()[..])
        );
    }

    #[test]
    fn histograms_count_every_finite_value() {
        let of = |values: &[f64]| histogram("a", values).and_then(|value| value.histo);
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[f64::NAN]), None);
        let all = of(&[1.0, 2.0, 4.0, f64::INFINITY]).unwrap();
        assert_eq!(
            (all.min, all.max, all.num, all.sum, all.sum_squares),
            (1.0, 4.0, 3.0, 7.0, 21.0)
        );
        assert_eq!(all.bucket.iter().sum::<f64>(), 3.0);
        assert!(
            all.bucket_limit
                .last()
                .is_some_and(|last| (last - 4.0).abs() < 1e-9)
        );
        // one value has a bucket too
        assert_eq!(of(&[3.0, 3.0]).unwrap().bucket.iter().sum::<f64>(), 2.0);
    }
}
