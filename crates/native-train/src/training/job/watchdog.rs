//! Ends a rank in which nothing happens any more: MPI waits forever for a stuck rank.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{Builder, sleep};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::STUCK;

/// Expects a sign of life at least once per interval.
#[derive(Debug, Clone)]
pub struct Watchdog {
    /// Seconds from the start to the last sign of life; `None` if the watchdog is off.
    last: Option<Arc<AtomicU64>>,
    started: Instant,
}

impl Watchdog {
    /// A watchdog that is off.
    pub fn off() -> Self {
        Self {
            last: None,
            started: Instant::now(),
        }
    }

    /// Ends the process with code 75 if it gives no sign of life for `patience`; its launcher ends the others.
    ///
    /// # Errors
    /// If the system cannot start a thread.
    pub fn start(rank: usize, patience: Duration) -> Result<Self> {
        let last = Arc::new(AtomicU64::new(0));
        let started = Instant::now();
        let watched = last.clone();
        let watch = move || {
            loop {
                sleep((patience / 10).min(Duration::from_secs(1)));
                let last = Duration::from_millis(watched.load(Ordering::Relaxed));
                if started.elapsed().saturating_sub(last) > patience {
                    note!(
                        "error: rank {rank}: no step ended in {} s: another rank is stuck or gone, or the step takes \
                         longer than --step-timeout; resume from the last checkpoint with --resume",
                        patience.as_secs_f64()
                    );
                    std::process::exit(STUCK);
                }
            }
        };
        Builder::new()
            .name("watchdog".to_owned())
            .spawn(watch)
            .context("no thread for the watchdog")?;
        Ok(Self {
            last: Some(last),
            started,
        })
    }

    /// A sign of life.
    pub fn alive(&self) {
        if let Some(last) = &self.last {
            let now = self.started.elapsed().as_millis();
            last.store(u64::try_from(now).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    }
}
