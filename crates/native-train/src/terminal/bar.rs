//! Bars of progress at the bottom of a terminal, below all lines.

use std::io::{IsTerminal, Read, Write};
use std::sync::LazyLock;

use biggan::visible::visible;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::row::Rows;

/// Most drawings in a second.
const PER_SECOND: u8 = 20;

/// All bars; hidden without a terminal.
static BARS: LazyLock<MultiProgress> = LazyLock::new(|| {
    MultiProgress::with_draw_target(match std::io::stderr().is_terminal() {
        true => ProgressDrawTarget::term_like_with_hz(Box::new(Rows::new()), PER_SECOND),
        false => ProgressDrawTarget::hidden(),
    })
});

/// A bar of progress; it goes when it is dropped.
#[derive(Debug)]
pub struct Bar(ProgressBar);

impl Bar {
    /// At 0 of `len`, in a template of `indicatif`.
    ///
    /// # Panics
    /// If the template is not one.
    pub fn new(len: usize, template: &str) -> Self {
        let style = ProgressStyle::with_template(template).expect("the template is the program's");
        Self(BARS.add(ProgressBar::new(len as u64).with_style(style)))
    }

    /// Whether there is no terminal.
    pub fn is_hidden(&self) -> bool {
        self.0.is_hidden()
    }

    /// Moves on.
    pub fn inc(&self, steps: usize) {
        self.0.inc(steps as u64);
    }

    /// Moves to a place.
    pub fn set_position(&self, at: u64) {
        self.0.set_position(at);
    }

    /// Sets the words of `{msg}`.
    pub fn set_message(&self, words: &str) {
        self.0.set_message(visible(words).into_owned());
    }

    /// A reader whose bytes move it on.
    pub fn wrap_read<R: Read>(&self, reader: R) -> impl Read {
        self.0.wrap_read(reader)
    }

    /// Takes it from the terminal.
    pub fn finish(&self) {
        self.0.finish_and_clear();
        BARS.remove(&self.0);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.finish();
    }
}

/// Writes to the terminal while no bar is on it.
pub(super) fn above<T>(write: impl FnOnce() -> T) -> T {
    BARS.suspend(write)
}

/// Takes all bars from the terminal.
pub(super) fn clear() {
    // the rows of `Rows` drop errors
    let _ = BARS.clear();
}

/// Clears the row of the cursor without waiting for who is drawing.
pub(super) fn clear_row() {
    let mut error = std::io::stderr();
    if error.is_terminal() {
        let _ = error.write_all(b"\r\x1b[2K");
    }
}
