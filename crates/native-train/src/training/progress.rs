//! Progress of a run: a bar on a terminal, plain lines elsewhere.

use std::time::Instant;

use biggan::train::RoundReport;

use crate::memory::Memory;
use crate::records::log_record::LogRecord;
use crate::show::time_left::time_left;
use crate::terminal::Bar;

/// Gathers reports over an interval and shows them.
#[derive(Debug)]
pub struct Progress {
    bar: Bar,
    total_images: u64,
    started: Instant,
    elapsed_before_secs: f64,
    interval_started: Instant,
    interval_images: u64,
    /// Of D's loss, G's, and D's mean logits of reals and of fakes.
    sums: [f64; 4],
    last: RoundReport,
    rounds: u64,
}

impl Progress {
    /// Starts at `images_seen` of `total_images`.
    pub fn new(images_seen: u64, total_images: u64, elapsed_before_secs: f64) -> Self {
        let bar = Bar::new(
            total_images as usize,
            "{bar:24} {human_pos}/{human_len} images  {msg}",
        );
        bar.set_position(images_seen);
        let now = Instant::now();
        Self {
            bar,
            total_images,
            started: now,
            elapsed_before_secs,
            interval_started: now,
            interval_images: images_seen,
            sums: [0.0; 4],
            last: RoundReport::default(),
            rounds: 0,
        }
    }

    /// Adds a round to the interval.
    pub fn add(&mut self, report: &RoundReport) {
        let values = [report.loss_d, report.loss_g, report.d_real, report.d_fake];
        for (sum, value) in self.sums.iter_mut().zip(values) {
            *sum += value.unwrap_or(f64::NAN);
        }
        self.last = *report;
        self.rounds += 1;
        self.bar.set_position(report.images_seen);
    }

    /// Ends the interval and shows it.
    pub fn close_interval(&mut self) -> LogRecord {
        let secs = self.interval_started.elapsed().as_secs_f64().max(1e-9);
        let rounds = self.rounds.max(1) as f64;
        let [loss_d, loss_g, d_real, d_fake] = self.sums.map(|sum| sum / rounds);
        let images_seen = self.last.images_seen;
        let record = LogRecord {
            g_step: self.last.g_step,
            images_seen,
            loss_d,
            loss_g,
            d_real,
            d_fake,
            gradient_norm_d: self.last.gradient_norm_d,
            gradient_norm_g: self.last.gradient_norm_g,
            images_per_sec: (images_seen - self.interval_images) as f64 / secs,
            elapsed_secs: self.elapsed_before_secs + self.started.elapsed().as_secs_f64(),
            memory: Memory::now(),
            images_per_sec_of_ranks: None,
            probe: None,
            vitals: None,
        };
        self.interval_started = Instant::now();
        self.interval_images = images_seen;
        self.sums = [0.0; 4];
        self.rounds = 0;
        self.show(&record);
        record
    }

    fn show(&self, record: &LogRecord) {
        let left = time_left(record, self.total_images);
        let line = format!(
            "{:.0} images/s  loss D {:.3} G {:.3}  D(real) {:.2} D(fake) {:.2}  {left} left",
            record.images_per_sec, record.loss_d, record.loss_g, record.d_real, record.d_fake,
        );
        if self.bar.is_hidden() {
            note!(
                "step {}  {}/{} images  {line}",
                record.g_step,
                record.images_seen,
                self.total_images
            );
        } else {
            self.bar.set_message(&line);
        }
    }

    /// Removes the bar, before a last line.
    pub fn finish(&self) {
        self.bar.finish();
    }
}
