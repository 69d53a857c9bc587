//! Ctrl-C and requests to terminate: the first stops after the step, the second at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

use crate::error::INTERRUPTED;
use crate::terminal;

/// Whether the user asked to stop.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

/// What arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// To stop; a second time, at once.
    Stop,
    /// The terminal was closed. That may arrive more than once, and means no haste.
    HangUp,
}

impl Interrupt {
    /// Listens for SIGINT, SIGTERM and SIGHUP (Ctrl-C elsewhere). One that the process was started to ignore, as
    /// `nohup` does with SIGHUP and a shell with SIGINT of a job in the background, stays ignored.
    ///
    /// # Errors
    /// If the system refuses the handler.
    pub fn install() -> Result<Self> {
        Self::listen(Some(
            "interrupted: finishing this step and writing a checkpoint; again to stop now",
        ))
    }

    /// As [`Interrupt::install`], without a message, for a program that draws on the terminal.
    ///
    /// # Errors
    /// As [`Interrupt::install`].
    pub fn install_quietly() -> Result<Self> {
        Self::listen(None)
    }

    fn listen(notice: Option<&'static str>) -> Result<Self> {
        let interrupt = Self::default();
        let flag = interrupt.0.clone();
        let mut stops = 0;
        on_signal(move |asked| {
            let first = !flag.swap(true, Ordering::SeqCst);
            if asked == Asked::Stop {
                stops += 1;
            }
            if stops > 1 {
                terminal::leave();
                std::process::exit(i32::from(INTERRUPTED));
            }
            if let (true, Some(notice)) = (first, notice) {
                note!("{notice}");
            }
        })
        .context("listening for Ctrl-C")?;
        Ok(interrupt)
    }

    /// Whether the user asked to stop.
    pub fn requested(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Calls the handler on a thread of its own for every signal that is not ignored.
#[cfg(unix)]
fn on_signal(mut handle: impl FnMut(Asked) + Send + 'static) -> Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

    let heard = [SIGINT, SIGTERM, SIGHUP].into_iter();
    let heard: Vec<i32> = heard.filter(|signal| !is_ignored(*signal)).collect();
    let mut signals = signal_hook::iterator::Signals::new(heard)?;
    let listen = move || {
        for signal in signals.forever() {
            handle(match signal {
                SIGHUP => Asked::HangUp,
                _ => Asked::Stop,
            });
        }
    };
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(listen)?;
    Ok(())
}

#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    // SAFETY: without a new action sigaction only writes the present one, for which there is room; zeros are one
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &raw mut action) == 0
            && action.sa_sigaction == libc::SIG_IGN
    }
}

#[cfg(not(unix))]
fn on_signal(mut handle: impl FnMut(Asked) + Send + 'static) -> Result<()> {
    Ok(ctrlc::set_handler(move || handle(Asked::Stop))?)
}
