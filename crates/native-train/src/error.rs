//! From an error to the exit code of the program.

use std::process::ExitCode;

/// How a command that did not fail ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All is done.
    Done,
    /// Ctrl-C or a request to terminate came, and a checkpoint was written.
    Interrupted,
}

impl Outcome {
    /// 0, or 130 as a shell counts an interrupt.
    pub fn exit_code(self) -> ExitCode {
        match self {
            Self::Done => ExitCode::SUCCESS,
            Self::Interrupted => ExitCode::from(INTERRUPTED),
        }
    }
}

/// Exit code of an interrupted run.
pub const INTERRUPTED: u8 = 130;

/// What was typed or configured cannot be run; nothing was started.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadUsage(pub String);

/// A [`BadUsage`] as an [`anyhow::Error`].
pub fn bad_usage(message: impl Into<String>) -> anyhow::Error {
    BadUsage(message.into()).into()
}

/// Training collapsed and was ended; its last good checkpoint is kept.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Collapsed(pub String);

/// Exit code of a run that was ended by collapse.
pub const COLLAPSED: u8 = 3;

/// Another rank of the job failed, and says why.
#[derive(Debug, thiserror::Error)]
#[error("another rank failed with exit code {0}")]
pub struct Elsewhere(pub u8);

/// [`code`] for the system.
pub fn exit_code(error: &anyhow::Error) -> ExitCode {
    ExitCode::from(code(error))
}

/// 3 where training collapsed, 2 where the usage or the configuration is at fault, that of another rank where
/// it failed, else 1.
pub fn code(error: &anyhow::Error) -> u8 {
    let usage = error.chain().any(|cause| {
        cause.is::<BadUsage>()
            || matches!(
                cause.downcast_ref::<biggan::Error>(),
                Some(biggan::Error::Config(_))
            )
    });
    if let Some(Elsewhere(code)) = error.downcast_ref() {
        return *code;
    }
    if error.is::<Collapsed>() {
        return COLLAPSED;
    }
    if usage { 2 } else { 1 }
}
