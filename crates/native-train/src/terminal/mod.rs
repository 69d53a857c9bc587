//! All text that the program shows: lines on standard error, results on standard output, bars.
//!
//! Nothing else prints (clippy's `print_stdout` and `print_stderr` see to it), because text must never end a command:
//! a closed pipe or a full disk behind it is no reason to lose a training run. Control characters are escaped
//! ([`biggan::visible`]), and lines appear whole, above the bars.
//!
//! A command whose reader closed the pipe (`| head -1`) ends quietly with the code that it would have had: its work is
//! done. Where standard output cannot be written for another reason, such as a full disk, [`finish`] returns the error.

mod bar;
mod counter;
mod row;

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use biggan::visible::{visible, visible_lines};

pub use bar::Bar;
pub use counter::Counter;

/// Shows a line on standard error; words as for [`format!`].
macro_rules! note {
    ($($words:tt)*) => { $crate::terminal::note_line(&format!($($words)*)) };
}

/// Shows a line on standard output; words as for [`format!`].
macro_rules! say {
    ($($words:tt)*) => { $crate::terminal::say_line(&format!($($words)*)) };
}

/// Why standard output failed; nothing is written to it after that.
static FAILED: Mutex<Option<io::Error>> = Mutex::new(None);

/// Shows a line on standard error, in one write. If that fails there is nowhere to say so.
pub fn note_line(line: &str) {
    let line = visible(line).into_owned() + "\n";
    bar::above(|| {
        let _ = io::stderr().write_all(line.as_bytes());
    });
}

/// As [`note_line`], for text of several lines.
pub fn note_lines(text: &str) {
    text.lines().for_each(note_line);
}

/// Shows a line on standard output.
pub fn say_line(line: &str) {
    write_out(&(visible(line).into_owned() + "\n"));
}

/// Shows text of several lines on standard output.
pub fn say_text(text: &str) {
    write_out(&visible_lines(text));
}

fn write_out(text: &str) {
    let mut failed = failed();
    if failed.is_some() {
        return;
    }
    bar::above(|| {
        let mut out = io::stdout().lock();
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        *failed = written.err();
    });
}

/// Takes the bars from the terminal for good, before the process ends.
pub fn leave() {
    bar::clear();
}

/// Lets a panic's message begin on a line of its own.
pub fn prepare_for_panics() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        bar::clear_row();
        print(panic);
    }));
}

/// The end of all text.
///
/// # Errors
/// If standard output could not be written, unless its reader only closed the pipe.
pub fn finish() -> io::Result<()> {
    match failed().take() {
        Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

fn failed() -> MutexGuard<'static, Option<io::Error>> {
    FAILED.lock().unwrap_or_else(PoisonError::into_inner)
}
