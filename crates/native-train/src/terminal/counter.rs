//! How many of many are done: a bar on a terminal, a line now and then elsewhere.

use std::cell::Cell;
use std::time::{Duration, Instant};

use super::Bar;

/// Time between lines where no bar is seen.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

/// A count of things that take a while each.
#[derive(Debug)]
pub struct Counter {
    bar: Bar,
    total: u64,
    what: &'static str,
    last_line: Cell<Instant>,
}

impl Counter {
    /// At 0 of `total`; `what` is the word for them, such as "pictures".
    pub fn new(total: u64, what: &'static str) -> Self {
        let template =
            format!("{{bar:24}} {{human_pos}}/{{human_len}} {what}  {{per_sec}}  {{eta}} left");
        Self {
            bar: Bar::new(total as usize, &template),
            total,
            what,
            last_line: Cell::new(Instant::now()),
        }
    }

    /// Shows that so many are done.
    pub fn show(&self, count: u64) {
        self.bar.set_position(count);
        if self.bar.is_hidden() && self.last_line.get().elapsed() >= BETWEEN_LINES {
            self.last_line.set(Instant::now());
            super::note_line(&format!("{count} of {} {}", self.total, self.what));
        }
    }

    /// Takes the bar from the terminal.
    pub fn finish(&self) {
        self.bar.finish();
    }
}
