//! A terminal on which a bar takes exactly one row.
//!
//! `indicatif` fills rows to their last column. There a `^C` that the terminal echoes wraps, and so does the row itself
//! when the window becomes narrower; both leave a rest of the bar that is never cleared. Rows that end earlier do not.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use console::{Term, measure_text_width, truncate_str};
use indicatif::TermLike;

/// Columns that stay free at the right: two echoes of `^C` and the cursor.
const FREE: usize = 6;
/// Width that `indicatif` may believe in: no bar is longer, so it never counts rows of its own.
const ENDLESS: u16 = 1000;

/// Standard error, row by row. Errors are dropped: a bar is no reason to end.
#[derive(Debug)]
pub(super) struct Rows {
    term: Term,
    drawn: Mutex<Drawn>,
}

/// What stands on the row of the cursor.
#[derive(Debug, Default)]
struct Drawn {
    /// Columns of the text.
    columns: usize,
    /// Whether the next text belongs on another row.
    full: bool,
}

impl Rows {
    pub(super) fn new() -> Self {
        Self {
            term: Term::buffered_stderr(),
            drawn: Mutex::default(),
        }
    }

    fn drawn(&self) -> MutexGuard<'_, Drawn> {
        self.drawn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn columns(&self) -> usize {
        let (_, columns) = self.term.size();
        usize::from(columns).max(1)
    }
}

/// Text that leaves [`FREE`] columns of a terminal.
fn fitted(text: &str, columns: usize) -> String {
    truncate_str(text.trim_end(), columns.saturating_sub(FREE), "").into_owned()
}

/// Rows above the cursor that the text of a row takes on a terminal that has become narrower.
fn wrapped(text_columns: usize, columns: usize) -> usize {
    text_columns.saturating_sub(1) / columns
}

impl TermLike for Rows {
    fn width(&self) -> u16 {
        ENDLESS
    }

    fn height(&self) -> u16 {
        self.term.size().0
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.drawn().full = false;
        let _ = self.term.move_cursor_up(n);
        Ok(())
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.drawn().full = false;
        let _ = self.term.move_cursor_down(n);
        Ok(())
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        let _ = self.term.move_cursor_right(n);
        Ok(())
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        let _ = self.term.move_cursor_left(n);
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        let _ = self.term.write_line(&fitted(text, self.columns()));
        Ok(())
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        let text = fitted(text, self.columns());
        let mut drawn = self.drawn();
        // what fills a row is dropped
        if text.is_empty() {
            return Ok(());
        }
        let next_row = if drawn.full { "\n" } else { "" };
        drawn.columns = measure_text_width(&text);
        drawn.full = true;
        let _ = self.term.write_str(&format!("{next_row}{text}"));
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        let mut drawn = self.drawn();
        for _ in 0..wrapped(drawn.columns, self.columns()) {
            let _ = self.term.clear_line();
            let _ = self.term.move_cursor_up(1);
        }
        *drawn = Drawn::default();
        let _ = self.term.clear_line();
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let _ = self.term.flush();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_leaves_columns_free_at_the_right() {
        assert_eq!(fitted("abcdefghij   ", 12), "abcdef");
        assert_eq!(fitted("猫猫猫猫", 11), "猫猫");
        assert_eq!(fitted("abc", 3), "");
    }

    #[test]
    fn a_row_that_a_narrower_terminal_wrapped_is_counted() {
        assert_eq!(wrapped(54, 60), 0);
        assert_eq!(wrapped(60, 60), 0);
        assert_eq!(wrapped(61, 60), 1);
        assert_eq!(wrapped(0, 60), 0);
    }
}
