//! From an error to the exit code of the program.

use std::process::ExitCode;

/// How a successful command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It finished.
    Done,
    /// Ctrl-C or a request to terminate arrived, and a checkpoint was written.
    Interrupted,
}

impl Outcome {
    /// 0, or 130, the shell's code for an interrupt.
    pub fn exit_code(self) -> ExitCode {
        match self {
            Self::Done => ExitCode::SUCCESS,
            Self::Interrupted => ExitCode::from(INTERRUPTED),
        }
    }
}

/// Exit code of an interrupted run.
pub const INTERRUPTED: u8 = 130;

/// The command line or configuration cannot be run; nothing was started.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadUsage(pub String);

/// A [`BadUsage`] as an [`anyhow::Error`].
pub fn bad_usage(message: impl Into<String>) -> anyhow::Error {
    BadUsage(message.into()).into()
}

/// Standard output that could not be written, as an error: the files of the command were.
pub fn bad_output(error: &std::io::Error) -> anyhow::Error {
    anyhow::anyhow!(
        "standard output cannot be written: {error}; files that were asked for are written, send the text elsewhere"
    )
}

/// Training collapsed and was stopped; its last good checkpoint is kept.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Collapsed(pub String);

/// Exit code of a run stopped by a collapse.
pub const COLLAPSED: u8 = 3;

/// Another rank of the job failed, and prints the reason.
#[derive(Debug, thiserror::Error)]
#[error("another rank failed with exit code {0}")]
pub struct Elsewhere(pub u8);

/// [`code`] for the system.
pub fn exit_code(error: &anyhow::Error) -> ExitCode {
    ExitCode::from(code(error))
}

/// 3 if training collapsed, 2 if the usage or the configuration is at fault, another rank's code if that rank
/// failed, otherwise 1.
pub fn code(error: &anyhow::Error) -> u8 {
    let usage = error.chain().any(|cause| {
        let config = |error: &biggan::Error| error.kind() == biggan::ErrorKind::Config;
        cause.is::<BadUsage>() || cause.downcast_ref().is_some_and(config)
    });
    if let Some(Elsewhere(code)) = error.downcast_ref() {
        return *code;
    }
    if error.is::<Collapsed>() {
        return COLLAPSED;
    }
    if usage { 2 } else { 1 }
}
