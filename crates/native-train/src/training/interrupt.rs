//! Ctrl-C and requests to terminate: the first stops after the step, the second at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

use crate::error::INTERRUPTED;

/// Whether the user asked to stop.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens for SIGINT, SIGTERM and SIGHUP (Ctrl-C elsewhere).
    ///
    /// # Errors
    /// If the system refuses the handler, or there is one already.
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
        ctrlc::set_handler(move || {
            if flag.swap(true, Ordering::SeqCst) {
                std::process::exit(i32::from(INTERRUPTED));
            }
            if let Some(notice) = notice {
                eprintln!("{notice}");
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
