//! How fast each rank computes, without the time it waits for others: who holds the job up.

use std::time::{Duration, Instant};

use super::Job;

/// Measures the interval between two lines of the log.
#[derive(Debug)]
pub struct Speeds {
    started: Instant,
    waited: Duration,
    images: u64,
}

impl Speeds {
    /// Starts an interval.
    pub fn new(job: &Job) -> Self {
        Self {
            started: Instant::now(),
            waited: job.waited(),
            images: 0,
        }
    }

    /// Adds real images that this rank showed to D.
    pub fn add(&mut self, images: u64) {
        self.images += images;
    }

    /// Images per second of each rank, waiting excluded, and starts a new interval; `None` for a single process.
    pub fn close(&mut self, job: &Job) -> Option<Vec<f64>> {
        let next = Self::new(job);
        let wall = next.started - self.started;
        let busy = wall.saturating_sub(next.waited - self.waited);
        let speed = self.images as f64 / busy.as_secs_f64().max(1e-9);
        *self = next;
        if job.is_alone() {
            return None;
        }
        let all = job.group().all_gather(&[speed as f32]);
        Some(all.into_iter().map(f64::from).collect())
    }
}
