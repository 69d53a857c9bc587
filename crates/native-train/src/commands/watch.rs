//! `native-train watch`: a live view of a run in a terminal; it only reads.

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::{Context, Result};
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::args::WatchArgs;
use crate::error::Outcome;
use crate::run::run_view::RunView;
use crate::show::live_view;
use crate::terminal;
use crate::training::interrupt::Interrupt;

/// Time between two reads of the files.
const INTERVAL: Duration = Duration::from_millis(500);
/// Size of a frame without a terminal, in columns and lines.
const ONCE: (u16, u16) = (100, 34);

/// Runs the command.
///
/// # Errors
/// If the directory is not a run, its log cannot be read, or the terminal fails.
pub fn run(args: &WatchArgs) -> Result<Outcome> {
    let view = RunView::read(&args.run)?;
    if args.once || !std::io::stdout().is_terminal() {
        let text = live_view::frame_text(&view, ONCE.0, ONCE.1)?;
        terminal::say_text(&text);
        return Ok(Outcome::Done);
    }
    let interrupt = Interrupt::install_quietly()?;
    // sets a hook that restores the terminal on a panic
    let mut screen = ratatui::try_init().context("the terminal; --once prints one frame")?;
    let outcome = follow(view, &interrupt, &mut |view| {
        screen.draw(|frame| live_view::draw(view, frame))?;
        Ok(())
    });
    ratatui::restore();
    outcome.map(|()| Outcome::Done)
}

/// Draws and reads until a key or a signal stops it.
fn follow(
    mut view: RunView,
    interrupt: &Interrupt,
    show: &mut dyn FnMut(&RunView) -> Result<()>,
) -> Result<()> {
    loop {
        show(&view)?;
        if event::poll(INTERVAL)? {
            match event::read()? {
                Event::Key(key) if ends(&key) => return Ok(()),
                // a resized terminal is redrawn at once
                _ => continue,
            }
        }
        if interrupt.requested() {
            return Ok(());
        }
        view.refresh()?;
    }
}

fn ends(key: &KeyEvent) -> bool {
    let control_c = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
    let leaves = control_c || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc);
    leaves && key.kind == KeyEventKind::Press
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q_escape_and_control_c_leave() {
        let key = |code, modifiers| ends(&KeyEvent::new(code, modifiers));
        assert!(key(KeyCode::Char('q'), KeyModifiers::NONE));
        assert!(key(KeyCode::Esc, KeyModifiers::NONE));
        assert!(key(KeyCode::Char('c'), KeyModifiers::CONTROL));
        assert!(!key(KeyCode::Char('c'), KeyModifiers::NONE));
    }
}
